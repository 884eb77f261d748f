/*
 * utf8 - UTF-8 as RFC 3629 has it, and letters without their case
 */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include "base/buf.h"

bool utf8_valid(struct span);

/* Take one code point off the front; false when it is not UTF-8. */
MUST bool utf8_take(struct span *, uint32_t *c);

/* Append a code point.  False: it is none (a surrogate, past 10FFFF), or
 * there is no room. */
bool utf8_put(struct buf *, uint32_t);

/*
 * Fold case, in place of bytes, as they stream by: ASCII, Latin, Greek and
 * Cyrillic letters whose two forms are as long as each other.  All zero is
 * a fresh one.  Gives the folded bytes of c, 0 to 2, into to.
 */
struct utf8_fold {
	unsigned char lead; /* of a letter of two bytes, 0 for none */
};
size_t utf8_fold(struct utf8_fold *, char c, char to[2]);

/* Fold n bytes in place. */
void utf8_fold_all(char *p, size_t n);

#endif
