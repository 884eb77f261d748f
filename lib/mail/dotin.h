/*
 * dotin - undo SMTP dot-stuffing
 *
 * After DATA a client sends the message with every leading dot doubled,
 * and then a line holding one dot (RFC 5321, section 4.5.2).  A dotin is
 * fed those bytes in pieces of any size and gives back the message with
 * its lines ended by LF, also in pieces.  It does no I/O and allocates
 * nothing: a piece points into the caller's input, or at a constant.
 *
 * Only CRLF ends a line.  Mail servers that disagree on a bare CR or LF
 * read one message as two (SMTP smuggling), so both are errors here.
 */
#ifndef MAIL_DOTIN_H
#define MAIL_DOTIN_H

#include "base/span.h"

enum dotin_result {
	DOTIN_MORE,  /* all input used: feed more */
	DOTIN_PIECE, /* *piece is message text: call again */
	DOTIN_END,   /* final dot seen: what is left in *in is a command */
	DOTIN_BARE   /* bare CR or LF: refuse the message, close */
};

enum dotin_state {
	DOTIN_AT_BOL,
	DOTIN_IN_LINE,
	DOTIN_AFTER_CR,
	DOTIN_AFTER_DOT,
	DOTIN_AFTER_DOT_CR
};

/* All zero is a fresh one. */
struct dotin {
	enum dotin_state state;
};

/*
 * Take bytes off the front of *in until there is something to report.
 * On DOTIN_PIECE, piece->n > 0 and piece stays valid as long as the
 * memory behind *in; a LF can only be its first byte.  DOTIN_END and
 * DOTIN_BARE are final.
 */
enum dotin_result dotin_next(
    struct dotin *, struct span *in, struct span *piece);

#endif
