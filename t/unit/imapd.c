/* imapd: commands out of bytes, however these are cut. */
#include "imap/imapd.h"
#include "test.h"

struct result {
	char text[4096];
	size_t n;
};

static void
note(struct result *r, struct span s)
{
	for (size_t i = 0; i < s.n && r->n + 1 < sizeof(r->text); i++)
		r->text[r->n++] = s.p[i];
	r->text[r->n] = '\0';
}

static void
tree(struct result *r, const struct imap_arg *a)
{
	for (; a != NULL; a = a->next) {
		note(r, SPAN(" "));
		switch (a->type) {
		case IMAP_ATOM:
			note(r, a->text);
			break;
		case IMAP_QUOTED:
			note(r, SPAN("'"));
			note(r, a->text);
			note(r, SPAN("'"));
			break;
		case IMAP_LITERAL:
			note(r, SPAN("<"));
			note(r, a->text);
			note(r, SPAN(">"));
			break;
		case IMAP_LIST:
			note(r, SPAN("("));
			tree(r, a->list);
			note(r, SPAN(" )"));
		}
	}
}

static bool
event(struct imapd *e, enum imapd_event ev, struct result *r)
{
	switch (ev) {
	case IMAPD_MORE:
		return false;
	case IMAPD_COMMAND:
	case IMAPD_MESSAGE:
		e->errors = 0;
		note(r, SPAN("["));
		note(r, e->tag);
		note(r, e->uid ? SPAN(" UID ") : SPAN(" "));
		note(r, e->name);
		tree(r, e->args);
		note(r, SPAN("]"));
		if (ev == IMAPD_MESSAGE && e->message > 100) {
			note(r, SPAN("NO"));
			imapd_refuse(e);
		} else if (ev == IMAPD_MESSAGE) {
			imapd_accept(e);
		}
		if (span_iis(e->name, "IDLE"))
			imapd_line(e);
		break;
	case IMAPD_PIECE:
		note(r, e->text);
		break;
	case IMAPD_END:
		note(r, SPAN("<END"));
		tree(r, e->args);
		note(r, SPAN(">"));
		break;
	case IMAPD_ABORT:
		note(r, SPAN("<ABORT>"));
		break;
	case IMAPD_LINE:
		note(r, SPAN("<"));
		note(r, e->text);
		note(r, SPAN(">"));
		break;
	case IMAPD_CLOSE:
		note(r, SPAN("<CLOSE>"));
		return false;
	}
	return true;
}

static void
run(struct span all, size_t step, struct result *r)
{
	struct buf out = { .max = 65536 };
	struct imapd e;
	bool more;

	*r = (struct result){ 0 };
	imapd_init(&e, &out, LIMIT_IMAP_ARENA);
	while (all.n > 0) {
		struct span in = span_take(&all, all.n < step ? all.n : step);

		do {
			enum imapd_event ev = imapd_next(&e, &in);

			note(r, buf_span(&out));
			buf_clear(&out);
			more = event(&e, ev, r);
			note(r, buf_span(&out));
			buf_clear(&out);
			if (ev == IMAPD_CLOSE)
				all.n = 0;
		} while (more);
	}
	imapd_free(&e);
	buf_free(&out);
}

#define GO "+ Ready for literal data\r\n"

