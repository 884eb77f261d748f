/* mail/sevenbit, mail/qp: places in order, and the text comes back. */
#include <assert.h>

#include "mail/cte.h"
#include "mail/qp.h"
#include "mail/sevenbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct span all;

static bool
has_8bit(void *ctx, uint64_t from, uint64_t to)
{
	(void)ctx;
	assert(from <= to && to <= all.n);
	for (uint64_t i = from; i < to; i++)
		if ((unsigned char)all.p[i] > 0x7f)
			return true;
	return false;
}

static void
body(struct span s)
{
	struct buf b = { .max = 8 * s.n + 64 }, back = { .max = 8 * s.n + 64 };
	struct cte c = { .kind = CTE_QP };
	struct qp q = { 0 };
	struct span in = s, piece;
	size_t column = 0, k = 0;

	while (in.n > 0) {
		struct span some = span_take(&in, in.n < 7 ? in.n : 7);

		while (qp_next(&q, &some, &piece))
			buf_put(&b, piece);
	}
	buf_put(&b, qp_end(&q));
	for (size_t i = 0; i < b.n; i++) {
		column = b.p[i] == '\n' ? 0 : column + 1;
		assert(column <= 76 && (unsigned char)b.p[i] < 0x7f);
	}
	in = buf_span(&b);
	while (cte_next(&c, &in, &piece))
		buf_put(&back, piece);
	for (size_t i = 0; i < s.n; i++) /* CRLF has become LF */
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			assert(k < back.n && back.p[k++] == s.p[i]);
	assert(k == back.n);
	buf_free(&b);
	buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct mime m;
	struct sevenbit plan;
	struct arena a;
	uint64_t at = 0;

	all = (struct span){ (const char *)p, n };
	arena_init(&a, 1 << 22);
	mime_init(&m, &a);
	mime_feed(&m, all);
	if (sevenbit_plan(&a, mime_end(&m), has_8bit, NULL, &plan))
		for (size_t i = 0; i < plan.n; i++) {
			struct sevenbit_place *to = &plan.places[i];
			struct span s = { all.p + to->from,
				(size_t)(to->to - to->from) };
			struct buf b = { .max = 2 * s.n + 300 };

			assert(to->from >= at && to->to <= n);
			at = to->to;
			if (to->kind == SEVENBIT_BODY)
				body(s);
			else
				assert(sevenbit_head(&b, to, s));
			buf_free(&b);
		}
	arena_free(&a);
	return 0;
}
