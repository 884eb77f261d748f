/*
 * header - the fields of a message, as it streams by
 *
 * A header is fed the start of a message (lines ended by LF) in pieces of
 * any size and gives one field at a time, whole, with its folding.  The
 * caller's buffer bounds a field: of a longer one the front is given, with
 * `cut` set, and the rest is passed over.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/buf.h"

enum header_event {
	HEADER_MORE,  /* all input used: feed more, or header_eof */
	HEADER_FIELD, /* name and body are set */
	HEADER_END    /* *in is at the body, behind the blank line */
};

struct header {
	struct buf line; /* its max bounds a field; set before use */
	bool cut;        /* the field was longer */
	bool done;
	bool bol;
	uint64_t bytes;   /* of the header so far, blank line included */
	struct span raw;  /* HEADER_FIELD: the field with its folding and
			     last LF; valid until the next call, as long
			     as the input of this one */
	struct span name; /* "" for a line that is no field */
	struct span body; /* behind the colon, folded, without last LF */
};

/* All zero with line.max set is a fresh one; header_free when done. */
void header_init(struct header *, size_t max_field);
void header_free(struct header *);

/* The next message, with the memory of the one before. */
void header_again(struct header *, size_t max_field);

enum header_event header_next(struct header *, struct span *in);

/* The message ended within the header: HEADER_FIELD or HEADER_END. */
enum header_event header_eof(struct header *);

/* Append the body unfolded: LF dropped, leading blanks trimmed. */
bool header_unfold(struct buf *, struct span body);

/* Drop blanks, line ends and comments from the front: CFWS. */
void header_skip_cfws(struct span *);

/* The same, and then this character: false when another one is next. */
bool header_take(struct span *, char c);

/* RFC 5322 date-time, obsolete forms too; false when it is none. */
MUST bool header_date(struct span, int64_t *t, int *zone_minutes);

/* "Sun, 22 Nov 2026 22:44:31 +0000" */
enum { HEADER_DATE_SIZE = 40 };
char *header_put_date(int64_t t, char dst[HEADER_DATE_SIZE]);

#endif
