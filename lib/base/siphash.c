#include "base/siphash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t
left(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = left(s->b, 13) ^ s->a;
		s->d = left(s->d, 16) ^ s->c;
		s->a = left(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = left(s->b, 17) ^ s->c;
		s->d = left(s->d, 21) ^ s->a;
		s->c = left(s->c, 32);
	}
}

static uint64_t
word(const char *p, size_t n)
{
	uint64_t w = 0;

	while (n-- > 0)
		w = w << 8 | (unsigned char)p[n];
	return w;
}

uint64_t
siphash(const unsigned char key[SIPHASH_KEY], struct span s)
{
	uint64_t k0 = word((const char *)key, 8);
	uint64_t k1 = word((const char *)key + 8, 8);
	uint64_t last = (uint64_t)s.n << 56;
	struct state v = { k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573) };

	while (s.n >= 8) {
		uint64_t w = word(span_take(&s, 8).p, 8);

		v.d ^= w;
		rounds(&v, 2);
		v.a ^= w;
	}
	last |= word(s.p, s.n);
	v.d ^= last;
	rounds(&v, 2);
	v.a ^= last;
	v.c ^= 0xff;
	rounds(&v, 4);
	return v.a ^ v.b ^ v.c ^ v.d;
}
