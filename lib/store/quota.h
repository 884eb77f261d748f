/*
 * quota - how much mail a user may keep, and keeps: Maildir++ maildirsize
 *
 * The file `maildirsize` in the root of a Maildir is that of Courier,
 * maildrop and Dovecot: a line with the limits ("2000000S,1000C"), then
 * lines "BYTES MESSAGES" that add up.  Who adds or removes mail appends a
 * line.  A file that is missing, damaged, of other limits or over 5 KiB is
 * made anew by counting all files of all folders; so is one that says
 * there is no room, unless it was made just now.
 *
 * What counts is the size of files, or what S= in their names says; the
 * mail of all folders counts, and what is marked as deleted too.
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "base/limits.h"
#include "base/span.h"

struct folder;

struct quota {
	char root[LIMIT_PATH];
	uint64_t max_bytes, max_messages; /* 0: no limit */
	bool told; /* these are known; else the file's own line holds */
};

struct quota_use {
	uint64_t bytes, messages;
	uint64_t max_bytes, max_messages; /* 0: no limit */
};

/* Limits of 0 and 0: none but those of a file that is there. */
void quota_init(struct quota *, const char *root, uint64_t max_bytes,
    uint64_t max_messages);

/*
 * What is used; all 0 where nothing is limited, and nothing is counted
 * then.  0, or -1 and errno.
 */
MUST int quota_get(struct quota *, struct quota_use *);

/* The same, counted now, whatever the file says; and nothing is written. */
MUST int quota_peek(const struct quota *, struct quota_use *);

/* Whether so much may be added to that. */
bool quota_fits(const struct quota_use *, uint64_t bytes, uint64_t messages);

/*
 * Whether so much may be added.  True also where it can't be told: mail is
 * not refused because a file can't be read.
 */
bool quota_room(struct quota *, uint64_t bytes, uint64_t messages);

/*
 * So much was added to (or, negative, removed from) the folder at this
 * path: of the root or a Maildir++ folder in it.  Does nothing where no
 * quota is kept.  Never fails, and keeps errno: the next count mends it.
 */
void quota_add(const char *folder, int64_t bytes, int64_t messages);

/*
 * What such a file says, and how many lines add up to it.  False when it is
 * damaged, or not whole; then the limits are those of its first line.
 */
MUST bool quota_parse(struct span text, struct quota_use *, size_t *lines);

/* What a file counts: S= of its name, else its size below the descriptor
 * (the name with "cur/" or "new/"). */
uint64_t quota_size(int fd, const char *name);

/* What is in the folder at this path: for its removal. */
MUST int quota_count(const char *folder, uint64_t *bytes, uint64_t *messages);

/* What these messages count; those that have gone count nothing. */
uint64_t quota_messages(struct folder *, const size_t *idx, size_t n);

#endif
