/*
 * mbox - the messages of an mbox file, as it streams by
 *
 * A message begins with a line "From SENDER DATE" at the start of the file
 * or behind an empty line; one without a date is text.  ">From " and
 * ">>From " lose one ">" (mboxrd; mboxo has only the first).  The empty
 * line in front of a "From " line belongs to neither message.  Of a file
 * whose lines end in CRLF the CR are dropped.
 *
 * Where a header has a Content-Length that leads to the next message, the
 * caller says so at MBOX_BODY, and "From " lines in it are text.
 */
#ifndef MAIL_MBOX_H
#define MAIL_MBOX_H

#include "base/span.h"

enum mbox_event {
	MBOX_MORE, /* all input used: feed more, or mbox_eof */
	MBOX_FROM, /* a message begins; `date` is set */
	MBOX_TEXT, /* *piece is text of it, n > 0 */
	MBOX_BODY, /* what follows is its body */
	MBOX_NONE  /* the file is no mbox */
};

enum { MBOX_LINE = 1000 };

/* All zero is a fresh one. */
struct mbox {
	uint64_t at;     /* bytes of the file that were used */
	uint64_t length; /* bytes of the body without "From " lines */
	int64_t date;    /* of the "From " line; 0: it has none */
	bool begun, in_header, in_line, crlf, cr, body;
	bool blank;  /* an empty line is held back */
	bool headed; /* the line before ended the header */
	size_t n;
	char line[MBOX_LINE + 8]; /* the start of a line */
	char out[MBOX_LINE + 16];
};

/*
 * Take bytes off the front of *in until there is something to report; a
 * piece is valid until the next call, or as long as *in.
 */
enum mbox_event mbox_next(struct mbox *, struct span *in, struct span *piece);

/* The file ended: MBOX_TEXT with what was held back, or MBOX_MORE. */
enum mbox_event mbox_eof(struct mbox *, struct span *piece);

/* At MBOX_BODY: so many bytes from here on are this message. */
void mbox_length(struct mbox *, uint64_t length);

/*
 * The date of "From SENDER Sat Jan  3 01:05:34 [ZONE] 1996 [ZONE]"; a
 * zone that is no number is taken for UTC.  False when it has none.
 */
MUST bool mbox_date(struct span line, int64_t *date);

#endif
