/*
 * append - new messages into a folder, all of them or none
 *
 * A target is begun; each message is created, written and done with, which
 * puts it on disk in tmp/; then all are committed: under the lock they get
 * their names and UIDs together, in one piece of the journal.  What was
 * not committed leaves nothing behind.
 *
 * An append keeps what it knows of its last target, so that the next one
 * into the same folder opens nothing again.
 */
#ifndef STORE_APPEND_H
#define STORE_APPEND_H

#include "store/folder.h"

struct appended;
struct append_index;

/* All zero is a fresh one. */
struct folder_append {
	struct maildir_file file; /* of the present message: maildir_write */
	struct maildir md;
	struct folder *own;         /* the target is open here */
	struct append_index *index; /* or here */
	struct appended *msg;       /* done */
	size_t n, cap, held, facts;
	uint64_t bytes; /* CRLF octets of these */
	bool begun, writing, committed;
};

/*
 * Begin with the folder at path, which exists; own, if not NULL, is that
 * folder opened by the caller.  0, or -1 and errno.
 */
MUST int folder_append_begin(
    struct folder_append *, const char *path, struct folder *own);

/* The next message: a->file is to be written. */
MUST int folder_append_create(struct folder_append *);

/* Not this one. */
void folder_append_drop(struct folder_append *);

/*
 * It is whole.  keywords are names, blank-separated; date 0 is now.  E2BIG:
 * of more messages than these too little can be kept in mind.
 */
MUST int folder_append_done(
    struct folder_append *, uint16_t flags, struct span keywords, int64_t date);

/*
 * When it answers 0, all a->n messages are durable, with UIDs from *uid on.
 * Else none is there.
 */
MUST int folder_append_commit(
    struct folder_append *, uint32_t *uidvalidity, uint32_t *uid);

/* What message i was given; also behind the commit. */
void folder_append_flags(const struct folder_append *, size_t i,
    uint16_t *flags, struct span *keywords);

/* Drop messages that were not committed; keeps errno. */
void folder_append_abort(struct folder_append *);

/* Forget the target too. */
void folder_append_close(struct folder_append *);

#endif
