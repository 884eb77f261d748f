/* Domain names beyond ASCII: RFC 3492's samples, both ways, and refusals. */
#include "test.h"

#include "mail/idn.h"
#include "mail/nfc.h"

/* RFC 3492, section 7.1: code points and what they become. */
static const struct {
	uint32_t cp[64];
	const char *puny;
} samples[] = {
	/* clang-format off */
	{ { 0x644, 0x64a, 0x647, 0x645, 0x627, 0x628, 0x62a, 0x643, 0x644,
	    0x645, 0x648, 0x634, 0x639, 0x631, 0x628, 0x64a, 0x61f },
	    "egbpdaj6bu4bxfgehfvwxn" },
	{ { 0x4ed6, 0x4eec, 0x4e3a, 0x4ec0, 0x4e48, 0x4e0d, 0x8bf4, 0x4e2d,
	    0x6587 }, "ihqwcrb4cv8a8dqg056pqjye" },
	{ { 0x4ed6, 0x5011, 0x7232, 0x4ec0, 0x9ebd, 0x4e0d, 0x8aaa, 0x4e2d,
	    0x6587 }, "ihqwctvzc91f659drss3x8bo0yb" },
	{ { 'P', 'r', 'o', 0x10d, 'p', 'r', 'o', 's', 't', 0x11b, 'n', 'e',
	    'm', 'l', 'u', 'v', 0xed, 0x10d, 'e', 's', 'k', 'y' },
	    "Proprostnemluvesky-uyb24dma41a" },
	{ { 0x5dc, 0x5de, 0x5d4, 0x5d4, 0x5dd, 0x5e4, 0x5e9, 0x5d5, 0x5d8,
	    0x5dc, 0x5d0, 0x5de, 0x5d3, 0x5d1, 0x5e8, 0x5d9, 0x5dd, 0x5e2,
	    0x5d1, 0x5e8, 0x5d9, 0x5ea }, "4dbcagdahymbxekheh6e0a7fei0b" },
	{ { 0x92f, 0x939, 0x932, 0x94b, 0x917, 0x939, 0x93f, 0x928, 0x94d,
	    0x926, 0x940, 0x915, 0x94d, 0x92f, 0x94b, 0x902, 0x928, 0x939,
	    0x940, 0x902, 0x92c, 0x94b, 0x932, 0x938, 0x915, 0x924, 0x947,
	    0x939, 0x948, 0x902 },
	    "i1baa7eci9glrd9b2ae1bj0hfcgg6iyaf8o0a1dig0cd" },
	{ { 0x306a, 0x305c, 0x307f, 0x3093, 0x306a, 0x65e5, 0x672c, 0x8a9e,
	    0x3092, 0x8a71, 0x3057, 0x3066, 0x304f, 0x308c, 0x306a, 0x3044,
	    0x306e, 0x304b }, "n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa" },
	{ { 0x43f, 0x43e, 0x447, 0x435, 0x43c, 0x443, 0x436, 0x435, 0x43e,
	    0x43d, 0x438, 0x43d, 0x435, 0x433, 0x43e, 0x432, 0x43e, 0x440,
	    0x44f, 0x442, 0x43f, 0x43e, 0x440, 0x443, 0x441, 0x441, 0x43a,
	    0x438 }, "b1abfaaepdrnnbgefbadotcwatmq2g4l" },
	{ { 'P', 'o', 'r', 'q', 'u', 0xe9, 'n', 'o', 'p', 'u', 'e', 'd', 'e',
	    'n', 's', 'i', 'm', 'p', 'l', 'e', 'm', 'e', 'n', 't', 'e', 'h',
	    'a', 'b', 'l', 'a', 'r', 'e', 'n', 'E', 's', 'p', 'a', 0xf1, 'o',
	    'l' }, "PorqunopuedensimplementehablarenEspaol-fmd56a" },
	{ { '3', 0x5e74, 'B', 0x7d44, 0x91d1, 0x516b, 0x5148, 0x751f },
	    "3B-ww4c5e180e575a65lsy2b" },
	{ { 0x3072, 0x3068, 0x3064, 0x5c4b, 0x6839, 0x306e, 0x4e0b, '2' },
	    "2-u9tlzr9756bt3uc0v" },
	{ { 0x305d, 0x306e, 0x30b9, 0x30d4, 0x30fc, 0x30c9, 0x3067 },
	    "d9juau41awczczp" },
	{ { '-', '>', ' ', '$', '1', '.', '0', '0', ' ', '<', '-' },
	    "-> $1.00 <--" },
	{ { 'b', 0xfc, 'c', 'h', 'e', 'r' }, "bcher-kva" },
	{ { 0x1f4a9 }, "ls8h" },
	/* clang-format on */
};

