/* mail/digest: the same texts however the message is cut, and kept. */
#include "mail/digest.h"

#include <stdlib.h>

#include "mail/bodystructure.h"
#include "test.h"

#define ALT "Content-Type: multipart/alternative; boundary=a\n\npreamble\n--a\n"

static const struct {
	const char *in, *preview;
} previews[] = {
	/* clang-format off */
	{ "A: b\n\n", "" },
	{ "A: b\n\n  Hello,\n\n\tworld \n", "Hello, world" },
	{ "\n> old\n>> older\nnew\n> old\nend\n", "new end" },
	{ "Content-Type: text/html\n\n<html><head><title>t</title></head>"
	    "<body class=\"a>b\"><style>p { x }</style><!-- no --> -->"
	    "<p>H<b>i</b> &amp; &#228;&nbsp;&bogus; &#x41;</p>1 < 2"
	    "<script>if (a</b>) x</script>.</body>",
	    "--> Hi & \303\244 &bogus; A 1 < 2." },
	{ "Content-Type: text/html\n\n<p title=it's>x</p>y", "x y" },
	{ "Content-Type: text/html\n\n<head><meta a><body><p>x", "x" },
	{ "Content-Type: text/plain; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nGr=FC=\n=DFe =80",
	    "Gr\303\274\303\237e \342\202\254" },
	{ "\nGr\374\337e", "Gr\303\274\303\237e" }, /* no charset, no UTF-8 */
	{ "Content-Type: text/plain; charset=x-ours\n\nA\374", "A\357\277\275" },
	{ "Content-Type: text/plain; charset=iso-2022-x\n\n> a\n$B", "$B" },
	{ "Content-Transfer-Encoding: base64\n\nSGVs\nbG8=\n", "Hello" },
	{ "Content-Transfer-Encoding: x-uue\n\nHi\n", "" },
	{ "Content-Type: image/png\n\nHi\n", "" },
	{ "Content-Disposition: attachment\n\nHi\n", "" },
	{ ALT "Content-Type: text/html\n\n<i>1</i>\n--a\n\n2\n--a--\n", "1" },
	{ ALT "\n \n\n--a\n\n2\n--a--\n", "2" }, /* the first has no words */
	{ ALT "Content-Type: a/b\n\n1\n--a\n\n2\n--a\n\n3\n--a--\n", "2" },
	{ "Content-Type: message/rfc822\n\nSubject: x\n\nHi\n", "Hi" },
	{ "\n\342\200\213a\302\240\302\240b\357\273\277", "a b" },
	/* clang-format on */
};

static const char *const messages[] = {
	"",
	"Subject: x",
	"Subject: =?utf-8?q?x?=\nFrom: A <a@b>\nTO: c@d,\n e@f\nX-Odd: "
	"1\n\nb\n",
	"Subject: \303\244 \377\nTo: \"a\\\"b\" <a@b>\nReferences: <1>\n "
	"<2>\n\n",
	"Content-Type: text/plain; name=\"\303\244.txt\"; x=\"\377\"\n"
	"Content-Description: \303\244\n\nx\n",
	ALT "\nx\n--a\nContent-Type: message/rfc822\n\nFrom: i@n\n\n--\n--ab\n-"
	    "-a--\n--a\nmore\n",
	"From: a@b\r\nDate: now\r\n\r\nx\r\n",
	"Bad line\nTo: x@y\nTo: z@y\nLines: 3\n\n-\n--\n---\n",
};

static char *
long_message(size_t *n)
{
	struct buf b = { .max = 10000000 };

	buf_puts(&b, "To: ");
	for (int i = 0; i < 70000; i++)
		buf_puts(&b, "a,");
	buf_puts(&b, "\nCc: ");
	for (int i = 0; i < 30000; i++)
		buf_puts(&b, "a,");
	buf_puts(&b, "\nDate: x\n\nbody\n");
	*n = b.n;
	return b.p;
}

static void
run(struct digester *d, struct span all, size_t step, unsigned want,
    struct digest *g)
{
	digester_begin(d, want);
	while (all.n > 0)
		if (!digester_feed(
			d, span_take(&all, all.n < step ? all.n : step)))
			break;
	digester_end(d, g);
}

