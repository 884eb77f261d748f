/* mbox: messages, quoting, dates, lengths; cut at every place. */
#include "mail/mbox.h"

#include <string.h>

#include "base/buf.h"
#include "test.h"

#define F "From a@b Sat Jan  3 01:05:34 1998\n"

/* Text: "[" a message begins, "|" its body begins. */
static const struct {
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ F "S: x\n\nbody\n", "[S: x\n\n|body\n" },
	{ F "S: x\n\nbody\n\n" F "S: y\n\n\nz\n\n", "[S: x\n\n|body\n[S: y\n\n|\nz\n" },
	/* quoted, by one and more; not at the start of a line; not quite */
	{ F "\n>From x\n>>From y\n >From z\n>Fromm\n>>\n>",
	    "[\n|From x\n>From y\n >From z\n>Fromm\n>>\n>" },
	/* no empty line in front, no date: text */
	{ F "\na\n" F "b\n\nFrom here on\nc\n", "[\n|a\n" F "b\n\nFrom here on\nc\n" },
	/* empty lines are kept but the last */
	{ F "\na\n\n\n\n" F "\n", "[\n|a\n\n\n[\n|" },
	{ F "a: b\n", "[a: b\n" },
	/* CRLF */
	{ "From a Sat Jan  3 01:05:34 1998\r\nS: x\r\n\r\nb\rc\r\n\r\n>From d\r\n"
	  "\r\nFrom a Sat Jan  3 01:05:34 1998\r\n\r\nz",
	    "[S: x\n\n|b\rc\n\nFrom d\n[\n|z" },
	/* in the header it is no message */
	{ F "A: b\n" F "\nx\n", "[A: b\n" F "\n|x\n" },
	{ "Subject: x\n\n", "!" },
	{ "", "" },
	{ "Fro", "!" },
	/* clang-format on */
};

static void
tell(struct buf *b, enum mbox_event e, struct span piece)
{
	if (e == MBOX_FROM)
		buf_putc(b, '[');
	else if (e == MBOX_BODY)
		buf_putc(b, '|');
	else if (e == MBOX_NONE)
		buf_putc(b, '!');
	else if (e == MBOX_TEXT)
		buf_put(b, piece);
}

static void
run(struct span in, struct span want, size_t step, uint64_t length)
{
	struct mbox m = { 0 };
	enum mbox_event e = MBOX_MORE;
	struct span s, piece = { 0 };
	struct buf b;

	buf_init(&b, 4096);
	while (in.n > 0 && e != MBOX_NONE) {
		s = span_take(&in, step < in.n ? step : in.n);
		while ((e = mbox_next(&m, &s, &piece)) != MBOX_MORE &&
		    e != MBOX_NONE) {
			tell(&b, e, piece);
			if (e == MBOX_BODY && length > 0)
				mbox_length(&m, length);
		}
	}
	if (e != MBOX_NONE)
		e = mbox_eof(&m, &piece);
	tell(&b, e, piece);
	check(span_eq(buf_span(&b), want));
	if (!span_eq(buf_span(&b), want))
		printf("# %zu: %.*s\n", step, (int)b.n, b.p);
	buf_free(&b);
}

static void
dates(void)
{
	int64_t t = 0;

	check(mbox_date(SPAN("From a@b Sat Jan  3 01:05:34 1998"), &t) &&
	    t == 883789534);
	check(mbox_date(SPAN("From a b c Sat Jan 3 01:05 +0100 1998"), &t) &&
	    t == 883789500 - 3600);
	check(mbox_date(SPAN("From a Sat Jan 3 01:05:34 1998 -0130"), &t) &&
	    t == 883789534 + 5400);
	check(
	    mbox_date(SPAN("From a Sat Jan 3 01:05:34 MET 1998 remote"), &t) &&
	    t == 883789534);
	check(!mbox_date(SPAN("From a Sat Jan 32 01:05:34 1998"), &t));
	check(!mbox_date(SPAN("From a Sat Jan 3 25:05:34 1998"), &t));
	check(!mbox_date(SPAN("From a Sat Jan 3 01:05:34"), &t));
	check(!mbox_date(SPAN("From Sat"), &t));
	check(!mbox_date(SPAN("From "), &t));
}

int
main(void)
{
	static const char with[] = F "\nab\n\n" F "c\n\n" F "\n";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 40; step++)
			run(span_of(cases[i].in), span_of(cases[i].want), step,
			    0);
	for (size_t step = 1; step <= 80; step++) {
		run(span_of(with), SPAN("[\n|ab\n[c\n\n|[\n|"), step, 0);
		run(span_of(with), SPAN("[\n|ab\n\n" F "c\n[\n|"), step, 39);
	}
	dates();
	return done();
}
