/* lines: blocks of bytes say what a look at each byte does. */
#include "mail/lines.h"

#include "test.h"

static bool
is_start(struct span s, size_t i)
{
	return s.p[i] == '-' && s.p[(ptrdiff_t)i - 1] == '\n';
}

/* The front that was counted is right, and as long as it can be. */
static void
test_one(struct span s, bool bounded)
{
	struct lines l = { 7, 3 }, want = l;
	size_t n = lines_add(&l, s, bounded), starts = 0;

	check(n <= s.n && n % 16 == 0);
	for (size_t i = 0; i < n; i++) {
		want.n += s.p[i] == '\n';
		want.crlf += s.p[i] == '\n' && s.p[(ptrdiff_t)i - 1] == '\r';
		starts += is_start(s, i);
	}
	check(l.n == want.n && l.crlf == want.crlf);
	check(!bounded || starts == 0);
	if (s.n - n >= 16) {
		for (size_t i = n; i < n + 16; i++)
			starts += is_start(s, i);
		check(bounded && starts > 0);
	}
}

int
main(void)
{
	static const char letters[] = "a\n\r-\n\201\212x";
	static char text[8193];
	uint32_t seed = 1;

	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = letters[(seed >> 16) %
			    (round % 8 == 7 ? 3 : sizeof(letters) - 1)];
		}
		for (size_t n = 0; n < sizeof(text); n += n < 70 ? 1 : 1001) {
			test_one((struct span){ text + 1, n }, true);
			test_one((struct span){ text + 1, n }, false);
		}
	}
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '\r' : '\n';
	test_one((struct span){ text + 1, 8192 }, true);
	memset(text, '\n', sizeof(text));
	test_one((struct span){ text + 1, 8192 }, true);
	return done();
}
