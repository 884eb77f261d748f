/* 8-bit text made 7-bit: what is changed, and that it is the same after. */
#include "test.h"

#include "base/arena.h"
#include "mail/cte.h"
#include "mail/qp.h"
#include "mail/sevenbit.h"

static struct span all;

static bool
has_8bit(void *ctx, uint64_t from, uint64_t to)
{
	(void)ctx;
	for (uint64_t i = from; i < to; i++)
		if ((unsigned char)all.p[i] > 0x7f)
			return true;
	return false;
}

static void
encode(struct buf *b, struct span s, size_t step)
{
	struct qp q = { 0 };
	struct span piece;

	while (s.n > 0) {
		struct span in = span_take(&s, s.n < step ? s.n : step);

		while (qp_next(&q, &in, &piece))
			buf_put(b, piece);
	}
	buf_put(b, qp_end(&q));
}

/* The message as it goes out. */
static void
convert(struct buf *b, const char *text, size_t step)
{
	static struct mime m;
	struct sevenbit plan;
	struct arena a;
	size_t at = 0;

	all = span_of(text);
	arena_init(&a, 1 << 20);
	mime_init(&m, &a);
	mime_feed(&m, all);
	check(sevenbit_plan(&a, mime_end(&m), has_8bit, NULL, &plan));
	for (size_t i = 0; i < plan.n; i++) {
		struct sevenbit_place *p = &plan.places[i];
		struct span s = { all.p + p->from, (size_t)(p->to - p->from) };

		check(p->from >= at && p->to >= p->from && p->to <= all.n);
		buf_put(b, (struct span){ all.p + at, (size_t)p->from - at });
		if (p->kind == SEVENBIT_BODY)
			encode(b, s, step);
		else
			check(sevenbit_head(b, p, s));
		at = (size_t)p->to;
	}
	buf_put(b, (struct span){ all.p + at, all.n - at });
	arena_free(&a);
}

#define CTE "Content-Transfer-Encoding: "
#define UE "\303\274"

static const struct {
	const char *in, *want;
} cases[] = {
	/* clang-format off */
	{ "A: b\n\nascii\n", "A: b\n\nascii\n" },
	{ "A: b\n\n" UE "\n",
	    "A: b\nMIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=unknown-8bit\n"
	    CTE "quoted-printable\n\n=C3=BC\n" },
	{ "MIME-Version: 1.0\n" CTE "8bit\n\ta\nB: c\n\n" UE "=",
	    "MIME-Version: 1.0\nB: c\n" CTE "quoted-printable\n\n=C3=BC=3D" },
	{ "\n" UE, "MIME-Version: 1.0\n"
	    "Content-Type: text/plain; charset=unknown-8bit\n"
	    CTE "quoted-printable\n\n=C3=BC" },
	/* encoded already, or said to be */
	{ CTE "base64\n\n" UE, CTE "base64\n\n" UE },
	/* said to be 8-bit, and is not */
	{ "MIME-Version: 1.0\n" CTE "8bit\n\nx\n",
	    "MIME-Version: 1.0\n" CTE "7bit\n\nx\n" },
	{ "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n" CTE
	    "8bit\n\npre\n--a\n\nx\n--a\nB: " UE "\n" CTE "binary\n\n" UE
	    " \n--a\nContent-Type: message/rfc822\n" CTE "8bit\n\nS: x\n"
	    "Content-Type: text/plain\n\n" UE "\n--a--\n",
	    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n" CTE
	    "7bit\n\npre\n--a\n\nx\n--a\nB: " UE "\n" CTE
	    "quoted-printable\n\n=C3=BC=20\n"
	    "--a\nContent-Type: message/rfc822\n" CTE
	    "7bit\n\nS: x\nContent-Type: text/plain\n"
	    CTE "quoted-printable\n\n=C3=BC\n--a--\n" },
	/* clang-format on */
};

/* Bytes of every kind come back, no line is too long. */
static void
round_trip(void)
{
	char text[3000];
	struct buf b = { .max = 20000 }, back = { .max = 20000 };
	unsigned seed = 5, column = 0, longest = 0;
	struct cte c = { .kind = CTE_QP };
	struct span in, piece;

	for (size_t i = 0; i < sizeof(text); i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = seed >> 16 & 1 ? (char)(seed >> 20)
					 : "  \t\n=\ra."[seed >> 20 & 7];
		if (i > 0 && text[i] == '\n' && text[i - 1] == '\r')
			text[i] = 'x'; /* CRLF is one line end */
	}
	encode(&b, (struct span){ text, sizeof(text) }, 7);
	for (size_t i = 0; i < b.n; i++) {
		column = b.p[i] == '\n' ? 0 : column + 1;
		longest = column > longest ? column : longest;
		check((b.p[i] >= ' ' && b.p[i] <= '~') || b.p[i] == '\n' ||
		    b.p[i] == '\t');
		check(b.p[i] != '\n' || i == 0 || !is_blank(b.p[i - 1]));
	}
	check(longest == 76);
	in = buf_span(&b);
	while (cte_next(&c, &in, &piece))
		buf_put(&back, piece);
	check(span_eq(buf_span(&back), (struct span){ text, sizeof(text) }));
	buf_free(&b);
	buf_free(&back);
}

int
main(void)
{
	struct buf b = { .max = 4000 };
	struct arena a;
	struct mime_part root = { .kind = MIME_LEAF };
	struct sevenbit plan;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step < 9; step++) {
			buf_clear(&b);
			convert(&b, cases[i].in, step);
			check(span_is(buf_span(&b), cases[i].want));
		}
	round_trip();
	arena_init(&a, 100);
	check(!sevenbit_plan(&a, &root, has_8bit, NULL, &plan));
	arena_free(&a);
	buf_free(&b);
	return done();
}
