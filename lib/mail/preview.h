/*
 * preview - the first words of a message (RFC 8970)
 *
 * Fed the first text part as it stands in the message, in pieces of any
 * size; undoes its transfer encoding, and gives UTF-8 of 200 characters at
 * most: blanks and line ends become one blank, lines that quote another
 * message are left out, and so is the markup of HTML.
 */
#ifndef MAIL_PREVIEW_H
#define MAIL_PREVIEW_H

#include "mail/cte.h"
#include "mail/encword.h"
#include "mail/mime.h"

enum { PREVIEW_ROOM = 2400, PREVIEW_TAG = 12 };

enum preview_state {
	PREVIEW_BOL,
	PREVIEW_TEXT,
	PREVIEW_QUOTED, /* a line that begins with ">" */
	PREVIEW_NAME,   /* of a tag */
	PREVIEW_ATTRIBUTES,
	PREVIEW_COMMENT,
	PREVIEW_SKIP /* up to the end of a style or script */
};

struct preview {
	bool html, wide; /* wide: a charset that does not hold ASCII */
	char charset[64];
	struct cte cte;
	enum preview_state state;
	char quote, last; /* in attributes */
	bool blank;       /* one is due */
	bool entities;    /* there is a "&" */
	size_t fed, chars;
	size_t ntag;
	char tag[PREVIEW_TAG], skip[PREVIEW_TAG];
	size_t n; /* text, or what is to be converted first */
	char text[PREVIEW_ROOM];
};

/* Whether the part, a leaf, has such a text; if so, begin with it. */
bool preview_begin(struct preview *, const struct mime_part *);

/* False: it has enough. */
bool preview_feed(struct preview *, struct span);

/*
 * Append the text.  charsets may be NULL: UTF-8 and Latin alone.  False
 * when it is in another one, and not all of it can be read.
 */
bool preview_end(
    struct preview *, const struct encword_charset *charsets, struct buf *);

#endif
