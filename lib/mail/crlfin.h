/*
 * crlfin - lines ended by CRLF in, lines ended by LF out
 *
 * What dotin does for DATA, without the dots: for a message whose length
 * is told (BDAT).  Pieces point into the caller's input or at a constant.
 * Only CRLF ends a line; a bare CR or LF is an error, because a server
 * that this message is passed on to may take it for a line end (SMTP
 * smuggling).
 */
#ifndef MAIL_CRLFIN_H
#define MAIL_CRLFIN_H

#include "base/span.h"

enum crlfin_result {
	CRLFIN_MORE,  /* all input used: feed more, or look at cr */
	CRLFIN_PIECE, /* *piece is message text, n > 0: call again */
	CRLFIN_BARE   /* bare CR or LF; final */
};

/* All zero is a fresh one. */
struct crlfin {
	bool cr;      /* the last octet was a CR: at the end, a bare one */
	bool in_line; /* the last piece did not end a line */
};

enum crlfin_result crlfin_next(
    struct crlfin *, struct span *in, struct span *piece);

#endif
