/* bodystructure: BODY and BODYSTRUCTURE, each trap a line. */
#include "mail/bodystructure.h"

#include <stdlib.h>

#include "test.h"

#define PLAIN "\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\""
#define NOENV "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct {
	bool extended;
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ false, "A: b\n\nx\n", "(" PLAIN " 3 1)" },
	{ true, "A: b\n\nx\n", "(" PLAIN " 3 1 NIL NIL NIL NIL)" },
	{ false, "Content-Type: image/PNG; name=\"a\\\"b\"; x*0*=utf-8''%41\n"
	    "Content-Transfer-Encoding: BASE64\nContent-ID: <i@d>\n"
	    "Content-Description: de scr\n\nQUJD\n",
	    "(\"image\" \"PNG\" (\"name\" \"a\\\"b\" \"x*0*\" \"utf-8''%41\") "
	    "\"<i@d>\" \"de scr\" \"BASE64\" 6)" },
	{ true, "Content-Type: text/html\nContent-Disposition: attachment; "
	    "filename=a b; size=3\nContent-Language: en, fr\n"
	    "Content-Location: http://x/\nContent-MD5: abc=\n\n",
	    "(\"text\" \"html\" NIL NIL NIL \"7bit\" 0 0 \"abc=\" "
	    "(\"attachment\" (\"filename\" \"a\" \"size\" \"3\")) "
	    "(\"en\" \"fr\") \"http://x/\")" },
	{ true, "Content-Type: multipart/mixed; boundary=a\n\n--a--\n",
	    "((" PLAIN " 0 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"a\") "
	    "NIL NIL NIL)" },
	{ false, "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nb\n--a\n"
	    "Content-Type: message/rfc822\n\nTo: c\n\nd\n--a--\n",
	    "((" PLAIN " 1 0)(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 10 "
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"c\" \"\")) NIL NIL NIL NIL) "
	    "(" PLAIN " 1 0) 2) \"mixed\")" },
	{ false, "Content-Type: multipart/mixed\n\nx\n",
	    "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 3)" },
	{ false, "Content-Type: nonsense\n\nx\n", "(" PLAIN " 3 1)" },
	{ false, "Content-Type: text/plain; charset=\"a\n b\"; =; ; x\n\nx\n",
	    "(\"text\" \"plain\" (\"charset\" \"a b\") NIL NIL \"7bit\" 3 1)" },
	{ false, "Content-Type: message/rfc822\n\n", "(\"message\" \"rfc822\" "
	    "NIL NIL NIL \"7bit\" 0 " NOENV " (" PLAIN " 0 0) 0)" },
	/* clang-format on */
};

/* Of any message: BODY is made of its BODYSTRUCTURE. */
static const char *const messages[] = {
	/* clang-format off */
	"",
	"Content-Type: text/plain; a=\"\\\"\\\\(\"; b=\")\"; c=\"{1}\"\n\n",
	"Content-Type: text/plain; a=\"\377(\"\nContent-ID: \377\"\n\nx\n",
	"Content-Type: TEXT/x\nContent-MD5: 12\nContent-Language: (x)\n\nx\n",
	"Content-Type: a/b; c=\303\244\nContent-Disposition: \001; d=\001; e=f"
	    "\nContent-Location: \"\nContent-MD5: (\n\nx\n",
	"Content-Type: \"text\"/\"\"\n\n",
	"Content-Type: multipart/; boundary=a\n\n--a\n\nx\n--a--\n",
	"Content-Type: multipart/digest; boundary=a\n\n--a\n\nFrom: a\n\nx\n"
	    "--a\n--a\n\nContent-Type: multipart/x; boundary=b\n\n--b\n"
	    "Content-Type: message/rfc822\nContent-Disposition: x\n\nSubject: "
	    "\303\244 \377 (\n\n--b\nContent-Type: message/global\n\n--b--\n",
	"Content-Type: multipart/mixed\nContent-Type: message/rfc822\n\nx\n",
	"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nx",
	/* clang-format on */
};

