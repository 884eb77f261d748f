/* mail/unbinary: how the input is cut changes nothing; text comes out. */
#include <assert.h>

#include "mail/unbinary.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
run(struct span in, size_t step, struct arena *a, struct buf *to)
{
	static struct unbinary u;
	enum unbinary_result r;
	struct span part, piece;
	int ended = 0;

	unbinary_init(&u, a);
	for (;;) {
		part = span_take(&in, in.n < step ? in.n : step);
		if (part.n == 0) {
			unbinary_end(&u);
			ended = 1;
		}
		while (
		    (r = unbinary_next(&u, &part, &piece)) == UNBINARY_PIECE) {
			assert(piece.n > 0);
			buf_put(to, piece);
			if (part.n == 0 && in.n == 0 && !ended)
				break; /* the end may be told now */
		}
		assert(part.n == 0 || r == UNBINARY_BAD);
		if (r == UNBINARY_BAD || ended)
			return r == UNBINARY_BAD;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n < 65536 ? n : 65536 };
	struct buf x = { .max = 1 << 20 }, y = { .max = 1 << 20 };
	struct arena a;
	int bad;

	arena_init(&a, 65536);
	bad = run(in, in.n + 1, &a, &x);
	assert(run(in, 1, &a, &y) == bad);
	if (!bad) {
		assert(span_eq(buf_span(&x), buf_span(&y)));
		assert(span_chr(buf_span(&x), '\r') == x.n);
		assert(span_chr(buf_span(&x), '\0') == x.n);
		assert(x.n == 0 || x.p[x.n - 1] == '\n');
	}
	arena_free(&a);
	buf_free(&x);
	buf_free(&y);
	return 0;
}
