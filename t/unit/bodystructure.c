/* bodystructure: BODY and BODYSTRUCTURE, each trap a line. */
#include "mail/bodystructure.h"
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
	}
	buf_free(&b);
	arena_free(&a);
	return done();
}