static const struct {
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ "a noop\r\nb NOOP\n", "[a noop][b NOOP]" },
	{ "a uid FETCH 1:* (FLAGS BODY[HEADER.FIELDS (A \"B\")]<0.9>)\r\n",
	    "[a UID FETCH 1:* ( FLAGS BODY[HEADER.FIELDS ( A 'B' ) ]<0.9> )]" },
	{ "a X \"q\\\"\\\\\" \"\" NIL\r\n", "[a X 'q\"\\' '' NIL]" },
	{ "a X {3}\r\nabc {2+}\r\n\r\n y\r\n", "+ OK\r\n[a X <abc> <\r\n> y]" },
	{ "a X {0}\r\n\r\n", "+ OK\r\n[a X <>]" },
	{ "a X ({1+}\r\n) b)\r\n", "[a X ( <)> b )]" },
	{ "a X {9999}\r\nb Y\r\n", "a BAD Literal too large\r\n[b Y]" },
	{ "a X {9999999999999999999999}\r\nb Y\r\n",
	    "a BAD Literal too large\r\n[b Y]" },
	{ "a X {99999999999+}\r\nb Y\r\n",
	    "a BAD Literal too large\r\n* BYE Literal too large\r\n<CLOSE>" },
	{ "a APPEND box (\\Seen) \"1-Jan-2020 00:00:00 +0000\" {5}\r\na\r\nbc\r\n"
	    "b Y\r\n", "[a APPEND box ( \\Seen ) '1-Jan-2020 00:00:00 +0000']"
	    GO "a\r\nbc<END>[b Y]" },
	{ "a APPEND {3+}\r\nbox {2+}\r\nhi\r\n", "[a APPEND <box>]hi<END>" },
	{ "a APPEND box ~{2+}\r\nhi\r\n", "[a APPEND box]hi<END>" },
	{ "a APPEND box {0+}\r\n\r\nb Y\r\n", "[a APPEND box]<END>[b Y]" },
	{ "a APPEND box {2+}\r\nhi x\r\nb Y\r\n",
	    "[a APPEND box]hi<END x>[b Y]" },
	{ "a APPEND {3+}\r\nbox {2+}\r\nhi (\\Seen) {1}\r\nx\r\nb Y\r\n",
	    "[a APPEND <box>]hi[a APPEND ( \\Seen )]" GO "x<END>[b Y]" },
	{ "a APPEND box CATENATE (TEXT {1+}\r\nx URL {2+}\r\n/u URL \"v\" TEXT"
	    " {0+}\r\n) (f) CATENATE (URL a)\r\nb Y\r\n",
	    "[a APPEND box CATENATE ( TEXT )]x[a APPEND ( URL </u> URL 'v' TEXT"
	    " )]<END ( ) ( f ) CATENATE ( URL a )>[b Y]" },
	{ "a APPEND URL {1+}\r\nx\r\nb Y\r\n", "[a APPEND URL]x<END>[b Y]" },
	{ "a APPEND box CATENATE (URL {1+}\r\nu)\r\n",
	    "[a APPEND box CATENATE ( URL <u> )]" },
	{ "a APPEND box UTF8 (~{2+}\r\nhi) \"d\" {1+}\r\nx\r\n",
	    "[a APPEND box UTF8 ( )]hi[a APPEND ( ) 'd']x<END>" },
	{ "a APPEND box CATENATE (UTF8 (~{1+}\r\nx) TEXT {1+}\r\ny)\r\n",
	    "[a APPEND box CATENATE ( UTF8 ( ) )]x[a APPEND ( ( ) TEXT )]y"
	    "<END ( )>" },
	{ "a APPEND box (((~{1+}\r\nx)\r\nb Y\r\n",
	    "a BAD Syntax error in arguments\r\n[b Y]" },
	{ "a APPEND box ({1+}\r\nx\r\nb Y\r\n",
	    "[a APPEND box ( )]xa BAD Syntax error in arguments\r\n"
	    "<ABORT>[b Y]" },
	{ "a APPEND box {1+}\r\nx)\r\nb Y\r\n", "[a APPEND box]x"
	    "a BAD Syntax error in arguments\r\n<ABORT>[b Y]" },
	{ "a APPEND box {1+}\r\nx {101+}\r\n01234567890123456789012345678901"
	    "23456789012345678901234567890123456789012345678901234567890123456"
	    "7890 {1+}\r\nx\r\nb Y\r\n",
	    "[a APPEND box]x[a APPEND]NO[b Y]" },
	{ "a UID REPLACE 4 {3+}\r\nbox (\\Seen) {1}\r\nx\r\nb Y\r\n",
	    "[a UID REPLACE 4 <box> ( \\Seen )]" GO "x<END>[b Y]" },
	{ "a REPLACE 4 box {1+}\r\nx\r\n", "[a REPLACE 4 box]x<END>" },
	{ "a APPEND box {101}\r\nb Y\r\n", "[a APPEND box]NO[b Y]" },
	{ "a APPEND box \"x {3+}\r\nabc\r\nb Y\r\n",
	    "a BAD Syntax error in arguments\r\n[b Y]" },
	{ "a IDLE\r\nDONE\r\nb Y\r\n", "[a IDLE]<DONE>[b Y]" },
	{ "a X (\r\nb Y )\r\nc \"\r\nd X \"a\r\n",
	    "a BAD Syntax error in arguments\r\nb BAD Syntax error in "
	    "arguments\r\n[c \"]d BAD Syntax error in arguments\r\n" },
	{ "\r\na\r\n+x Y\r\n", "* BAD Invalid tag\r\na BAD No command\r\n"
	    "* BAD Invalid tag\r\n" },
	{ "a X \r\nb X a\rb\r\n", "[a X]b BAD Control characters in a "
	    "command\r\n" },
	{ "a X ((((((((((((((((((((((((((((((((((((((((\r\n",
	    "a BAD Too many arguments\r\n" },
	/* clang-format on */
};

