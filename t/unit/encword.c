/* cte and encword: decoded text, however it is cut. */
#include "mail/encword.h"
#include "mail/cte.h"
#include "test.h"

static const struct {
	enum cte_kind kind;
	const char *in, *want;
} texts[] = {
	/* clang-format off */
	{ CTE_IDENTITY, "a=3D\r\n", "a=3D\r\n" },
	{ CTE_BASE64, "SGVs\r\nbG8=\r\n", "Hello" },
	{ CTE_BASE64, "S G!V-s", "Hel" },
	{ CTE_BASE64, "SGVsbG8=SGVsbG8=", "HelloHello" },
	{ CTE_BASE64, "====", "" },
	{ CTE_QP, "a=3Db=\r\nc=20\r\n", "a=bc \r\n" },
	{ CTE_QP, "a= \r\nb=zz=4z==41=", "ab=zz=4z=A" },
	/* clang-format on */
};

static void
test_cte(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t step = 1; step <= 16; step++) {
			struct cte d = { .kind = texts[i].kind };
			struct buf b = { .max = 1000 };
			struct span all = span_of(texts[i].in), in, piece;

			while (all.n > 0) {
				in = span_take(
				    &all, all.n < step ? all.n : step);
				while (in.n > 0)
					if (cte_next(&d, &in, &piece))
						buf_put(&b, piece);
			}
			check(strcmp(buf_cstr(&b), texts[i].want) == 0);
			buf_free(&b);
		}
}

static bool
convert(void *ctx, struct span charset, struct span text, struct buf *b)
{
	(void)ctx;
	if (span_iis(charset, "x"))
		return false;
	buf_putc(b, '<');
	buf_put(b, text);
	return buf_putc(b, '>');
}

static const struct {
	const char *in, *want;
} words[] = {
	/* clang-format off */
	{ "plain", "plain" },
	{ "=?u?q?a_b=3D?= c", "<a b=> c" },
	{ "=?u?Q?a?= =?U?B?Yg==?=", "<ab>" },
	{ "=?u?Q?a?=\r\n =?v?Q?b?=", "<a><b>" },
	{ "=?u?Q?a?= x =?u?Q?b?=", "<a> x <b>" },
	{ "=?x?Q?a?= =?x?Q?b?= c", "=?x?Q?a?= =?x?Q?b?= c" },
	{ "=?u*en?q?a?=", "<a>" },
	{ "=?u?z?a?= =?u?q?a b?= =? =?", "=?u?z?a?= =?u?q?a b?= =? =?" },
	{ "a\r\n b", "a b" },
	{ "=?u?q?=?=", "<>" },
	{ "=?u?q?a?=b=?u?q?c?=", "<a>b<c>" },
	/* clang-format on */
};

int
main(void)
{
	struct encword_charset cs = { convert, NULL };

	test_cte();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct buf b = { .max = 1000 };

		check(encword_decode(&b, span_of(words[i].in), &cs));
		check(strcmp(buf_cstr(&b), words[i].want) == 0);
		if (strcmp(b.p, words[i].want) != 0)
			printf("# %s\n# %s\n", words[i].in, b.p);
		buf_free(&b);
	}
	return done();
}
