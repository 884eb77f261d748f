/* pop3/ascii: what a header becomes for a client without UTF8. */
#include "pop3/ascii.h"
#include "test.h"

static const struct {
	const char *in, *out;
} cases[] = {
	{ "Subject: plain\n\nb\xc3\xb6"
	  "dy\n",
	    "Subject: plain\n\nb\xc3\xb6"
	    "dy\n" },
	{ "Subject: Gr\xc3\xbc\xc3\x9f"
	  "e\n\nx\n",
	    "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\n\nx\n" },
	{ "Subject: \xc3\xa4 \xc3\xb6 u\r\n\r\nx",
	    "Subject: =?UTF-8?B?w6Qgw7Y=?= u\r\n\r\nx" },
	{ "From: \"J\xc3\xb6rg, M\xc3\xbc\" <j@x>\n\n",
	    "From: =?UTF-8?B?SsO2cmcsIE3DvA==?= <j@x>\n\n" },
	{ "X: lat\xe9n\n\n", "X: =?unknown-8bit?B?bGF06W4=?=\n\n" },
	{ "X: a\n \xc3\xa4\n\n", "X: a\n =?UTF-8?B?w6Q=?=\n\n" },
	/* more than one encoded word holds, cut between characters */
	{ "X: a"
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
	  "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n\n",
	    "X: =?UTF-8?B?YcOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOkw6TDpMOk"
	    "w6Q=?=\n =?UTF-8?B?w6Q=?=\n\n" },
	{ "no end \xc3\xa4", "no end =?UTF-8?B?w6Q=?=" },
	{ "", "" },
};

static void
run(struct buf *out, struct span in, size_t step)
{
	struct pop3_ascii a;
	struct span piece;

	buf_clear(out);
	pop3_ascii_init(&a);
	while (in.n > 0) {
		struct span s = span_take(&in, step < in.n ? step : in.n);

		while (pop3_ascii_next(&a, &s, &piece))
			buf_put(out, piece);
	}
	buf_put(out, pop3_ascii_end(&a));
	pop3_ascii_free(&a);
}

/* A line longer than the bound is encoded in parts, and none is lost. */
static void
check_long(struct buf *out)
{
	struct buf in;
	size_t raw = 0;

	buf_init(&in, 100000);
	buf_puts(&in, "X: ");
	for (int i = 0; i < 10000; i++)
		buf_puts(&in, "\xc3\xa4");
	buf_puts(&in, "\n\nbody\n");
	for (size_t step = 1; step < 9000; step = step * 7 + 1) {
		run(out, buf_span(&in), step);
		raw = 0;
		for (size_t i = 0; i < out->n; i++)
			raw += (unsigned char)out->p[i] >= 0x80;
		check(raw == 0);
		check(
		    span_find(buf_span(out), SPAN("\n\nbody\n")) == out->n - 7);
	}
	buf_free(&in);
}

/* Nor of one that becomes many times as long: the line keeps its end. */
static void
check_growth(struct buf *out)
{
	struct buf in;
	size_t words = 0;

	buf_init(&in, 2 * POP3_ASCII_LINE);
	buf_puts(&in, "X: ");
	for (size_t i = 0; i < POP3_ASCII_LINE / 4 - 1; i++)
		buf_puts(&in, "\xe9 a ");
	buf_puts(&in, "\nY: next\n\n");
	run(out, buf_span(&in), in.n);
	for (size_t i = 0; i + 1 < out->n; i++)
		words += out->p[i] == '?' && out->p[i + 1] == 'u';
	check(words == POP3_ASCII_LINE / 4 - 1);
	check(span_find(buf_span(out), SPAN(" a \nY: next\n\n")) < out->n);
	buf_free(&in);
}

int
main(void)
{
	struct buf out;

	buf_init(&out, 1000000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step < 80; step++) {
			run(&out, span_of(cases[i].in), step);
			check(span_is(buf_span(&out), cases[i].out));
		}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(!pop3_ascii_plain(span_of(cases[i].in)) ||
		    strcmp(cases[i].in, cases[i].out) == 0);
	check(pop3_ascii_plain(span_of(cases[0].in)));
	check(pop3_ascii_plain(SPAN("X: long enough\r\n\r\n")));
	check(!pop3_ascii_plain(SPAN("X: no end of it\n")));
	check_long(&out);
	check_growth(&out);
	buf_free(&out);
	return done();
}
