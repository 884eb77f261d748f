/* casemap: i;unicode-casemap, however the text is cut. */
#include "mail/casemap.h"
#include "test.h"

static const struct {
	const char *in, *want;
} texts[] = {
	/* clang-format off */
	{ "", "" },
	{ "Hello, world {|}~`@[", "HELLO, WORLD {|}~`@[" },
	{ "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
	{ "stra\303\237e", "STRA\303\237E" },
	{ "\303\251", "E\314\201" },        /* e acute */
	{ "\303\211", "E\314\201" },
	{ "e\314\201", "E\314\201" },
	{ "\307\206", "Dz\314\214" },       /* dz caron: U+01C5, taken apart */
	{ "\307\204", "Dz\314\214" },
	{ "\317\203\317\202\316\243", "\316\243\316\243\316\243" }, /* sigmas */
	{ "\320\266\321\221", "\320\226\320\225\314\210" }, /* zhe, yo */
	{ "\325\241", "\324\261" },         /* Armenian ayb */
	{ "\357\254\201", "fi" },           /* a ligature has no titlecase */
	{ "\302\265", "\316\234" },         /* micro: capital mu */
	{ "\360\220\220\250", "\360\220\220\200" }, /* Deseret */
	{ "\352\260\201", "\341\204\200\341\205\241\341\206\250" }, /* Hangul */
	{ "\352\260\200", "\341\204\200\341\205\241" },
	{ "\357\274\241\357\275\201", "AA" }, /* full width */
	{ "\343\216\217", "kg" },
	{ "\360\257\240\200", "\344\270\275" }, /* U+2F800 */
	{ "\360\257\240\216", "\345\205\215" },
	{ "\360\257\241\206", "\345\226\204" },
	{ "\357\267\272", "\330\265\331\204\331\211 \330\247\331\204\331\204"
	    "\331\207 \330\271\331\204\331\212\331\207 \331\210\330\263\331"
	    "\204\331\205" },
	/* what is no UTF-8 stays */
	{ "a\377b\200\303c\360\237z\355\240\200\303", "A\377B\200\303C\360\237Z"
	    "\355\240\200\303" },
	{ "\360\237\230", "\360\237\230" },
	{ "\341\272", "\341\272" },
	/* clang-format on */
};

static void
test_pieces(const char *in, const char *want, size_t step)
{
	struct casemap m = { 0 };
	struct span all = span_of(in), piece;
	char to[CASEMAP_ROOM + 7];
	struct buf b = { .max = 1000 };
	size_t n;

	while (all.n > 0) {
		piece = span_take(&all, all.n < step ? all.n : step);
		while (piece.n > 0) {
			n = casemap_feed(&m, &piece, to, sizeof(to));
			buf_put(&b, (struct span){ to, n });
		}
	}
	n = casemap_end(&m, to);
	buf_put(&b, (struct span){ to, n });
	check(strcmp(buf_cstr(&b), want) == 0);
	if (strcmp(buf_cstr(&b), want) != 0)
		printf("# %s\n# %s\n# %s\n", in, buf_cstr(&b), want);
	buf_free(&b);
}

/* Every character becomes something, and at once. */
static void
test_all(void)
{
	for (uint32_t c = 0x80; c < 0x110000; c++) {
		char to[CASEMAP_ROOM];
		struct casemap m = { 0 };
		struct buf b = { .max = 8 };
		struct span in;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x800) {
			buf_putc(&b, (char)(0xc0 | c >> 6));
		} else if (c < 0x10000) {
			buf_putc(&b, (char)(0xe0 | c >> 12));
			buf_putc(&b, (char)(0x80 | (c >> 6 & 0x3f)));
		} else {
			buf_putc(&b, (char)(0xf0 | c >> 18));
			buf_putc(&b, (char)(0x80 | (c >> 12 & 0x3f)));
			buf_putc(&b, (char)(0x80 | (c >> 6 & 0x3f)));
		}
		buf_putc(&b, (char)(0x80 | (c & 0x3f)));
		in = buf_span(&b);
		if (casemap_feed(&m, &in, to, sizeof(to)) == 0 || in.n != 0)
			check(!"a character that is lost");
		buf_free(&b);
	}
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t step = 1; step < 40; step++)
			test_pieces(texts[i].in, texts[i].want, step);
	test_all();
	return done();
}
