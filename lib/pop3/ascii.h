/*
 * ascii - a header for a client that did not say UTF8
 *
 * RFC 6856, section 2.1: without the UTF8 command no 8-bit text may be
 * sent as it is, or the request fails.  A failed RETR stops whole clients,
 * so they get a surrogate: the words of a header that hold 8-bit bytes
 * become encoded words (RFC 2047), those that are no UTF-8 of the charset
 * unknown-8bit (RFC 1428).  Bodies stay as they are: what they hold is said
 * by MIME.
 *
 * Fed a stored message (LF lines) in pieces of any size, it gives pieces.
 */
#ifndef POP3_ASCII_H
#define POP3_ASCII_H

#include "base/buf.h"

enum { POP3_ASCII_LINE = 4096 };

struct pop3_ascii {
	bool in_body;
	struct buf line, words;
};

/* pop3_ascii_init makes a fresh one, to be freed. */
void pop3_ascii_init(struct pop3_ascii *);
void pop3_ascii_free(struct pop3_ascii *);

/* The header at the front of s ends in it, and is sent as it is. */
bool pop3_ascii_plain(struct span s);

/*
 * The next piece of *in as it is to be sent: true with *piece, valid until
 * the next call; false when *in is used up.
 */
bool pop3_ascii_next(struct pop3_ascii *, struct span *in, struct span *piece);

/* What was kept of a header without an end; may be empty. */
struct span pop3_ascii_end(struct pop3_ascii *);

#endif
