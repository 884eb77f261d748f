/*
 * mime - the parts of a message, as it streams by
 *
 * A mime is fed a stored message in pieces of any size and makes a tree of
 * its parts in the arena: where in the file each begins and ends, and what
 * its size is once every line ends in CRLF.  Nothing is decoded and no
 * text is kept but that of the MIME fields and of the envelopes.
 *
 * Time is linear and memory bounded whatever the message: past
 * LIMIT_MIME_DEPTH, LIMIT_MIME_PARTS or what the arena holds, the rest
 * belongs to the part that it stands in.  A missing final boundary, one
 * that is a prefix of another and blanks behind one are fine (RFC 2046,
 * section 5.1.1); the innermost multipart wins.
 *
 * Who wants more of the message than its parts can set `hooks` after
 * mime_init: they are told of the fields of its header and of the text of
 * its leaves while they pass.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/limits.h"
#include "mail/header.h"
#include "mail/imapenv.h"
#include "mail/mimefield.h"

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* child: its parts */
	MIME_MESSAGE    /* child: the message in it */
};

/* A place: in the file, and on the wire. */
struct mime_at {
	uint64_t file, wire, lines;
};

struct mime_part {
	struct mime_part *parent, *child, *next;
	enum mime_kind kind;
	struct mime_at head, body, end; /* body begins behind the blank line */
	struct mime_fields *fields;     /* NULL: no MIME field */
	struct imapenv *envelope;       /* of messages; else NULL */
};

enum { MIME_BOUNDARY = 998 };

struct mime_level {
	struct span boundary;
	struct mime_part *part, **tail; /* where the next child goes */
};

struct mime_hooks {
	void *ctx;
	void (*field)(void *ctx, const struct header *); /* of the root */
	/* Text of the body of a leaf, undecoded; false: no more of it. */
	bool (*text)(void *ctx, const struct mime_part *, struct span);
};

struct mime {
	struct arena *arena;
	struct mime_part *root;
	const struct mime_hooks *hooks; /* or NULL */
	bool head_only; /* stop reading behind the header of the root */
	bool telling;   /* the text of this part is wanted */

	struct mime_part *part; /* the one that text belongs to */
	bool in_header;
	struct header header;
	struct mime_at at;
	char last;      /* the last byte */
	unsigned eol;   /* bytes of the last line end */
	unsigned depth; /* of part */
	unsigned nparts;
	size_t nlevels;
	struct mime_level level[LIMIT_MIME_DEPTH];
	size_t nline;
	char line[MIME_BOUNDARY + 8];
};

/* The tree lives in the arena; mime_end must follow. */
void mime_init(struct mime *, struct arena *);
void mime_feed(struct mime *, struct span);

/* The header of the message is complete. */
bool mime_has_head(const struct mime *);

/* The message is complete: its tree, never NULL. */
struct mime_part *mime_end(struct mime *);

/* Content-Type is TYPE or TYPE/SUBTYPE; a part without one is text/plain. */
bool mime_is(const struct mime_part *, const char *type, const char *subtype);

/*
 * The part that an IMAP part number names ("1.2"), or NULL; an empty one
 * names the root.  *inner is the message that HEADER and TEXT apply to:
 * the root, or the one in a message/rfc822; else NULL.
 */
struct mime_part *mime_find(
    struct mime_part *root, struct span number, struct mime_part **inner);

/* The part behind p in the order of the file; NULL behind the last. */
const struct mime_part *mime_following(const struct mime_part *p);

#endif
