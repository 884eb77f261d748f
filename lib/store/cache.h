/*
 * cache - the file of facts: texts about messages, costly to compute
 *
 * `pneu.cache` in the folder: records of a length, a check sum, a UID, a
 * kind and a text, appended and never changed.  Where a record stands is
 * kept in the index, so that one is found without a look at the others.
 * Anything may be lost or damaged: a record is checked when it is read,
 * and one that is not what was asked for is not there.
 *
 * Puts are gathered and appended together, those of a kind one behind
 * another, under the folder's lock, which the caller takes.  The file is
 * never cut by us, but replaced by another.  It is mapped; on a network
 * file system, where somebody's change is not seen in time, it is read.
 * Whoever cuts it short loses what was in it, and no session.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "base/buf.h"
#include "base/limits.h"

enum {
	CACHE_TEXT_MAX = LIMIT_DIGEST_KEPT,
	CACHE_PENDING_MAX = 131072,
	CACHE_TEXTS = 4,
	CACHE_UNIT = 8 /* records begin at multiples of it */
};

/* Where a record is, in units; 0: nowhere. */
struct cache_ref {
	uint32_t uid, kind, at;
};

struct cache {
	int fd; /* -1: not open */
	uint64_t ino;
	bool tried; /* it could not be opened */
	const char *map;
	size_t size;     /* what is mapped */
	unsigned unmaps; /* how often a mapping went: texts in it did, too */
	unsigned faults; /* fault_count when it was mapped */
	bool unmapped;   /* it can't or should not be: read it */
	struct buf text[CACHE_TEXTS]; /* read, by kind */
	uint64_t text_at[CACHE_TEXTS];
	struct buf pending[CACHE_TEXTS]; /* by kind */
	bool grown;            /* by so much that cache_is_old is worth it */
	struct cache_ref *ref; /* of pending, in order */
	size_t n, cap;
};

/* All zero but fd -1 is a fresh one. */
void cache_close(struct cache *);

/*
 * True with the text, valid until the next call for the same kind and
 * until the next put.  at 0 finds what was put and not flushed yet.
 */
bool cache_get(struct cache *, int dirfd, uint32_t uidvalidity,
    struct cache_ref, struct span *text);

/*
 * The record at this place, if any, will be wanted soon: have memory fetch
 * its front meanwhile.
 */
void cache_expect(const struct cache *, uint32_t at);

/*
 * A text of CACHE_TEXT_MAX at most, else it is forgotten.  True when there
 * is enough to be written with cache_flush.
 */
bool cache_put(struct cache *, uint32_t uid, uint32_t kind, struct span text);

/*
 * Under the folder's lock: append what was put.  Then ref[0] to ref[n - 1]
 * say where, until cache_clear.  Errors leave n 0: all is forgotten.
 */
void cache_flush(struct cache *, int dirfd, uint32_t uidvalidity);
void cache_clear(struct cache *);

/*
 * Whether more than half of the file, as a sample shows, is about none of
 * these records, so that cache_trim is due.
 */
bool cache_is_old(struct cache *, const struct cache_ref *, size_t n);

/*
 * Under the folder's lock: replace the file by one of these records alone,
 * whose places change.  False, with all as it was, when that can't be.
 */
MUST bool cache_trim(struct cache *, int dirfd, uint32_t uidvalidity,
    struct cache_ref *, size_t n);

#endif
