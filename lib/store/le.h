/*
 * le - numbers in the index files: little-endian, on every machine
 */
#ifndef STORE_LE_H
#define STORE_LE_H

#include "base/buf.h"

/* Four bytes, and eight, which compilers make one load of. */
static inline uint64_t
le_half(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24;
}

static inline uint64_t
le_word(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
	    (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t
le_get(const char *p, unsigned n)
{
	uint64_t v = 0;

	if (n == 4)
		return le_half(p);
	if (n == 8)
		return le_word(p);
	while (n-- > 0)
		v = v << 8 | (unsigned char)p[n];
	return v;
}

static inline void
le_set(char *p, unsigned n, uint64_t v)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[i] = (char)(v & 0xff);
}

/* Append n bytes of v. */
static inline void
le_put(struct buf *b, unsigned n, uint64_t v)
{
	char t[8];

	le_set(t, n, v);
	buf_put(b, (struct span){ t, n });
}

/* Take n bytes off the front; 0 when there are fewer. */
static inline uint64_t
le_take(struct span *s, unsigned n)
{
	if (s->n < n) {
		*s = SPAN("");
		return 0;
	}
	return le_get(span_take(s, n).p, n);
}

#endif
