/* mime: parts and sizes, however the message is cut. */
#include "mail/mime.h"
#include "mail/bodystructure.h"
#include "test.h"

static void
sketch(struct buf *b, const struct mime_part *p)
{
	for (; p != NULL; p = p->next) {
		buf_printf(b, "%s%s%s %d-%d-%d w%d l%d",
		    p->kind == MIME_MULTIPART     ? "multi"
			: p->kind == MIME_MESSAGE ? "msg"
						  : "leaf",
		    p->envelope != NULL ? "*" : "",
		    p->fields != NULL && p->fields->type.p != NULL ? "+" : "",
		    (int)p->head.file, (int)p->body.file, (int)p->end.file,
		    (int)(p->end.wire - p->body.wire),
		    (int)(p->end.lines - p->body.lines));
		if (p->child != NULL) {
			buf_putc(b, '(');
			sketch(b, p->child);
			buf_putc(b, ')');
		}
		buf_putc(b, ';');
	}
}

static const struct mime_part *
parse(struct arena *a, struct span all, size_t step)
{
	static struct mime m;

	mime_init(&m, a);
	while (all.n > 0)
		mime_feed(&m, span_take(&all, all.n < step ? all.n : step));
	return mime_end(&m);
}

#define MULTI "Content-Type: multipart/mixed; boundary=a\n\n"

static const struct {
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ "", "leaf* 0-0-0 w0 l0;" },
	{ "A: b\n", "leaf* 0-5-5 w0 l0;" },
	{ "A: b\n\nhi\nyou", "leaf* 0-6-12 w7 l1;" },
	{ "A: b\r\n\r\nhi\r\nyou\n", "leaf* 0-8-16 w9 l2;" },
	{ MULTI "--a\n\nx\n--a\n\ny\n--a--\nepilogue\n",
	    "multi*+ 0-43-72 w37 l8(leaf 47-48-49 w1 l0;leaf 54-55-56 w1 l0;);" },
	{ MULTI "pre\n--a \nA: b\n--a\n\ny\n", /* a header cut off, no end */
	    "multi*+ 0-43-64 w27 l6(leaf 52-57-57 w0 l0;leaf 61-62-64 w3 l1;);" },
	{ MULTI "--ab\n--a-\n--\n---a\n--a\n\n--a--", /* empty part */
	    "multi*+ 0-43-71 w34 l6(leaf 65-66-66 w0 l0;);" },
	{ MULTI "none\n", "multi*+ 0-43-48 w6 l1(leaf 48-48-48 w0 l0;);" },
	{ MULTI "--a--\n--a\n\n", "multi*+ 0-43-54 w14 l3(leaf 54-54-54 w0 l0;);" },
	{ MULTI "--a\nContent-Type: multipart/mixed; boundary=ab\n\n"
	    "--ab\n\nx\n--a\n\ny\n--a--\n", /* outer ends the inner one */
	    "multi*+ 0-43-112 w79 l10(multi+ 47-91-98 w9 l2("
	    "leaf 96-97-98 w1 l0;);leaf 103-104-105 w1 l0;);" },
	{ MULTI "--a text\n\nx\n--ab text\n--a-- text\ne\n",
	    "multi*+ 0-43-78 w41 l6(leaf 52-53-64 w12 l1;);" },
	{ "Content-Type: multipart/mixed; boundary=\"a b\"\n\n--a b\n" MULTI
	    "--a\n\nx\n--a b\n\ny\n--a b--\n", /* not the inner one and text */
	    "multi*+ 0-47-120 w83 l10(multi+ 53-96-102 w8 l2("
	    "leaf 100-101-102 w1 l0;);leaf 109-110-111 w1 l0;);" },
	{ MULTI "--a\r\n\r\nx\r\n--a--\r\n",
	    "multi*+ 0-43-60 w17 l4(leaf 48-50-51 w1 l0;);" },
	{ "Content-Type: message/rfc822\n\nSubject: x\n\nbody\n",
	    "msg*+ 0-30-47 w20 l3(leaf* 30-42-47 w6 l1;);" },
	{ "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	    "QUJD\n", "leaf*+ 0-64-69 w6 l1;" },
	{ "Content-Type: multipart/digest; boundary=\"a b\"\n\n--a b\n\nTo: x\n"
	    "\nhi\n--a b--\n", "multi*+ 0-48-73 w31 l6(msg 54-55-64 w11 l2("
	    "leaf* 55-62-64 w2 l0;););" },
	{ "Content-Type: multipart/mixed\n\n--a\n\nx\n", "leaf*+ 0-31-38 w10 l3;" },
	/* clang-format on */
};

