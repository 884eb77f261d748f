/* pop3/pop3d: conversations, with the input cut anywhere. */
#include "pop3/pop3d.h"
#include "test.h"

static const struct {
	const char *in, *out;
	enum pop3d_event end;
} cases[] = {
	/* clang-format off */
	{ "STAT\r\n", "+OK 3 600\r\n", POP3D_MORE },
	{ "stat\n", "+OK 3 600\r\n", POP3D_MORE },
	{ "LIST\r\n", "+OK\r\n1 100\r\n2 200\r\n3 300\r\n.\r\n", POP3D_MORE },
	{ "LIST 2\r\n", "+OK 2 200\r\n", POP3D_MORE },
	{ "LIST 5\r\n", "-ERR no such message\r\n", POP3D_MORE },
	{ "LIST 4294967297\r\n", "-ERR no such message\r\n", POP3D_MORE },
	{ "LIST 1 2\r\n", "-ERR no such message\r\n", POP3D_MORE },
	{ "UIDL\r\n", "+OK\r\n1 77.11\r\n2 77.12\r\n3 77.13\r\n4 77.14\r\n"
	    ".\r\n", POP3D_MORE },
	{ "UIDL 3\r\n", "+OK 3 77.13\r\n", POP3D_MORE },
	/* Message 4 turns out to be gone when its size is asked for. */
	{ "LIST 4\r\nLIST 4\r\nUIDL 4\r\n", "-ERR no such message\r\n"
	    "-ERR no such message\r\n-ERR no such message\r\n", POP3D_MORE },
	{ "DELE 1\r\nSTAT\r\nRSET\r\nSTAT\r\n", "+OK deleted at QUIT\r\n"
	    "+OK 2 500\r\n+OK\r\n+OK 3 600\r\n", POP3D_MORE },
	{ "DELE 1\r\nUIDL 1\r\nQUIT\r\nNOOP\r\n", "+OK deleted at QUIT\r\n"
	    "-ERR that message is deleted\r\n+OK bye\r\n", POP3D_END },
	{ "RETR 2\r\nNOOP\r\n", "+OK 200 octets\r\n.\r\n+OK\r\n",
	    POP3D_MORE },
	{ "TOP 2 7\r\n", "+OK\r\n7.\r\n", POP3D_MORE },
	{ "TOP 2\r\nTOP 2 -1\r\n", "-ERR TOP takes a message and a number\r\n"
	    "-ERR TOP takes a message and a number\r\n", POP3D_MORE },
	{ "NOOP x\r\nPASS a b\r\n\r\n", "-ERR that takes no argument\r\n"
	    "-ERR you are logged in already\r\n-ERR no such command\r\n",
	    POP3D_MORE },
	{ "LANG\r\n", "+OK one language follows\r\nen English\r\n.\r\n",
	    POP3D_MORE },
	{ "LANG en-GB\r\nlang *\r\nLANG MUL\r\nLANG eng\r\n",
	    "+OK en English it is\r\n+OK en English it is\r\n"
	    "-ERR no such language here\r\n-ERR no such language here\r\n",
	    POP3D_MORE },
	{ "UTF8\r\n", "-ERR UTF8 comes before the login\r\n", POP3D_MORE },
	{ "QUI", "", POP3D_MORE },
	/* clang-format on */
};

static uint32_t
uid(void *ctx, size_t i)
{
	(void)ctx;
	return (uint32_t)i + 11;
}

static bool
size(void *ctx, size_t i, uint64_t *n)
{
	(void)ctx;
	*n = (i + 1) * 100;
	return i < 3;
}

/* Answer what the engine asks for, as mpop does. */
static enum pop3d_event
answer(struct pop3d *d, enum pop3d_event e)
{
	if (e == POP3D_RETR) {
		pop3d_send(d, (d->msg + 1) * 100);
		if (d->top)
			buf_printf(d->out, "%u", (unsigned)d->lines);
		buf_puts(d->out, ".\r\n");
	} else if (e == POP3D_QUIT) {
		pop3d_quit(d, true);
	}
	return e;
}

static enum pop3d_event
feed(struct pop3d *d, struct buf *all, struct span in, size_t step)
{
	enum pop3d_event e = POP3D_MORE;

	while (in.n > 0) {
		struct span piece = span_take(&in, step < in.n ? step : in.n);

		do {
			e = answer(d, pop3d_next(d, &piece));
			buf_put(all, buf_span(d->out));
			buf_clear(d->out);
		} while (e != POP3D_MORE && e != POP3D_END);
		if (e == POP3D_END)
			break;
	}
	return e;
}

static void
run(size_t i, size_t step)
{
	unsigned char mark[4] = { 0 };
	struct pop3d_box box = { .count = 4,
		.uidvalidity = 77,
		.uid = uid,
		.size = size,
		.mark = mark };
	static struct pop3d d;
	struct buf out, all;

	buf_init(&out, (size_t)POP3D_OUT_MAX);
	buf_init(&all, 1000000);
	pop3d_init(&d, &out, &box);
	check(feed(&d, &all, span_of(cases[i].in), step) == cases[i].end);
	check(span_is(buf_span(&all), cases[i].out));
	buf_free(&out);
	buf_free(&all);
}

/* A long listing leaves in pieces of bounded size. */
static void
test_long(void)
{
	static unsigned char mark[100000];
	struct pop3d_box box = { .count = 100000,
		.uidvalidity = 4294967295u,
		.uid = uid,
		.size = size,
		.mark = mark };
	static struct pop3d d;
	struct buf out, all;

	buf_init(&out, (size_t)POP3D_OUT_MAX);
	buf_init(&all, 10000000);
	pop3d_init(&d, &out, &box);
	feed(&d, &all, SPAN("UIDL\r\nUIDL\r\n"), 100);
	check(!out.over && !all.over);
	check(span_find(buf_span(&all),
		  SPAN("\r\n100000 4294967295.100010\r\n.\r\n+OK\r\n1 ")) <
	    all.n);
	buf_free(&out);
	buf_free(&all);
}

static const struct {
	const char *in;
	uint64_t lines;
	const char *out;
} tops[] = {
	/* clang-format off */
	{ "A: b\n\none\ntwo\n", 0, "A: b\n\n" },
	{ "A: b\n\none\ntwo\n", 1, "A: b\n\none\n" },
	{ "A: b\n\none\ntwo\n", 9, "A: b\n\none\ntwo\n" },
	{ "A: b\r\n\r\none\r\n", 0, "A: b\r\n\r\n" },
	{ "A: b\r\r\n\none\n", 0, "A: b\r\r\n\n" },
	{ "A: b\n c\n", 5, "A: b\n c\n" },
	{ "\nbody\n", 0, "\n" },
	{ "", 3, "" },
	/* clang-format on */
};

static void
run_top(size_t i, size_t step)
{
	struct span in = span_of(tops[i].in), piece;
	struct pop3_top t = { .lines = tops[i].lines };
	struct buf out;
	bool done = false;

	buf_init(&out, 1000);
	while (in.n > 0 && !done) {
		piece = span_take(&in, step < in.n ? step : in.n);
		done = pop3_top_cut(&t, &piece);
		buf_put(&out, piece);
	}
	check(span_is(buf_span(&out), tops[i].out));
	buf_free(&out);
}

int
main(void)
{
	for (size_t step = 1; step <= 16; step++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			run(i, step);
		for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
			run_top(i, step);
	}
	test_long();
	return done();
}
