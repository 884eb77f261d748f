/* imapurl: what CATENATE may be given, and what it may not. */
#include "imap/imapurl.h"
#include "base/buf.h"
#include "test.h"

static const struct {
	const char *in, *want; /* NULL: no URL */
} cases[] = {
	/* clang-format off */
	{ "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER",
	    "[Drafts] 385759045 20 [HEADER]" },
	{ "/Drafts/;UID=3002", "[Drafts] 0 3002 []" },
	{ "/A/B%20c%C3%A9/;UID=1/;SECTION=1.2.MIME/;PARTIAL=0.1024",
	    "[A/B c\303\251] 0 1 [1.2.MIME] 0.1024" },
	{ "/x/;uid=1/;partial=7", "[x] 0 1 [] 7.*" },
	{ ";UID=9", "selected 0 9 []" },
	{ ";UID=9/;SECTION=HEADER.FIELDS%20(DATE%20FROM)",
	    "selected 0 9 [HEADER.FIELDS (DATE FROM)]" },
	{ "x;UIDVALIDITY=1/;UID=2", "[x] 1 2 []" },
	{ "imap://host/x/;UID=2", "@host [x] 0 2 []" },
	{ "IMAP://bob%40e.test;AUTH=PLAIN@host:143/x/;UID=2",
	    "bob@e.test@host [x] 0 2 []" },
	{ "imap://;AUTH=*@host/x/;UID=2", "@host [x] 0 2 []" },
	{ "//host/x/;UID=2", "@host [x] 0 2 []" },
	{ "", NULL }, { "/", NULL }, { "imap://", NULL }, { "imap://h", NULL },
	{ "imap:///x/;UID=1", NULL }, { "http://h/x/;UID=1", NULL },
	{ "/x", NULL }, { "/x;UID=1", NULL }, { "/;UID=1", NULL },
	{ "/x/;UID=0", NULL }, { "/x/;UID=", NULL }, { "/x/;UID=1x", NULL },
	{ "/x/;UID=4294967296", NULL }, { "/x/;UID=1/", NULL },
	{ "/x;UIDVALIDITY=0/;UID=1", NULL }, { "/x;UIDVALIDITY=1;UID=1", NULL },
	{ "/x/;UID=1/;SECTION=", NULL }, { "/x/;UID=1/;PARTIAL=", NULL },
	{ "/x/;UID=1/;PARTIAL=1.0", NULL }, { "/x/;UID=1/;PARTIAL=.1", NULL },
	{ "/x/;UID=1/;PARTIAL=1.2/;SECTION=1", NULL },
	{ "/x/;UID=1;EXPIRE=2000-01-01T00:00:00Z;URLAUTH=anonymous", NULL },
	{ "/%/;UID=1", NULL }, { "/%1/;UID=1", NULL }, { "/%00/;UID=1", NULL },
	{ "/a%0d%0ab/;UID=1", NULL }, { "/\303\251/;UID=1", NULL },
	{ "/%zz/;UID=1", NULL }, { "/x/;UID=+1", NULL },
	/* clang-format on */
};

static void
put(struct buf *b, const struct imapurl *u)
{
	if (u->absolute) {
		buf_put(b, u->user);
		buf_putc(b, '@');
		buf_put(b, u->host);
		buf_putc(b, ' ');
	}
	if (u->selected)
		buf_puts(b, "selected");
	else
		buf_printf(b, "[%.*s]", (int)u->mailbox.n, u->mailbox.p);
	buf_printf(b, " %u %u [%.*s]", u->uidvalidity, u->uid,
	    (int)u->section.n, u->section.p);
	if (u->partial) {
		buf_printf(b, " %llu.", (unsigned long long)u->from);
		if (u->count == UINT64_MAX)
			buf_putc(b, '*');
		else
			buf_putu(b, u->count);
	}
}

int
main(void)
{
	struct arena a;

	arena_init(&a, 100000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { .max = 1000 };
		struct imapurl u;
		bool ok = imapurl_parse(&a, span_of(cases[i].in), &u);

		if (ok)
			put(&b, &u);
		check(ok == (cases[i].want != NULL));
		if (ok && cases[i].want != NULL)
			check(strcmp(buf_cstr(&b), cases[i].want) == 0);
		if (ok)
			printf("# %s: %s\n", cases[i].in, buf_cstr(&b));
		buf_free(&b);
	}
	arena_free(&a);
	return done();
}
