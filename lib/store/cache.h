/*
 * cache - texts about messages that are costly to compute
 *
 * `pneu.cache` in the folder: records of a UID, a short name and a text,
 * appended and never changed.  Anything in it may be lost or damaged: a
 * record is checked when it is read.  Puts are gathered and appended in
 * one write under the folder's lock, which the caller takes.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "base/buf.h"

enum { CACHE_TEXT_MAX = 65536, CACHE_PENDING_MAX = 131072 };

struct cache_slot {
	uint32_t uid, kind; /* kind: a hash of the name */
	uint64_t at;
};

struct cache {
	int fd;                  /* -1: not open */
	bool tried;              /* it was opened, or could not be */
	uint64_t read;           /* bytes of the file that are in slots */
	struct cache_slot *slot; /* by uid and kind */
	size_t n, cap, sorted;
	struct buf text, pending;
};

/* All zero but fd -1 is a fresh one. */
void cache_close(struct cache *);

/* True with the text, valid until the next call. */
bool cache_get(struct cache *, int dirfd, uint32_t uidvalidity, uint32_t uid,
    const char *what, struct span *text);

/* True when there is enough to be written with cache_flush. */
bool cache_put(
    struct cache *, uint32_t uid, const char *what, struct span text);

/* Under the folder's lock.  Errors are forgotten with what was put. */
void cache_flush(struct cache *, int dirfd, uint32_t uidvalidity);

/*
 * Under the folder's lock: when most of a large file is about messages
 * that are gone, write another without them.
 */
void cache_trim(struct cache *, int dirfd, uint32_t uidvalidity,
    bool (*alive)(const void *ctx, uint32_t uid), const void *ctx);

#endif
