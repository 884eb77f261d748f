/* mail/wire and mail/dotin: to the wire and back, at every cut. */
#include "mail/wire.h"
#include "base/buf.h"
#include "mail/dotin.h"
#include "test.h"

static const struct {
	const char *in, *plain, *stuffed;
} cases[] = {
	/* clang-format off */
	{ "",             "",                 "" },
	{ "a\n",          "a\r\n",            "a\r\n" },
	{ "a",            "a\r\n",            "a\r\n" },
	{ ".\n",          ".\r\n",            "..\r\n" },
	{ "..a\n.b\n",    "..a\r\n.b\r\n",    "...a\r\n..b\r\n" },
	{ "a\r\nb\n\n",   "a\r\nb\r\n\r\n",   "a\r\nb\r\n\r\n" },
	{ "a\n.",         "a\r\n.\r\n",       "a\r\n..\r\n" },
	{ "a\rb\n",       "a\rb\r\n",         "a\rb\r\n" },
	/* clang-format on */
};

static void
run(const char *text, const char *want, bool stuff, size_t step)
{
	struct wire w = { .stuff = stuff }, counter = { 0 };
	struct span in = span_of(text);
	struct buf got = { .max = 100 };

	while (in.n > 0) {
		struct span cut = span_take(&in, in.n < step ? in.n : step);
		struct span piece;

		wire_count(&counter, cut);
		while (wire_next(&w, &cut, &piece)) {
			check(piece.n > 0);
			buf_put(&got, piece);
		}
	}
	buf_put(&got, wire_end(&w, true));
	wire_end(&counter, true);
	check(span_is(buf_span(&got), want));
	check(w.size == counter.size);
	check(stuff || w.size == strlen(want));
	buf_free(&got);
}

static const struct {
	const char *in, *want;
	enum dotin_result end;
	const char *left;
} dots[] = {
	/* clang-format off */
	{ ".\r\n",               "",         DOTIN_END,  "" },
	{ "a\r\n.\r\nQUIT\r\n",  "a\n",      DOTIN_END,  "QUIT\r\n" },
	{ "..\r\n...\r\n.\r\n",  ".\n..\n",  DOTIN_END,  "" },
	{ ".a\r\n.\r\n",         "a\n",      DOTIN_END,  "" },
	{ "a\n.\n",              "a",        DOTIN_BARE, NULL },
	{ "a\r\n.\nMAIL",        "a\n",      DOTIN_BARE, NULL },
	{ "a\r\n.\rx",           "a\n",      DOTIN_BARE, NULL },
	{ "a\r.\r\n",            "a",        DOTIN_BARE, NULL },
	{ "a\n.\r\n",            "a",        DOTIN_BARE, NULL },
	{ "a\r\n\n.\r\n",        "a\n",      DOTIN_BARE, NULL },
	{ "a\r\n.",              "a\n",      DOTIN_MORE, "" },
	/* clang-format on */
};

static void
undo(size_t i, size_t step)
{
	struct span all = span_of(dots[i].in), in = { all.p, 0 }, piece;
	struct dotin d = { 0 };
	struct buf got = { .max = 100 };
	enum dotin_result r = DOTIN_MORE;

	for (;;) {
		size_t left;

		r = dotin_next(&d, &in, &piece);
		left = all.n - (size_t)(in.p - all.p);
		if (r == DOTIN_PIECE)
			buf_put(&got, piece);
		else if (r != DOTIN_MORE || left == 0)
			break;
		else
			in.n = left < step ? left : step;
	}
	in.n = all.n - (size_t)(in.p - all.p);
	check(r == dots[i].end && span_is(buf_span(&got), dots[i].want));
	check(dots[i].left == NULL || span_is(in, dots[i].left));
	buf_free(&got);
}

/* Pieces, and whole lines where there is room for them. */
static void
by_lines(struct wire *w, struct span in, struct buf *to, size_t most)
{
	struct span piece;
	char lines[64];

	while (in.n > 0) {
		size_t n = wire_lines(w, &in, lines, most);

		check(n <= most);
		buf_put(to, (struct span){ lines, n });
		if (n == 0 && wire_next(w, &in, &piece))
			buf_put(to, piece);
	}
}

/* Long texts of what matters, counted as they are given out. */
static void
count(unsigned seed)
{
	struct wire w = { .stuff = true }, lines = w, counter = { 0 };
	struct buf all = { .max = 4000 }, same = all;
	char text[1000];
	struct span in = { text, sizeof(text) }, piece;

	for (size_t i = 0; i < sizeof(text); i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = "\r\n.aaaa\n"[seed >> 16 & 7];
	}
	while (in.n > 0) {
		struct span cut;

		seed = seed * 1103515245 + 12345;
		cut.n = (seed >> 16) % 300;
		cut = span_take(&in, cut.n < in.n ? cut.n : in.n);
		wire_count(&counter, cut);
		by_lines(&lines, cut, &same, seed % 64);
		while (wire_next(&w, &cut, &piece))
			buf_put(&all, piece);
		check(w.size == counter.size && w.size == lines.size);
		check(w.after_line == counter.after_line);
	}
	check(span_eq(buf_span(&all), buf_span(&same)));
	buf_free(&all);
	buf_free(&same);
}

int
main(void)
{
	for (unsigned seed = 1; seed <= 500; seed++)
		count(seed);
	for (size_t step = 1; step <= 16; step++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			run(cases[i].in, cases[i].plain, false, step);
			run(cases[i].in, cases[i].stuffed, true, step);
		}
		for (size_t i = 0; i < sizeof(dots) / sizeof(dots[0]); i++)
			undo(i, step);
	}
	return done();
}
