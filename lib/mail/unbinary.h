/*
 * unbinary - a message of BINARYMIME as one that has lines
 *
 * Between our programs and on disk a message is lines ended by LF, in
 * which binary parts would not survive.  An unbinary is fed such a message
 * as it came (RFC 3030), in pieces of any size, and gives it with each
 * part that is `Content-Transfer-Encoding: binary` in base64 instead; what
 * decodes is the same to the octet.  Multiparts and messages, which can't
 * be encoded, become 8bit.  Everything else stays, its CRLF as LF.
 *
 * What is not text and not in a part that says binary is an error, as it
 * is for who sends it: a bare CR or LF, a NUL, a line of a header that is
 * no field, a multipart that is binary and has no boundary.
 *
 * Memory is bounded: of multiparts nested deeper than LIMIT_MIME_DEPTH, or
 * whose boundaries do not fit, the parts are not looked at.
 */
#ifndef MAIL_UNBINARY_H
#define MAIL_UNBINARY_H

#include "base/arena.h"
#include "base/limits.h"
#include "mail/mime.h"

enum unbinary_result {
	UNBINARY_MORE,  /* all input used: feed more; behind the end: done */
	UNBINARY_PIECE, /* *piece is text, valid until the next call */
	UNBINARY_BAD    /* not MIME as announced; final */
};

enum unbinary_mode {
	UNBINARY_HEADER,
	UNBINARY_TEXT,
	UNBINARY_BASE64 /* a part that is encoded */
};

/* What becomes of the field that is being read. */
enum unbinary_field {
	UNBINARY_PASS,
	UNBINARY_TYPE,    /* passes, and is kept */
	UNBINARY_ENCODING /* is held until it is known */
};

enum {
	UNBINARY_NAME = 80,
	UNBINARY_KEPT = 4096, /* of a Content-Type */
	UNBINARY_HELD = 1024, /* of a Content-Transfer-Encoding */
	UNBINARY_HOLD = MIME_BOUNDARY + 10,
	UNBINARY_ROOM = 8192, /* all boundaries */
	UNBINARY_OUT = 16384
};

struct unbinary_level {
	size_t at, n; /* its boundary in room */
	bool digest;
};

struct unbinary {
	struct arena *arena; /* used within a call */
	enum unbinary_mode mode;
	bool bad, given; /* out was, as a piece */

	/* the header of an entity */
	bool message, digest; /* one of its own; a part of a digest */
	enum unbinary_field field;
	bool fields, in_name, mime, binary, encoded;
	bool has_type, has_encoding;
	size_t nname, ntype, nheld;
	char name[UNBINARY_NAME], type[UNBINARY_KEPT], held[UNBINARY_HELD];

	/* lines */
	bool cr;     /* the last octet was one: a LF must follow */
	bool inside; /* a line has begun */
	size_t nhold;
	char hold[UNBINARY_HOLD]; /* what may be a boundary */
	size_t nlevels, nroom;
	struct unbinary_level level[LIMIT_MIME_DEPTH];
	char room[UNBINARY_ROOM];

	size_t nocts, column;
	char octs[3];
	size_t nout;
	char out[UNBINARY_OUT];
};

void unbinary_init(struct unbinary *, struct arena *);

enum unbinary_result unbinary_next(
    struct unbinary *, struct span *in, struct span *piece);

/* There is no more input: unbinary_next with none until it is done. */
void unbinary_end(struct unbinary *);

#endif
