/*
 * casemap - text as i;unicode-casemap compares it (RFC 5051)
 *
 * Each character becomes its titlecase form, decomposed: "straße" and
 * "STRAßE", "é" and "E" with an accent behind it, are the same bytes then.
 * Bytes that are no UTF-8 stay as they are.  Text may come in pieces cut
 * anywhere.
 */
#ifndef MAIL_CASEMAP_H
#define MAIL_CASEMAP_H

#include "base/buf.h"

enum { CASEMAP_ROOM = 64 }; /* one character can grow to that */

/* All zero is a fresh one. */
struct casemap {
	char part[4]; /* the beginning of a character */
	unsigned n;
};

/*
 * Map bytes from the front of *in into to[], as many as fit in room; the
 * number of bytes that were written.  With room >= CASEMAP_ROOM and input,
 * something is taken or written: call it until nothing is left.
 */
size_t casemap_feed(struct casemap *, struct span *in, char *to, size_t room);

/* The text ends: what is held goes to to[4]. */
size_t casemap_end(struct casemap *, char *to);

/* Append a whole text; false past the bound of the buffer. */
bool casemap_buf(struct buf *, struct span);

#endif
