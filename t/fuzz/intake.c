/* mail/intake: the same header, however it is cut, and never more. */
#include <assert.h>

#include "base/buf.h"
#include "mail/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
feed(struct intake *i, struct span in, struct buf *out)
{
	struct span piece;

	while (!i->done) {
		enum intake_event e = intake_next(i, &in, &piece);

		if (e == INTAKE_PIECE)
			buf_put(out, piece);
		else if (e == INTAKE_END)
			buf_puts(out, "@");
		else if (!i->done)
			return;
	}
	buf_put(out, in);
}

static void
run(struct span in, size_t step, struct buf *out)
{
	struct intake i = { .submission = true, .authserv = SPAN("mx.test") };

	while (in.n > 0)
		feed(&i, span_take(&in, in.n < step ? in.n : step), out);
	if (!i.done) {
		intake_eof(&i);
		feed(&i, SPAN(""), out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf a = { .max = 1 << 22 }, b = { .max = 1 << 22 };

	run(in, n + 1, &a);
	run(in, 1, &b);
	assert(span_eq(buf_span(&a), buf_span(&b)));
	assert(a.n <= n + 1);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