static const struct {
	const char *domain, *ascii; /* NULL: there is none */
} names[] = {
	/* clang-format off */
	{ "Example.ORG", "example.org" },
	{ "b\303\274cher.example", "xn--bcher-kva.example" },
	{ "B\303\234CHER.Example", "xn--bcher-kva.example" },
	{ "bu\314\210cher.example", "xn--bcher-kva.example" },
	{ "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
	{ "stra\303\237e.example", "xn--strae-oqa.example" },
	{ "\320\237\320\240\320\230\320\234\320\225\320\240.\321\200\321\204",
	    "xn--e1afmkfd.xn--p1ai" },
	{ "\344\276\213\343\200\202jp", "xn--fsq.jp" },
	{ "a\357\274\216b", "a.b" },
	/* e, dot below, circumflex; in capitals; and as one letter */
	{ "vie\314\243\314\202t.vn", "xn--vit-5kz.vn" },
	{ "VI\341\273\206T.vn", "xn--vit-5kz.vn" },
	{ "l\302\267l.cat", "xn--ll-0ea.cat" },
	{ "_dmarc.example.org", "_dmarc.example.org" },
	{ "[192.0.2.1]", "[192.0.2.1]" },
	{ "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
	{ "", NULL }, { ".", NULL }, { "a.", NULL }, { ".a", NULL },
	{ "a..b", NULL }, { "a.\343\200\202b", NULL },
	{ "-\303\274.de", NULL }, { "\303\274-.de", NULL },
	{ "ab--\303\274.de", NULL },
	{ "\314\210u.de", NULL },              /* a mark in front */
	{ "a\302\255\303\274.de", NULL },      /* soft hyphen */
	{ "a\342\200\213b.de", NULL },         /* zero width space */
	{ "a\342\200\215b.de", NULL },         /* joiner without virama */
	{ "a\302\267b.de", NULL },             /* not between two l */
	{ "a b\303\274.de", NULL },
	{ "\303\274\377.de", NULL }, { "\355\240\200.de", NULL },
	{ "xn--.de", NULL }, { "xn--a.de", NULL },
	{ "xn--abc-.de", NULL },               /* nothing beyond ASCII */
	{ "xn--a-vca1v.de", NULL },             /* of what is refused */
	{ "xn--bcher-KVA\303\274.de", NULL },
	{ "xn--99999999.de", NULL },
	/* clang-format on */
};

static struct span
ascii_of(struct buf *b, const char *domain)
{
	buf_clear(b);
	return idn_to_ascii(b, span_of(domain)) ? buf_span(b) : SPAN("-");
}

static void
punycode(void)
{
	struct buf b = { .max = 300 };

	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint32_t cp[64];
		size_t n = 0;

		while (n < 64 && samples[i].cp[n] != 0)
			n++;
		buf_clear(&b);
		check(puny_encode(&b, samples[i].cp, n));
		check(span_is(buf_span(&b), samples[i].puny));
		check(puny_decode(buf_span(&b), cp, 64) == (int)n);
		check(memcmp(cp, samples[i].cp, n * sizeof(cp[0])) == 0);
		check(n < 2 || puny_decode(buf_span(&b), cp, n - 1) == -1 ||
		    i == 12);
	}
	buf_free(&b);
}

static void
lengths(void)
{
	struct buf b = { .max = 2000 }, d = { .max = 2000 };

	for (int i = 0; i < 63; i++)
		buf_putc(&d, 'a');
	check(span_eq(ascii_of(&b, buf_cstr(&d)), buf_span(&d)));
	buf_putc(&d, 'a');
	check(span_is(ascii_of(&b, buf_cstr(&d)), "-"));
	buf_clear(&d);
	for (int i = 0; i < 126; i++)
		buf_puts(&d, "a.");
	buf_putc(&d, 'a');
	check(ascii_of(&b, buf_cstr(&d)).n == 253);
	buf_putc(&d, 'a');
	check(span_is(ascii_of(&b, buf_cstr(&d)), "-"));
	/* a label of letters that are many bytes, and too long as ASCII */
	buf_clear(&d);
	for (int i = 0; i < 80; i++)
		buf_puts(&d, "\344\276\213");
	check(span_is(ascii_of(&b, buf_cstr(&d)), "-"));
	check(b.n == 0);
	buf_free(&b);
	buf_free(&d);
}

static void
back(void)
{
	struct buf b = { .max = 300 };

	check(idn_to_unicode(&b, SPAN("xn--bcher-kva.xn--p1ai.a.xn--a")));
	check(span_is(buf_span(&b), "b\303\274cher.\321\200\321\204.a.xn--a"));
	check(idn_same(
	    SPAN("B\303\234CHER.Example"), SPAN("xn--bcher-kva.EXAMPLE")));
	check(idn_same(SPAN("a.b"), SPAN("A.B")));
	check(!idn_same(SPAN("b\303\274cher.de"), SPAN("bucher.de")));
	check(!idn_same(SPAN("xn--a.de"), SPAN("\303\274.de")));
	buf_clear(&b);
	check(idn_address(&b, SPAN("\303\244@b\303\274cher.example")));
	check(span_is(buf_span(&b), "\303\244@xn--bcher-kva.example"));
	check(!idn_address(&b, SPAN("a@xn--a")));
	check(span_is(buf_span(&b), "\303\244@xn--bcher-kva.example"));
	buf_clear(&b);
	check(idn_address(&b, SPAN("postmaster")));
	buf_free(&b);
	b = (struct buf){ .max = 10 };
	check(!idn_to_ascii(&b, SPAN("b\303\274cher.example")) && b.n == 0);
	buf_free(&b);
	check(nfc_pair('A', 0x30a) == 0xc5 && nfc_pair('A', 'B') == 0);
	check(nfc_pair(0x1112, 0x1161) == 0xd558);
	check(nfc_pair(0xd558, 0x11ab) == 0xd55c);
	check(nfc_pair(0xd55c, 0x11ab) == 0);
}

int
main(void)
{
	struct buf b = { .max = 300 };

	punycode();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct span got = ascii_of(&b, names[i].domain);
		const char *want =
		    names[i].ascii == NULL ? "-" : names[i].ascii;

		if (!span_is(got, want))
			printf(
			    "# %s: %.*s\n", names[i].domain, (int)got.n, got.p);
		check(span_is(got, want));
	}
	buf_free(&b);
	lengths();
	back();
	return done();
}
