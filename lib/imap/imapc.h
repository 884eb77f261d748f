/*
 * imapc - the client's side of IMAP: responses, one at a time
 *
 * Bytes in, responses out; what is asked is the caller's text.  A response
 * is given as a whole, with its literals in it, but for the text of a
 * message (BODY[], RFC822), which goes by in pieces of any size before the
 * response that it belongs to is whole.
 *
 * RFC 9051, section 9, and what servers make of it: an empty message may be
 * NIL, and a short one a quoted string.
 */
#ifndef IMAP_IMAPC_H
#define IMAP_IMAPC_H

#include "base/buf.h"
#include "base/limits.h"

enum imapc_event {
	IMAPC_MORE,     /* all input used: feed more */
	IMAPC_UNTAGGED, /* c->text behind "* " */
	IMAPC_TAGGED,   /* c->text, tag and all */
	IMAPC_CONTINUE, /* c->text behind "+ " */
	IMAPC_BODY,     /* *piece is text of a message, n > 0 */
	IMAPC_BAD       /* no IMAP, or over the limit; final */
};

struct imapc {
	struct buf line;
	struct span text;
	uint64_t literal; /* bytes of it to come */
	bool body;        /* it is the text of a message */
	bool whole;       /* what line holds was given out */
	bool bad;
};

void imapc_init(struct imapc *);
void imapc_free(struct imapc *);

/* Take bytes off the front of *in until there is something to report. */
enum imapc_event imapc_next(
    struct imapc *, struct span *in, struct span *piece);

enum imapc_token {
	IMAPC_END,
	IMAPC_ATOM, /* also a flag, a number, BODY[...], [CODE ...] */
	IMAPC_STRING,
	IMAPC_OPEN,
	IMAPC_CLOSE,
	IMAPC_WRONG
};

/*
 * Take the next token off *s.  *text is valid as long as s, or until the
 * next call with this scratch.
 */
enum imapc_token imapc_token(
    struct span *s, struct span *text, struct buf *scratch);

/* Flags are bits: seen, answered, flagged, deleted, draft from bit 0 on. */
struct imapc_fetch {
	uint32_t uid; /* 0: not told */
	uint16_t flags;
	bool has_body;
	int64_t date; /* 0: not told */
	uint64_t size;
	struct span body; /* of a quoted one, in `body` */
};

/*
 * "N FETCH (...)".  Appends the keywords to words, each followed by a blank.
 * False when it is no FETCH.
 */
MUST bool imapc_fetch(struct span text, struct imapc_fetch *, struct buf *words,
    struct buf *body, struct buf *scratch);

enum {
	IMAPC_NOSELECT = 1,
	IMAPC_SUBSCRIBED = 2,
	IMAPC_DRAFTS = 4,
	IMAPC_JUNK = 8,
	IMAPC_SENT = 16,
	IMAPC_TRASH = 32,
	IMAPC_ARCHIVE = 64,
	IMAPC_LSUB = 128 /* it was an LSUB */
};

/* "LIST (...) SEP NAME"; sep is NUL for NIL; the name goes into name. */
MUST bool imapc_list(struct span text, unsigned *attrs, char *sep,
    struct buf *name, struct buf *scratch);

/* The number of "OK [CODE NUMBER]"; false when it is not that. */
MUST bool imapc_code(struct span text, const char *code, uint32_t *n);

/* date-time: " 3-Jan-1998 01:05:34 +0100" */
MUST bool imapc_date(struct span, int64_t *t);

/* Append a quoted string; false when it needs a literal. */
bool imapc_put_quoted(struct buf *, struct span);

#endif
