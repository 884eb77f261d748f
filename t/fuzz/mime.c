/*
 * mail/mime: parts lie in each other, cuts change nothing, and BODY is made
 * of BODYSTRUCTURE.
 */
#include <assert.h>

#include "mail/bodystructure.h"
#include "mail/encword.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
look(const struct mime_part *p, const struct mime_part *up)
{
	for (; p != NULL; p = p->next) {
		assert(p->head.file <= p->body.file);
		assert(p->body.file <= p->end.file);
		assert(p->body.wire <= p->end.wire);
		assert(p->body.lines <= p->end.lines);
		assert(p->parent == up);
		if (up != NULL)
			assert(p->head.file >= up->body.file &&
			    p->end.file <= up->end.file);
		look(p->child, p);
	}
}

static void
parse(struct span all, size_t step, struct buf *b)
{
	static struct mime m;
	struct arena a = { .max = 262144 };
	struct buf body = { .max = 1048576 }, brief = body;
	const struct mime_part *p;

	mime_init(&m, &a);
	while (all.n > 0)
		mime_feed(&m, span_take(&all, all.n < step ? all.n : step));
	p = mime_end(&m);
	look(p, NULL);
	if (bodystructure_put(b, &a, p, true)) {
		bodystructure_put(&body, &a, p, false);
		assert(bodystructure_brief(&brief, buf_span(b)));
		assert(span_eq(buf_span(&brief), buf_span(&body)));
	}
	buf_free(&body);
	buf_free(&brief);
	arena_free(&a);
}

static bool
convert(void *ctx, struct span charset, struct span text, struct buf *b)
{
	(void)ctx;
	return charset.n > 1 && buf_put(b, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf a = { .max = 1048576 }, b = { .max = 1048576 };
	struct span in = { (const char *)p, n };
	struct encword_charset cs = { convert, NULL };

	parse(in, n + 1, &a);
	parse(in, 3, &b);
	assert(span_eq(buf_span(&a), buf_span(&b)));
	buf_clear(&a);
	encword_decode(&a, in, &cs);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
