/*
 * wire - a stored message to the wire: LF to CRLF, and dots doubled
 *
 * Between our programs and on disk lines end in LF; CRLF exists only on
 * the wire.  A wire is fed a message in pieces of any size and gives
 * pieces to be written, which point into the input or at constants.
 *
 * A CR in front of a LF in a stored message (put there by other tools) is
 * part of the line end: it is not doubled.
 */
#ifndef MAIL_WIRE_H
#define MAIL_WIRE_H

#include "base/span.h"

/* All zero is a fresh one that does not stuff dots. */
struct wire {
	bool stuff;      /* double a leading dot (SMTP, POP3) */
	bool after_line; /* not at the start of a line */
	bool after_cr;
	uint64_t size; /* octets given out without stuffing: the CRLF size */
};

/*
 * The next piece of *in as it goes to the wire: true with *piece (n > 0),
 * false when *in is used up.
 */
bool wire_next(struct wire *, struct span *in, struct span *piece);

/*
 * The same of whole lines, written to `to`: how many bytes are there now.
 * 0 in the midst of a line, before one that has no end or no room, and
 * at the end of *in.
 */
size_t wire_lines(struct wire *, struct span *in, char *to, size_t room);

/*
 * What is missing after the last piece: CRLF when the last line has no
 * end and `close_line` asks for one (SMTP, POP3), else nothing.
 */
struct span wire_end(struct wire *, bool close_line);

/* Count only: the CRLF size of a piece, by the same rules. */
void wire_count(struct wire *, struct span);

#endif
