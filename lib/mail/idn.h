/*
 * idn - domain names beyond ASCII (RFC 3492, RFC 5890 to 5892)
 *
 * A name is turned into the form that is looked up in DNS: each label
 * that is not ASCII becomes "xn--" and Punycode, ASCII ones lower case.
 * Letters are folded and composed first (mail/utf8.h, mail/nfc.h), and an
 * ideographic full stop parts labels like a dot.
 *
 * What can't be a label is refused: one that is empty or longer than 63,
 * a name longer than 253, hyphens at an end or in the third and fourth
 * place, a mark in front, controls, blanks and signs that can't be seen,
 * the contextual rules of RFC 5892 without those that need tables of
 * scripts, and an A-label that is not the Punycode of what it says.  What
 * else a letter may be is the registry's to decide and DNS's to know.
 */
#ifndef MAIL_IDN_H
#define MAIL_IDN_H

#include "base/buf.h"

/* Append the ASCII form of a domain.  False: it has none, or no room. */
bool idn_to_ascii(struct buf *, struct span domain);

/*
 * Append the form for people, in UTF-8.  A label that can't be decoded
 * stays as it is.  False when there is no room.
 */
bool idn_to_unicode(struct buf *, struct span domain);

/* The same domain, in whatever form either is. */
bool idn_same(struct span a, struct span b);

/*
 * Append an address whose domain is turned into ASCII; the local part
 * stays as it is.  False when it has no such form.
 */
bool idn_address(struct buf *, struct span address);

/* RFC 3492 alone: code points to Punycode and back, at most max of them;
 * the number, or -1. */
bool puny_encode(struct buf *, const uint32_t *, size_t n);
int puny_decode(struct span, uint32_t *, size_t max);

#endif
