/*
 * transfer - messages on their way from one folder into another
 *
 * What COPY (copy.c) and MOVE (move.c) share.  Each message gets a new name
 * in cur/ of the target, with the id that it had (RFC 8474), and what was
 * known of it is known there.
 */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "store/view.h"

struct transfer_item {
	size_t name;       /* in names: as it shall stand below the target */
	uint64_t keywords; /* of the target */
	bool staged;       /* its bytes are in tmp/ */
	bool placed;
};

struct transfer {
	struct folder *from;
	struct index *to; /* &from->ix when it is the same folder */
	struct index other;
	struct cache facts; /* of other */
	const size_t *idx;
	size_t n;
	struct transfer_item *item;
	struct buf names; /* each with a NUL behind it */
	bool foreign;     /* another owner or file system: bytes are copied */
};

/* 0, or -1 and errno. */
MUST int transfer_open(struct transfer *, struct folder *from,
    const size_t *idx, size_t n, const char *to_path);
void transfer_close(struct transfer *);

/* The name of item k: "cur/..." */
const char *transfer_name(const struct transfer *, size_t k);

/*
 * Under the lock of the target: names and keywords there, for all.
 * ENOENT when one of them has gone.
 */
MUST int transfer_prepare(struct transfer *);

/* The records for all: they will be from->idx[k] with UID uids[k]. */
MUST int transfer_put_new(struct transfer *, uint32_t *uids);

/*
 * Still under the lock, when all is done: the facts of all go along, those
 * that are there.  Without them only time is lost.
 */
void transfer_put_facts(struct transfer *, const uint32_t *uids);

/* Tell the quotas. */
void transfer_count(const struct transfer *, bool removed);

/* move.c: 1 when it can't be done by renaming: nothing was done. */
MUST int transfer_move(
    struct transfer *, uint32_t *uidvalidity, uint32_t *uids);

#endif