static void
test_table(void)
{
	struct arena a = { .max = 1048576 };
	struct buf b = { .max = 65536 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++) {
			sketch(&b, parse(&a, span_of(cases[i].in), step));
			check(strcmp(buf_cstr(&b), cases[i].want) == 0);
			if (strcmp(b.p, cases[i].want) != 0 && step == 1)
				printf("# %s\n# %s\n# %s\n", cases[i].in, b.p,
				    cases[i].want);
			buf_clear(&b);
			arena_release(&a, (struct arena_mark){ 0 });
		}
	arena_free(&a);
	buf_free(&b);
}

static void
test_find(void)
{
	static const char text[] =
	    "Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n"
	    "Content-Type: message/rfc822\n\nSubject: in\n\ntext\n--a--\n";
	struct arena a = { .max = 1048576 };
	const struct mime_part *root = parse(&a, span_of(text), 7);
	struct mime_part *r = arena_alloc(&a, sizeof(*r)), *inner;

	*r = *root;
	check(mime_find(r, SPAN(""), &inner) == r && inner == r);
	check(mime_find(r, SPAN("1"), &inner) == r->child && inner == NULL);
	check(mime_find(r, SPAN("2"), &inner) == r->child->next);
	check(inner == r->child->next->child);
	check(mime_find(r, SPAN("2.1"), &inner) == r->child->next->child);
	check(mime_find(r, SPAN("3"), &inner) == NULL);
	check(mime_find(r, SPAN("1.1"), &inner) == NULL);
	check(mime_find(r, SPAN("2.1.1"), &inner) == NULL);
	check(mime_find(r, SPAN("0"), &inner) == NULL);
	check(mime_find(r, SPAN("1."), &inner) == r->child);
	arena_free(&a);
}

/* Bounded, and each byte is looked at a few times, whatever it says. */
static void
test_bombs(void)
{
	struct arena a = { .max = 2097152 };
	struct buf b = { .max = 16777216 }, out = { .max = 4194304 };
	const struct mime_part *p;

	for (int i = 0; i < 3000; i++)
		buf_printf(&b,
		    "Content-Type: multipart/mixed; boundary=b%d\n\n"
		    "--b%d\n",
		    i, i);
	p = parse(&a, buf_span(&b), 1000);
	check(bodystructure_put(&out, &a, p, true));
	arena_release(&a, (struct arena_mark){ 0 });
	buf_clear(&b);
	buf_clear(&out);
	for (int i = 0; i < 3000; i++)
		buf_puts(&b, "Content-Type: message/rfc822\n\n");
	p = parse(&a, buf_span(&b), 1000);
	check(bodystructure_put(&out, &a, p, true));
	arena_release(&a, (struct arena_mark){ 0 });
	buf_clear(&b);
	buf_clear(&out);
	buf_puts(&b, MULTI);
	for (int i = 0; i < 100000; i++)
		buf_puts(&b, "--a\nContent-Type: x/y; a=b; c=d; e=f\n\n\n");
	p = parse(&a, buf_span(&b), 4096);
	bodystructure_put(&out, &a, p, true);
	check(out.n > 100000 && a.used <= a.max);
	arena_free(&a);
	buf_free(&b);
	buf_free(&out);
}

/* Texts long enough that their lines are counted by blocks. */
static void
test_blocks(void)
{
	static const char *const lines[] = { "\n", "\r\n", "- x\n", "-\n", "y",
		"\n--b\n", "0123456789abcdef0123456789abcdef\r\n", "\r" };
	struct arena a = { .max = 300000 };
	struct arena_mark mark = arena_mark(&a);
	struct buf all = { .max = 100000 }, one = all, many = all;
	uint32_t seed = 1;

	for (int round = 0; round < 300; round++) {
		buf_clear(&all);
		buf_puts(&all, MULTI "--a\n\n");
		for (int i = 0; i < 90; i++) {
			seed = seed * 1103515245 + 12345;
			buf_puts(&all, lines[(seed >> 16) % 8]);
			if (i % 30 == 29)
				buf_puts(&all,
				    round % 2 == 0 ? "--a\n\n" : "\r\n--a\n\n");
		}
		buf_clear(&one);
		buf_clear(&many);
		sketch(&one, parse(&a, buf_span(&all), all.n));
		sketch(&many, parse(&a, buf_span(&all), 1));
		check(span_eq(buf_span(&one), buf_span(&many)));
		arena_release(&a, mark);
	}
	buf_free(&all);
	buf_free(&one);
	buf_free(&many);
	arena_free(&a);
}

int
main(void)
{
	test_table();
	test_find();
	test_bombs();
	test_blocks();
	return done();
}
