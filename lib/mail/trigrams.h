/*
 * trigrams - which three bytes in a row occur in a text, as a bitmap
 *
 * A signature answers "can this needle be in that text?" with no or with
 * maybe; no is never wrong.  It is a Bloom filter of one hash: a power of
 * two of bytes with 4 to 8 bits for each different trigram, 32 KiB at
 * most.  A text with more of them has no signature: it may hold anything.
 * Texts and needles are to be mapped by casemap first.
 */
#ifndef MAIL_TRIGRAMS_H
#define MAIL_TRIGRAMS_H

#include "base/span.h"

enum {
	TRIGRAMS_MAX = 32768,
	TRIGRAMS_SIZE = TRIGRAMS_MAX + 1 /* of a signature, at most */
};

/* trigrams_clear makes a fresh one. */
struct trigrams {
	uint32_t last; /* the two bytes before */
	unsigned n;    /* how many of them there are */
	unsigned char bits[TRIGRAMS_MAX];
};

void trigrams_clear(struct trigrams *);

/* More of the text, in pieces of any size. */
void trigrams_feed(struct trigrams *, struct span);

/* What comes is another text of the same message: none goes across. */
void trigrams_break(struct trigrams *);

/* The signature of all that was fed; valid until the next clear. */
struct span trigrams_end(struct trigrams *, char out[TRIGRAMS_SIZE]);

/* False: the needle is not in the text.  A signature that is damaged, of
 * another format or empty says true. */
bool trigrams_may(struct span signature, struct span needle);

#endif
