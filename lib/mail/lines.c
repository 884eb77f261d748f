#include "mail/lines.h"

enum { BLOCK = 16, COUNT_MAX = 255 };

typedef uint8_t block __attribute__((vector_size(BLOCK)));

static block
load(const char *p)
{
	block b;

	memcpy(&b, p, sizeof(b));
	return b;
}

/* 255 where it is c. */
static block
where(block b, char c)
{
	return (block)(b == (block){ 0 } + (uint8_t)c);
}

static bool
any(block b)
{
	uint64_t u[2];

	memcpy(u, &b, sizeof(u));
	return (u[0] | u[1]) != 0;
}

static uint64_t
sum(block b)
{
	uint64_t n = 0;

	for (int i = 0; i < BLOCK; i++)
		n += b[i];
	return n;
}

size_t
lines_add(struct lines *l, struct span s, bool bounded)
{
	size_t left = s.n / BLOCK;
	const char *p = s.p;
	bool stop = false;

	while (left > 0 && !stop) {
		size_t most = left < COUNT_MAX ? left : COUNT_MAX;
		block n = { 0 }, crlf = { 0 };

		left -= most;
		for (; most > 0; most--, p += BLOCK) {
			block b = load(p), before = load(p - 1),
			      lf = where(b, '\n');

			stop =
			    bounded && any(where(before, '\n') & where(b, '-'));
			if (stop)
				break;
			n -= lf;
			crlf -= lf & where(before, '\r');
		}
		l->n += sum(n);
		l->crlf += sum(crlf);
	}
	return (size_t)(p - s.p);
}
