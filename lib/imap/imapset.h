/*
 * imapset - sets of message numbers and UIDs (RFC 3501, section 9)
 *
 * A set is kept as ranges in rising order that neither touch nor overlap,
 * so that asking is O(log n) and walking is O(n), whatever the client
 * wrote.  "*" stands for the largest number in use, which the caller
 * gives; "900:*" holds it even when it is below 900.
 */
#ifndef IMAP_IMAPSET_H
#define IMAP_IMAPSET_H

#include "base/arena.h"
#include "base/buf.h"

struct imapset_range {
	uint32_t first, last;
};

struct imapset {
	struct imapset_range *range;
	size_t n;
};

/*
 * sequence-set without "$".  largest is what "*" stands for (0 when there
 * is nothing: then a set with "*" has no such number).  False when it is
 * no set, or the arena has no room.
 */
MUST bool imapset_parse(
    struct arena *, struct span, uint32_t largest, struct imapset *);

bool imapset_has(const struct imapset *, uint32_t);

/* The largest number in it, 0 for none. */
uint32_t imapset_max(const struct imapset *);

/*
 * Write a set: numbers in the order of adding, runs joined ("1:3,7").
 * All zero is a fresh one; end writes the last run.
 */
struct imapset_writer {
	uint32_t first, last;
	bool any;
};
void imapset_add(struct buf *, struct imapset_writer *, uint32_t);
void imapset_add_range(
    struct buf *, struct imapset_writer *, uint32_t first, uint32_t last);
void imapset_end(struct buf *, struct imapset_writer *);

#endif
