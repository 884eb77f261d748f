/* dotin: every case, at every cut of its input */
#include "mail/dotin.h"

#include "test.h"

static const struct {
	const char *in, *want;
	enum dotin_result end;
	const char *left; /* what DOTIN_END must not eat */
} cases[] = {
	/* clang-format off */
	{ ".\r\n",                "",           DOTIN_END,  "" },
	{ "a\r\n.\r\nQUIT\r\n",   "a\n",        DOTIN_END,  "QUIT\r\n" },
	{ "\r\n\r\n.\r\n",        "\n\n",       DOTIN_END,  "" },
	{ "..\r\n...\r\n.\r\n",   ".\n..\n",    DOTIN_END,  "" },
	{ "a.\r\n.b\r\n.\r\n",    "a.\nb\n",    DOTIN_END,  "" },
	{ "a\r\nb\r\n\r\n.\r\n.", "a\nb\n\n",   DOTIN_END,  "." },
	{ "a\n.\n",               "a",          DOTIN_BARE, NULL },
	{ "a\r\n.\nMAIL",         "a\n",        DOTIN_BARE, NULL },
	{ "a\r\n.\rx",            "a\n",        DOTIN_BARE, NULL },
	{ "a\n.\r\n",             "a",          DOTIN_BARE, NULL },
	{ "a\r.\r\n",             "a",          DOTIN_BARE, NULL },
	{ "a\r\r\n.\r\n",         "a",          DOTIN_BARE, NULL },
	{ "\n",                   "",           DOTIN_BARE, NULL },
	{ ".\n",                  "",           DOTIN_BARE, NULL },
	{ "a\r\nb\nc",            "a\nb",       DOTIN_BARE, NULL },
	{ "a\r\n.",               "a\n",        DOTIN_MORE, "" },
	{ "a\r",                  "a",          DOTIN_MORE, "" },
	{ "a\r\n\377\200b\r\n.\r\n", "a\n\377\200b\n", DOTIN_END, "" },
	/* clang-format on */
};

static void
run(size_t i, size_t step)
{
	char got[64];
	size_t n = 0;
	struct dotin d = { 0 };
	struct span all = span_of(cases[i].in), in = { all.p, 0 }, piece;
	enum dotin_result r;

	for (;;) {
		r = dotin_next(&d, &in, &piece);
		if (r == DOTIN_PIECE) {
			check(piece.n > 0 && n + piece.n <= sizeof(got));
			check(
			    span_chr((struct span){ piece.p + 1, piece.n - 1 },
				'\n') == piece.n - 1);
			memcpy(got + n, piece.p, piece.n);
			n += piece.n;
			continue;
		}
		if (r != DOTIN_MORE || all.n == 0)
			break;
		in = span_take(&all, all.n < step ? all.n : step);
	}
	check(r == cases[i].end);
	if (cases[i].want != NULL)
		check(span_is((struct span){ got, n }, cases[i].want));
	if (cases[i].left != NULL)
		check(in.n + all.n == strlen(cases[i].left));
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++)
			run(i, step);
	return done();
}
