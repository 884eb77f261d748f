/* imapc: what servers say, cut at every place. */
#include "imap/imapc.h"

#include <string.h>

#include "test.h"

/* U untagged, T tagged, C continuation, B text of a message, ! bad */
static const struct {
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ "* OK hi {3}\r\na OK done\r\n", "U<OK hi {3}>T<a OK done>" },
	{ "+ go on\r\n+\r\n", "C< go on>C<>" },
	{ "* 1 FETCH (UID 5 BODY[] {6}\r\nab\r\ncd FLAGS (x))\r\nt NO\r\n",
	    "B<ab\r\ncd>U<1 FETCH (UID 5 BODY[] \"\" FLAGS (x))>T<t NO>" },
	{ "* 1 FETCH (BODY[] {0}\r\n)\r\n", "U<1 FETCH (BODY[] \"\")>" },
	{ "* 1 FETCH (RFC822 ~{2}\r\n\r\n)\r\n",
	    "B<\r\n>U<1 FETCH (RFC822 \"\")>" },
	{ "* LIST () \"/\" {3}\r\na{4\r\n* OK\n",
	    "U<LIST () \"/\" {3}\r\na{4>U<OK>" },
	{ "* X {3}\r\n)\r\n {1}\r\nz\r\n", "U<X {3}\r\n)\r\n {1}\r\nz>" },
	{ "\r\n", "!" },
	{ ")\r\na OK\r\n", "!" },
	{ "* X {99999999}\r\n", "!" },
	/* clang-format on */
};

static void
tell(struct buf *b, const char *what, struct span s)
{
	buf_puts(b, what);
	buf_put(b, s);
	buf_putc(b, '>');
}

static void
run(size_t i, size_t step)
{
	struct span in = span_of(cases[i].in), s, piece;
	enum imapc_event e = IMAPC_MORE;
	struct imapc c;
	struct buf b;

	imapc_init(&c);
	buf_init(&b, 65536);
	while (in.n > 0 && e != IMAPC_BAD) {
		s = span_take(&in, step < in.n ? step : in.n);
		do {
			e = imapc_next(&c, &s, &piece);
			if (e == IMAPC_UNTAGGED)
				tell(&b, "U<", c.text);
			if (e == IMAPC_TAGGED)
				tell(&b, "T<", c.text);
			if (e == IMAPC_CONTINUE)
				tell(&b, "C<", c.text);
			if (e == IMAPC_BAD)
				buf_putc(&b, '!');
			if (e == IMAPC_BODY) {
				/* pieces of one message are one */
				if (b.n > 1 && b.p[b.n - 1] == '>' &&
				    span_find(buf_span(&b), SPAN("B<")) < b.n &&
				    span_find(buf_span(&b), SPAN("U<")) == b.n)
					b.n--;
				else
					buf_puts(&b, "B<");
				buf_put(&b, piece);
				buf_putc(&b, '>');
			}
		} while (e != IMAPC_MORE && e != IMAPC_BAD);
	}
	check(span_is(buf_span(&b), cases[i].want));
	if (!span_is(buf_span(&b), cases[i].want))
		printf("# %zu %zu: %.*s\n", i, step, (int)b.n, b.p);
	buf_free(&b);
	imapc_free(&c);
}

static struct buf words, body, scratch, name;

static void
fetches(void)
{
	struct imapc_fetch f;

	check(imapc_fetch(
	    SPAN("7 FETCH (X-GM (a (b)) UID 5 FLAGS (\\Seen \\Recent foo "
		 "$Junk) INTERNALDATE \" 3-Jan-1998 01:05:34 +0100\" "
		 "RFC822.SIZE 12 BODY[] NIL)"),
	    &f, &words, &body, &scratch));
	check(f.uid == 5 && f.flags == 1 && f.size == 12 && f.has_body);
	check(f.date == 883789534 - 3600 && f.body.n == 0);
	check(span_is(buf_span(&words), "foo $Junk "));
	check(imapc_fetch(SPAN("1 FETCH (BODY[] \"a\\\"b\" UID 2)"), &f, &words,
	    &body, &scratch));
	check(span_is(f.body, "a\"b") && f.uid == 2 && f.flags == 0);
	check(
	    !imapc_fetch(SPAN("1 FETCH (UID x)"), &f, &words, &body, &scratch));
	check(
	    !imapc_fetch(SPAN("1 FETCH (UID 1"), &f, &words, &body, &scratch));
	check(!imapc_fetch(SPAN("1 EXISTS"), &f, &words, &body, &scratch));
}

static void
lists(void)
{
	unsigned attrs;
	char sep;

	check(
	    imapc_list(SPAN("LIST (\\HasNoChildren \\Sent) \"/\" \"a \\\\b\""),
		&attrs, &sep, &name, &scratch));
	check(attrs == IMAPC_SENT && sep == '/');
	check(span_is(buf_span(&name), "a \\b"));
	check(imapc_list(
	    SPAN("LSUB () NIL {3}\r\na\"b"), &attrs, &sep, &name, &scratch));
	check(attrs == (IMAPC_LSUB | IMAPC_SUBSCRIBED) && sep == '\0');
	check(span_is(buf_span(&name), "a\"b"));
	check(imapc_list(SPAN("LIST (\\Noselect) \"\\\\\" INBOX"), &attrs, &sep,
	    &name, &scratch));
	check(sep == '\\' && attrs == IMAPC_NOSELECT);
	check(
	    !imapc_list(SPAN("LIST () \"/\""), &attrs, &sep, &name, &scratch));
	check(!imapc_list(SPAN("STATUS x ()"), &attrs, &sep, &name, &scratch));
}

static void
texts(void)
{
	uint32_t n;
	int64_t t;

	check(imapc_code(SPAN("OK [UIDVALIDITY 77] fine"), "uidvalidity", &n) &&
	    n == 77);
	check(!imapc_code(SPAN("OK [UIDNEXT 77] fine"), "UIDVALIDITY", &n));
	check(!imapc_code(SPAN("OK fine"), "UIDVALIDITY", &n));
	check(imapc_date(SPAN("29-Feb-2024 00:00:00 -0130"), &t) &&
	    t == 1709164800 + 5400);
	check(!imapc_date(SPAN("30-Feb-2024 00:00:00 +0000"), &t));
	check(!imapc_date(SPAN("29-Feb-2024 00:00 +0000"), &t));
	buf_clear(&name);
	check(imapc_put_quoted(&name, SPAN("a\"\\")) &&
	    span_is(buf_span(&name), "\"a\\\"\\\\\""));
	check(!imapc_put_quoted(&name, SPAN("a\r\nb")));
}

int
main(void)
{
	buf_init(&words, 1024);
	buf_init(&body, 1024);
	buf_init(&scratch, 1024);
	buf_init(&name, 1024);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 80; step++)
			run(i, step);
	fetches();
	lists();
	texts();
	buf_free(&words);
	buf_free(&body);
	buf_free(&scratch);
	buf_free(&name);
	return done();
}