/* What the engines below say when they see all at once. */
static void
plain(struct span all, struct buf *env, struct buf *structure)
{
	static struct mime m;
	struct arena a = { .max = LIMIT_IMAP_ARENA };
	const struct mime_part *p;

	mime_init(&m, &a);
	mime_feed(&m, all);
	p = mime_end(&m);
	imapenv_put(env, &a, p->envelope);
	bodystructure_put(structure, &a, p, true);
	arena_free(&a);
}

static bool
same(const struct digest *a, const struct digest *b)
{
	return span_eq(a->envelope, b->envelope) &&
	    span_eq(a->fields, b->fields) &&
	    span_eq(a->structure, b->structure) &&
	    span_eq(a->preview, b->preview) && a->eight == b->eight;
}

static void
test_same(struct span all)
{
	static struct digester one, two, head;
	struct buf env = { .max = LIMIT_DIGEST }, structure = env;
	struct digest a, b, c;

	plain(all, &env, &structure);
	run(&one, all, all.n + 1, DIGEST_HEAD | DIGEST_BODY, &a);
	run(&two, all, 1, DIGEST_BODY, &b);
	run(&head, all, 3, DIGEST_HEAD, &c);
	check(same(&a, &b) && a.size == b.size);
	check(span_eq(a.envelope, c.envelope) && span_eq(a.fields, c.fields));
	check(c.structure.p == NULL && c.size == 0);
	check(env.over || span_eq(a.envelope, buf_span(&env)));
	check(span_eq(a.structure, buf_span(&structure)));
	digester_free(&one);
	digester_free(&two);
	digester_free(&head);
	buf_free(&env);
	buf_free(&structure);
}

static void
test_previews(void)
{
	static struct digester d;
	struct digest g;

	for (size_t i = 0; i < sizeof(previews) / sizeof(previews[0]); i++)
		for (size_t step = 1; step < 1000; step += 200) {
			run(&d, span_of(previews[i].in), step, DIGEST_BODY, &g);
			check(span_is(g.preview, previews[i].preview));
			if (!span_is(g.preview, previews[i].preview))
				printf("# %s: %.*s\n", previews[i].preview,
				    (int)g.preview.n, g.preview.p);
		}
	digester_free(&d);
}

/* 200 characters, whatever their bytes, and no blank at the end. */
static void
test_preview_length(void)
{
	static struct digester d;
	struct buf b = { .max = 100000 };
	struct digest g;

	buf_puts(&b, "A: b\n\n");
	for (int i = 0; i < 5000; i++)
		buf_puts(&b, "\360\237\230\200");
	run(&d, buf_span(&b), 100, DIGEST_BODY, &g);
	check(g.preview.n == 800);
	buf_clear(&b);
	buf_puts(&b, "A: b\n\n");
	for (int i = 0; i < 5000; i++)
		buf_puts(&b, i % 8 == 7 ? "\n" : "x");
	run(&d, buf_span(&b), 7, DIGEST_BODY, &g);
	check(g.preview.n == 199 && g.preview.p[198] == 'x');
	digester_free(&d);
	buf_free(&b);
}

static bool
backwards(void *ctx, struct span cs, struct span s, struct buf *b)
{
	if (!span_is(cs, ctx))
		return false;
	while (s.n > 0)
		buf_putc(b, s.p[--s.n]);
	return true;
}

static void
test_charset(void)
{
	static char name[] = "utf-16";
	struct encword_charset cs = { backwards, name };
	struct buf b = { .max = 1000 };
	static struct digester d;
	struct digest g;

	d.charsets = &cs;
	run(&d, span_of("Content-Type: text/html; charset=utf-16\n\n>b<ab>p<"),
	    2, DIGEST_BODY, &g);
	check(span_is(g.preview, "ba") && !g.foreign);
	d.charsets = NULL;
	run(&d, span_of("Content-Type: text/plain; charset=koi8-r\n\n\301"), 2,
	    DIGEST_BODY, &g);
	check(g.foreign && digest_put(&b, &g, DIGEST_BODY, b.max));
	g.foreign = false;
	check(digest_get(buf_span(&b), DIGEST_BODY, &g) && g.foreign);
	run(&d, span_of("Content-Type: text/plain; charset=koi8-r\n\nx"), 2,
	    DIGEST_BODY, &g);
	check(!g.foreign && span_is(g.preview, "x"));
	buf_free(&b);
	digester_free(&d);
}

