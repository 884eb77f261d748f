/* trigrams: a signature never denies what is in the text. */
#include "mail/trigrams.h"
#include "test.h"

static struct trigrams t;
static char out[TRIGRAMS_SIZE], text[400000];

static uint32_t
dice(uint32_t n)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % n;
}

static struct span
sign(size_t n, size_t step)
{
	struct span all = { text, n };

	trigrams_clear(&t);
	while (all.n > 0)
		trigrams_feed(&t, span_take(&all, all.n < step ? all.n : step));
	return trigrams_end(&t, out);
}

/* A text of n bytes, of so many letters; how many needles are denied. */
static void
test_text(size_t n, uint32_t letters, size_t most)
{
	struct span sig;
	size_t wrong = 0, denied = 0;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('A' + dice(letters));
	sig = sign(n, 1 + dice(5000));
	check(sig.n <= most);
	for (int k = 0; k < 2000; k++) {
		char needle[12];
		size_t len = 1 + dice(12);
		size_t at;

		if (len > n)
			continue;
		at = dice((uint32_t)(n - len + 1));
		if (!trigrams_may(sig, (struct span){ text + at, len }))
			wrong++;
		for (size_t i = 0; i < sizeof(needle); i++)
			needle[i] = (char)('A' + dice(letters));
		if (!trigrams_may(sig, (struct span){ needle, sizeof(needle) }))
			denied++;
	}
	check(wrong == 0);
	check(sig.n == 1 || letters < 26 || denied > 1900);
}

static void
test_pieces(void)
{
	char one[TRIGRAMS_SIZE];
	struct span sig;

	for (size_t i = 0; i < 5000; i++)
		text[i] = (char)dice(256);
	sig = sign(5000, 5000);
	memcpy(one, sig.p, sig.n);
	for (size_t step = 1; step < 9; step++)
		check(span_eq(sign(5000, step), (struct span){ one, sig.n }));
}

int
main(void)
{
	struct span sig;

	test_text(20, 26, 17);
	test_text(500, 26, 513);
	test_text(5000, 26, 4097);
	test_text(60000, 60, TRIGRAMS_SIZE);
	test_text(60000, 4, 65);
	test_text(400000, 120, 1);
	test_pieces();

	/* nothing goes across a break */
	trigrams_clear(&t);
	trigrams_feed(&t, SPAN("ABC"));
	trigrams_break(&t);
	trigrams_feed(&t, SPAN("DEF"));
	sig = trigrams_end(&t, out);
	check(trigrams_may(sig, SPAN("ABC")) && trigrams_may(sig, SPAN("DEF")));
	check(!trigrams_may(sig, SPAN("ABCDEF")));
	check(trigrams_may(sig, SPAN("ZZ")));

	/* what is no signature denies nothing */
	check(trigrams_may(SPAN(""), SPAN("ABC")));
	check(trigrams_may(SPAN("\1"), SPAN("ABC")));
	check(trigrams_may(SPAN("\2\0\0\0\0\0\0\0\0"), SPAN("ABC")));
	check(trigrams_may(SPAN("\1\0\0\0\0\0\0\0\0\0"), SPAN("ABC")));
	check(!trigrams_may(SPAN("\1\0\0\0\0\0\0\0\0"), SPAN("ABC")));
	return done();
}
