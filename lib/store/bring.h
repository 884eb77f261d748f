/*
 * bring - messages that are brought from elsewhere into a folder
 *
 * Like an append, but a message may bring the name of its file, so that it
 * is known again, and the UID that it had.  Messages are created, written
 * and done with, which puts them on disk in tmp/; a commit gives those that
 * were done their places and UIDs together, and puts what FETCH will ask
 * for into the cache.
 */
#ifndef STORE_BRING_H
#define STORE_BRING_H

#include "store/folder.h"
#include "store/scan.h"

/* A larger UID is not kept: too few would be left for what comes later. */
static const uint32_t BRING_UID_MAX = UINT32_C(0xf0000000);

struct bring_item;
struct cache;
struct index;

/* Of facts: who has more in mind should commit. */
enum { BRING_FACTS = 1048576 };

/* All zero is a fresh one. */
struct bring {
	struct maildir_file file; /* the present message: maildir_write */
	struct maildir md;
	struct index *index;
	struct cache *cache;
	struct bring_item *item; /* done, not committed */
	size_t n, cap;
	uint64_t bytes;   /* of their files */
	size_t facts;     /* bytes of what is known of them for FETCH */
	struct scan have; /* the files that were there */
	size_t moved;     /* messages that did not get the UID they had */
	bool writing;
};

struct bring_msg {
	const char *base;     /* of the file's name; NULL: a new one */
	uint32_t uid;         /* 0: the next one */
	uint16_t flags;       /* FLAG_* */
	struct span keywords; /* names, blank-separated */
	int64_t date;         /* 0: now */
};

/* 0, or -1 and errno. */
MUST int bring_open(struct bring *, const char *path);
void bring_close(struct bring *);

/* Whether a message with that base was there when it was opened. */
bool bring_has(const struct bring *, struct span base);

/* The next message: write b->file. */
MUST int bring_create(struct bring *);

/* It is whole, and on disk. */
MUST int bring_done(struct bring *, const struct bring_msg *);

/* It is not wanted after all. */
void bring_drop(struct bring *);

/*
 * All that were done are in the folder and durable when it answers 0; else
 * none is.  A UID that is used up already is not given again: then the
 * message gets the next one and is counted in `moved`.
 */
MUST int bring_commit(struct bring *, uint32_t *uidvalidity);

#endif