static void
test_long(void)
{
	static char big[LIMIT_IMAP_LINE + 200];
	struct result r;
	int n;

	memset(big, 'x', sizeof(big));
	big[1] = ' ';
	n = snprintf(big + sizeof(big) - 20, 20, "\r\nb NOOP\r\n");
	run((struct span){ big, sizeof(big) - 20 + (size_t)n }, 1000, &r);
	check(strcmp(r.text, "x BAD Command line too long\r\n[b NOOP]") == 0);
	n = snprintf(big + sizeof(big) - 20, 20, "{3+}\r\nb NOOP\r\n");
	run((struct span){ big, sizeof(big) - 20 + (size_t)n }, 7, &r);
	check(strncmp(r.text,
		  "x BAD Command line too long\r\n"
		  "* BYE Command line too long\r\n<CLOSE>",
		  60) == 0);
	memset(big, '(', sizeof(big));
	for (size_t i = 4; i < 60000; i += 2)
		memcpy(big + i, " a", 2);
	memcpy(big, "a X ", 4);
	memcpy(big + 60000, "\r\n", 2);
	run((struct span){ big, 60002 }, 5000, &r);
	check(strcmp(r.text, "a BAD Too many arguments\r\n") == 0);
}

static void
test_errors(void)
{
	char many[500];
	struct result r;

	for (size_t i = 0; i < 90; i += 3)
		memcpy(many + i, "*\r\n", 3);
	run((struct span){ many, 90 }, 90, &r);
	check(strstr(r.text, "* BYE Too many errors\r\n<CLOSE>") != NULL);
	memcpy(many, "a X b\0c\r\n", 9);
	run((struct span){ many, 9 }, 2, &r);
	check(strcmp(r.text, "a BAD Control characters in a command\r\n") == 0);
}

/* Any number of messages takes the memory of one segment. */
static void
test_many(void)
{
	static const char
	    begin[] = "a APPEND box",
	    next[] =
		" (\\Seen abcdefghijklmnopqrstuvwxyz) \"1-Jan-2020\" {1+}\r\nx";
	struct buf out = { .max = 65536 };
	enum imapd_event ev;
	struct imapd e;
	struct span in = { begin, sizeof(begin) - 1 };
	unsigned n = 0;

	imapd_init(&e, &out, 65536);
	ev = imapd_next(&e, &in);
	for (int i = 0; i < 5000; i++) {
		in = (struct span){ next, sizeof(next) - 1 };
		while ((ev = imapd_next(&e, &in)) != IMAPD_MORE)
			if (ev == IMAPD_MESSAGE) {
				n++;
				imapd_accept(&e);
			}
	}
	in = SPAN("\r\n");
	check(n == 5000 && imapd_next(&e, &in) == IMAPD_END && out.n == 0);
	check(span_is(e.tag, "a") && span_is(e.name, "APPEND"));
	imapd_free(&e);
	buf_free(&out);
}

/* A literal that is passed over takes its line and its followers along. */
static void
test_skip(void)
{
	static char big[20000];
	struct result r;
	size_t n;

	n = (size_t)snprintf(big, sizeof(big), "a X {9000+}\r\n");
	memset(big + n, 'z', 9000);
	n += 9000;
	n += (size_t)snprintf(
	    big + n, sizeof(big) - n, " {3+}\r\na\r\n b\r\nc NOOP\r\n");
	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		run((struct span){ big, n }, step, &r);
		check(
		    strcmp(r.text, "a BAD Literal too large\r\n[c NOOP]") == 0);
	}
}

int
main(void)
{
	struct result r;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++) {
			run(span_of(cases[i].in), step, &r);
			check(strcmp(r.text, cases[i].want) == 0);
			if (strcmp(r.text, cases[i].want) != 0)
				printf("# %s\n# %s\n", cases[i].in, r.text);
		}
	test_long();
	test_errors();
	test_skip();
	test_many();
	return done();
}