/* Not one of these; the first differs from one by what is behind it. */
static const char *const bad[] = {
	"(" PLAIN " 0 0 NIL NIL NIL NIL) ",
	"(" PLAIN " 0 0 NIL NIL NIL)",
	"(" PLAIN " 0 0 NIL NIL NIL NIL NIL)",
	"(" PLAIN " 0 0  NIL NIL NIL NIL)",
	"(" PLAIN " 0 0 NIL NIL NIL {9}\r\nx)",
	"(" PLAIN " 0 0 NIL NIL NIL {-1}\r\nx)",
	"(" PLAIN " 0 0 NIL NIL NIL {1}\nx)",
	"(" PLAIN " 0 0 NIL NIL NIL {99999999999}\r\nx)",
	"(" PLAIN " 0 0 NIL NIL NIL \"\\)",
	"(" PLAIN " 0 0 NIL NIL NIL (())",
	"(" PLAIN " 0 0 NIL NIL NIL ())))",
	"((" PLAIN " 0 0 NIL NIL NIL NIL) \"x\" NIL NIL NIL)",
	"(NIL)",
	"()",
	"(",
	"",
	"NIL",
	"*",
};

static bool
is_brief(struct span structure, struct span body)
{
	struct buf b = { .max = 1000000 };
	bool ok;

	buf_puts(&b, "x");
	ok = bodystructure_brief(&b, structure) && *b.p == 'x' &&
	    span_eq(body, (struct span){ b.p + 1, b.n - 1 });
	buf_free(&b);
	return ok;
}

/* Memory of just these bytes, so that what is read behind them is found. */
static bool
makes_one(struct span s)
{
	struct buf b = { .max = 1000000 };
	char *copy = malloc(s.n + 1);
	bool ok;

	memcpy(copy + 1, s.p, s.n);
	ok = bodystructure_brief(&b, (struct span){ copy + 1, s.n });
	check(ok ? b.n > 1 : b.n == 0);
	buf_free(&b);
	free(copy);
	return ok;
}

static void
test_brief(struct arena *a, struct span message)
{
	static struct mime m;
	struct buf body = { .max = 1000000 }, full = body, small;
	struct mime_part *p;

	mime_init(&m, a);
	mime_feed(&m, message);
	p = mime_end(&m);
	check(bodystructure_put(&body, a, p, false));
	check(bodystructure_put(&full, a, p, true));
	check(is_brief(buf_span(&full), buf_span(&body)));
	for (size_t i = 0; i < full.n && i < 400; i++) {
		char c = full.p[i];

		check(!makes_one((struct span){ full.p, i }));
		for (const char *with = "() \"\\{9\n"; *with != '\0'; with++) {
			full.p[i] = *with;
			makes_one(buf_span(&full));
		}
		full.p[i] = c;
	}
	small = (struct buf){ .max = body.n - 1 };
	check(!bodystructure_brief(&small, buf_span(&full)) && small.n == 0);
	buf_free(&small);
	buf_free(&body);
	buf_free(&full);
}

/* As deep as parts can lie in each other, and one more. */
static void
test_deep(struct arena *a)
{
	struct buf b = { .max = 1000000 };
	unsigned n;

	for (int i = 0; i < 2 * LIMIT_MIME_DEPTH; i++)
		buf_printf(&b,
		    "Content-Type: multipart/x; boundary=a%d\n\n--a%d\n", i, i);
	test_brief(a, buf_span(&b));
	buf_clear(&b);
	for (int i = 0; i < 2 * LIMIT_MIME_DEPTH; i++)
		buf_puts(&b, "Content-Type: message/rfc822\n\n");
	test_brief(a, buf_span(&b));
	for (n = LIMIT_MIME_DEPTH; n <= LIMIT_MIME_DEPTH + 1; n++) {
		buf_clear(&b);
		for (unsigned i = 1; i < n; i++)
			buf_putc(&b, '(');
		buf_puts(&b, "(" PLAIN " 0 0 NIL NIL NIL NIL)");
		for (unsigned i = 1; i < n; i++)
			buf_puts(&b, " \"x\" NIL NIL NIL NIL)");
		check(makes_one(buf_span(&b)) == (n == LIMIT_MIME_DEPTH));
	}
	buf_free(&b);
}

int
main(void)
{
	struct arena a = { .max = 200000 };
	struct buf b = { .max = 100000 };
	static struct mime m;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mime_init(&m, &a);
		mime_feed(&m, span_of(cases[i].in));
		check(
		    bodystructure_put(&b, &a, mime_end(&m), cases[i].extended));
		check(strcmp(buf_cstr(&b), cases[i].want) == 0);
		if (strcmp(b.p, cases[i].want) != 0)
			printf("# %s\n# %s\n", b.p, cases[i].want);
		buf_clear(&b);
		test_brief(&a, span_of(cases[i].in));
	}
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		test_brief(&a, span_of(messages[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(!makes_one(span_of(bad[i])));
	test_deep(&a);
	buf_free(&b);
	arena_free(&a);
	return done();
}
