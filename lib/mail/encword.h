/*
 * encword - decode the encoded words of a header field (RFC 2047)
 *
 * Neighbours in one charset are joined before they are converted, so that
 * a character may be cut between them; the blanks between them go.  What
 * is no encoded word, or of a charset that the caller can't convert, stays
 * as it is.
 */
#ifndef MAIL_ENCWORD_H
#define MAIL_ENCWORD_H

#include "base/buf.h"

/*
 * Append text, given in a charset, as UTF-8.  False when the charset is
 * not known, with nothing appended.
 */
struct encword_charset {
	bool (*convert)(
	    void *ctx, struct span charset, struct span text, struct buf *);
	void *ctx;
};

/* Append the decoded field body (folded or not); false past the bound. */
bool encword_decode(struct buf *, struct span, const struct encword_charset *);

#endif
