/*
 * digest - what FETCH tells of a message, made while its bytes go by
 *
 * A digester is fed a stored message (lines ended by LF) in pieces of any
 * size and makes, in one pass, the texts that IMAP clients ask for: the
 * ENVELOPE, BODYSTRUCTURE and PREVIEW, and the header fields that their
 * lists of messages need.  It says the same as mail/imapenv and
 * mail/bodystructure do, which it uses.  BODY is not among them, since
 * bodystructure_brief makes it of the BODYSTRUCTURE.
 *
 * Memory is bounded whatever the message: by LIMIT_IMAP_ARENA for its
 * parts, LIMIT_DIGEST for a text.  An ENVELOPE that would be longer has
 * its fields cut, a structure becomes one opaque part.
 */
#ifndef MAIL_DIGEST_H
#define MAIL_DIGEST_H

#include "mail/encword.h"
#include "mail/mime.h"
#include "mail/preview.h"

enum { DIGEST_HEAD = 1, DIGEST_BODY = 2 };

struct digest {
	/* DIGEST_HEAD: "(...)", and the kept fields; p NULL: too long */
	struct span envelope, fields;
	/* DIGEST_BODY: "(...)", and UTF-8 */
	struct span structure, preview;
	bool eight;    /* 8-bit bytes are in the envelope or structure */
	bool foreign;  /* no charsets were given, and the preview wants one */
	uint64_t size; /* CRLF octets, with an end to the last line; or 0 */
};

struct digester {
	/* Set before digester_begin: how to decode a charset for PREVIEW. */
	const struct encword_charset *charsets;

	unsigned want;
	struct arena arena;
	struct arena_mark mark;
	struct mime mime;
	struct mime_hooks hooks;
	struct preview preview;
	const struct mime_part *text_part; /* of the preview; or NULL */
	bool cut;                          /* a field was too long to be kept */
	struct buf envelope, fields, structure, text;
};

/* All zero is a fresh one.  Begin a message; memory of the last is used. */
void digester_begin(struct digester *, unsigned want);

/* False when more would tell nothing new: the head alone is wanted. */
bool digester_feed(struct digester *, struct span);

/* The message is complete.  Valid until the next begin or free. */
void digester_end(struct digester *, struct digest *);
void digester_free(struct digester *);

/*
 * The fields that are kept have numbers, in any case of letters; -1 for
 * one that is not.  A block of fields has them in the order of the
 * header, each line ended by CRLF and without NUL.
 */
enum { DIGEST_FIELDS = 64 };
int digest_field_id(struct span name);
const char *digest_field_name(int id);
bool digest_field_next(struct span *fields, int *id, struct span *line);

/*
 * The texts of DIGEST_HEAD or of DIGEST_BODY as one, and back.  Fields
 * that do not fit into `max` are left out; false, with nothing appended,
 * when the rest does not.  get: false for what is none; it sets what its
 * kind has, and leaves the rest.
 */
bool digest_put(struct buf *, const struct digest *, unsigned kind, size_t max);
MUST bool digest_get(struct span, unsigned kind, struct digest *);

#endif
