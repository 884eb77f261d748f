/* imapenv: the texts of ENVELOPE, each trap a line. */
#include "mail/imapenv.h"
#include "mail/header.h"
#include "test.h"

static const struct {
	const char *header, *want;
} cases[] = {
	/* clang-format off */
	{ "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Subject:\n", "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Date: Sun, 22 Nov 2026 22:44:31 +0000\nSubject: a\n b\"\\\n"
	    "From: \"A\" <a@b>\nMessage-ID: <x@y>\nIn-Reply-To: <z@y>\n",
	    "(\"Sun, 22 Nov 2026 22:44:31 +0000\" \"a b\\\"\\\\\" "
	    "((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL \"a\" \"b\")) "
	    "((\"A\" NIL \"a\" \"b\")) NIL NIL NIL \"<z@y>\" \"<x@y>\")" },
	{ "From: a@b\nSender:\nReply-To: c@d\nTo: g: x@y;, undisclosed:;\n",
	    "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
	    "((NIL NIL \"c\" \"d\")) ((NIL NIL \"g\" NIL)(NIL NIL \"x\" \"y\")"
	    "(NIL NIL NIL NIL)(NIL NIL \"undisclosed\" NIL)"
	    "(NIL NIL NIL NIL)) NIL NIL NIL NIL)" },
	{ "To: root\n", "(NIL NIL NIL NIL NIL ((NIL NIL \"root\" \"\")) "
	    "NIL NIL NIL NIL)" },
	{ "Subject: caf\xc3\xa9\n", "(NIL \"=?UTF-8?B?Y2Fmw6k=?=\" "
	    "NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Subject: caf\xe9\n", "(NIL {4}\r\ncaf\xe9 "
	    "NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "Cc: \xc3\xa9t\xc3\xa9 <a@b>\n", "(NIL NIL NIL NIL NIL NIL "
	    "((\"=?UTF-8?B?w6l0w6k=?=\" NIL \"a\" \"b\")) NIL NIL NIL)" },
	{ "Subject: x\ry\n", "(NIL {3}\r\nx\ry NIL NIL NIL NIL NIL NIL NIL "
	    "NIL)" },
	{ "Subject: 1\nSubject: 2\n", "(NIL \"1\" NIL NIL NIL NIL NIL NIL "
	    "NIL NIL)" },
	{ "To: <@r:a@b>, \"\" <c@d>\n", "(NIL NIL NIL NIL NIL ((NIL \"@r\" "
	    "\"a\" \"b\")(\"\" NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
	/* clang-format on */
};

static void
put(struct buf *b, struct arena *a, struct span in)
{
	struct header h;
	struct imapenv e = { 0 };

	header_init(&h, 10000);
	while (header_next(&h, &in) == HEADER_FIELD)
		imapenv_note(a, &e, h.name, h.body, 1000);
	while (header_eof(&h) == HEADER_FIELD)
		imapenv_note(a, &e, h.name, h.body, 1000);
	check(imapenv_put(b, a, &e));
	header_free(&h);
}

int
main(void)
{
	struct arena a = { .max = 200000 };
	struct buf b = { .max = 100000 }, big = { .max = 100000 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(&b, &a, span_of(cases[i].header));
		check(strcmp(buf_cstr(&b), cases[i].want) == 0);
		if (strcmp(b.p, cases[i].want) != 0)
			printf("# %s\n# %s\n", b.p, cases[i].want);
		buf_clear(&b);
	}
	put(&b, &a, (struct span){ "Subject: a\0b\n", 13 });
	check(strstr(buf_cstr(&b),
		  "{3}\r\na\x80"
		  "b ") != NULL);
	buf_clear(&b);
	buf_puts(&big, "Subject: ");
	for (int i = 0; i < 100; i++)
		buf_puts(&big, "\xc3\xa9");
	buf_putc(&big, '\n');
	put(&b, &a, buf_span(&big));
	check(strstr(buf_cstr(&b), "?= =?UTF-8?B?") != NULL);
	buf_free(&b);
	buf_free(&big);
	arena_free(&a);
	return done();
}