static void
test_fields(void)
{
	static struct digester d;
	struct digest g;
	struct span line;
	int id, n = 0;

	run(&d,
	    (struct span)TEXT("sUBJECT: a\n\tb\nX-Odd: 1\nTo:\r\n c\0\r\n"
			      "subject: 2\n\nbody"),
	    5, DIGEST_HEAD, &g);
	for (; digest_field_next(&g.fields, &id, &line); n++) {
		check(strcmp(digest_field_name(id),
			  n == 1 ? "To" : "Subject") == 0);
		check(span_is(line,
		    n == 0       ? "sUBJECT: a\r\n\tb\r\n"
			: n == 1 ? "To:\r\n c\200\r\n"
				 : "subject: 2\r\n"));
	}
	check(n == 3 && g.fields.n == 0);
	check(digest_field_id(SPAN("")) == -1);
	check(digest_field_id(SPAN("X-Odd")) == -1);
	check(digest_field_name(-1) == NULL);
	for (id = 0; digest_field_name(id) != NULL; id++)
		check(digest_field_id(span_of(digest_field_name(id))) == id);
	check(digest_field_name(id + 1) == NULL && id <= DIGEST_FIELDS);
	digester_free(&d);
}

/* What is kept comes back; every shorter text is refused or harmless. */
static void
test_kept(struct span all)
{
	static struct digester d;
	struct buf head = { .max = LIMIT_DIGEST * 3 }, body = head;
	struct digest g, back = { 0 }, other = { 0 };

	run(&d, all, 4096, DIGEST_BODY, &g);
	check(digest_put(&head, &g, DIGEST_HEAD, head.max));
	check(digest_put(&body, &g, DIGEST_BODY, body.max));
	check(digest_get(buf_span(&head), DIGEST_HEAD, &back));
	check(digest_get(buf_span(&body), DIGEST_BODY, &back));
	check(
	    same(&g, &back) && (back.fields.p == NULL) == (g.fields.p == NULL));
	for (size_t i = 0; i < head.n && i < 300; i++) {
		char *copy = malloc(i + 1);
		struct span line;
		int id;

		memcpy(copy, head.p, i);
		if (digest_get((struct span){ copy, i }, DIGEST_HEAD, &other))
			while (digest_field_next(&other.fields, &id, &line))
				check(line.n < i);
		if (digest_get((struct span){ copy, i }, DIGEST_BODY, &other))
			check(other.structure.n < i);
		free(copy);
	}
	buf_clear(&head);
	check(!digest_put(&head, &g, DIGEST_HEAD, g.envelope.n) && head.n == 0);
	check(digest_put(&head, &g, DIGEST_HEAD, g.envelope.n + 5));
	check(digest_get(buf_span(&head), DIGEST_HEAD, &back));
	check(span_eq(back.envelope, g.envelope));
	check(g.fields.n == 0 || back.fields.p == NULL);
	check(!digest_put(&body, &g, DIGEST_BODY, g.structure.n));
	buf_free(&head);
	buf_free(&body);
	digester_free(&d);
}

/* What was kept with a BODY before, by its bytes. */
static void
test_before(void)
{
	static const struct span before =
	    TEXT("\005\003\0\0(b)\013\0\0(structure)Hi");
	struct digest g = { 0 };

	check(digest_get(before, DIGEST_BODY, &g) && g.eight && g.foreign);
	check(span_is(g.structure, "(structure)"));
	check(span_is(g.preview, "Hi"));
	for (size_t i = 0; i < before.n - 2; i++) {
		g = (struct digest){ 0 };
		check(
		    !digest_get((struct span){ before.p, i }, DIGEST_BODY, &g));
	}
}

static void
test_long(void)
{
	static struct digester d;
	struct digest g;
	struct span all;

	all.p = long_message(&all.n);
	run(&d, all, 4096, DIGEST_BODY, &g);
	check(g.envelope.n > 0 && g.envelope.n <= LIMIT_DIGEST);
	check(g.envelope.p[g.envelope.n - 1] == ')');
	check(g.fields.p == NULL);
	test_kept(all);
	free((char *)all.p);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		test_same(span_of(messages[i]));
		test_kept(span_of(messages[i]));
	}
	for (size_t i = 0; i < sizeof(previews) / sizeof(previews[0]); i++)
		test_same(span_of(previews[i].in));
	test_previews();
	test_preview_length();
	test_charset();
	test_fields();
	test_before();
	test_long();
	return done();
}
