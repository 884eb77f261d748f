#include "mail/trigrams.h"

enum { FORMAT = 1, BITS = 18, LEAST = 8 };

/* A product's high bits; the low ones of them are what small maps use. */
static uint32_t
place(uint32_t three)
{
	return three * UINT32_C(0x9e3779b1) >> (32 - BITS);
}

void
trigrams_clear(struct trigrams *t)
{
	memset(t, 0, sizeof(*t));
}

void
trigrams_break(struct trigrams *t)
{
	t->n = 0;
}

void
trigrams_feed(struct trigrams *t, struct span s)
{
	uint32_t last = t->last;

	for (; s.n > 0 && t->n < 2; t->n++)
		last = last << 8 | (unsigned char)*span_take(&s, 1).p;
	for (size_t i = 0; i < s.n; i++) {
		uint32_t at;

		last = (last << 8 | (unsigned char)s.p[i]) & 0xffffff;
		at = place(last);
		t->bits[at / 8] |= (unsigned char)(1u << at % 8);
	}
	t->last = last & 0xffff;
}

static size_t
count(const unsigned char *bits)
{
	size_t n = 0;

	for (size_t i = 0; i < TRIGRAMS_MAX; i += 8) {
		uint64_t w;

		memcpy(&w, bits + i, 8);
		n += (size_t)__builtin_popcountll(w);
	}
	return n;
}

struct span
trigrams_end(struct trigrams *t, char out[TRIGRAMS_SIZE])
{
	size_t n = count(t->bits), size = TRIGRAMS_MAX;

	out[0] = FORMAT;
	if (n > TRIGRAMS_MAX * 2) /* more than a quarter of the bits */
		return (struct span){ out, 1 };
	while (size > LEAST && n * 4 <= size / 2 * 8) {
		size /= 2;
		for (size_t i = 0; i < size; i++)
			t->bits[i] |= t->bits[size + i];
	}
	memcpy(out + 1, t->bits, size);
	return (struct span){ out, size + 1 };
}

bool
trigrams_may(struct span sig, struct span needle)
{
	size_t size = sig.n - 1;
	const char *map = sig.p + 1;

	if (sig.n <= LEAST || sig.p[0] != FORMAT || (size & (size - 1)) != 0 ||
	    size > TRIGRAMS_MAX)
		return true;
	for (size_t i = 0; i + 3 <= needle.n; i++) {
		const unsigned char *p = (const unsigned char *)needle.p + i;
		uint32_t at =
		    place((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]) &
		    (uint32_t)(size * 8 - 1);

		if ((map[at / 8] >> at % 8 & 1) == 0)
			return false;
	}
	return true;
}
