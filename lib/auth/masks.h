/*
 * masks - the file of capabilities and mechanisms that some do not see
 *
 * A line is a name and patterns that must all hold: "*", peer:ADDRESS or
 * peer:NETWORK, auth:ADDRESS or auth:@DOMAIN, and id:TEXT, in which "*" is
 * any text, for what the client says of itself (IMAP ID).  pneu-masks(5)
 * has the format.
 */
#ifndef AUTH_MASKS_H
#define AUTH_MASKS_H

#include "base/buf.h"

struct masks_who {
	const char *ip;    /* "" when there is none */
	struct span login; /* "" when it is not known */
	struct span id;    /* the same */
	/* The names that count, blank-separated; "" for all.  A line about
	 * one of them that could not hold is bad. */
	struct span names;
};

/*
 * Append what is hidden from somebody, blank-separated.  Where the file
 * does not mention a name, what is built in holds for it.
 */
void masks_read(const struct masks_who *, struct buf *hidden);

/* Whether a blank-separated list has a name, in any case. */
bool masks_has(struct span list, struct span name);

/* "*" in pattern is any text; in any case. */
bool masks_fits(struct span pattern, struct span text);

#endif
