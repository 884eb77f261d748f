/* mail/digest: cuts change nothing, what is kept comes back. */
#include <assert.h>

#include "mail/bodystructure.h"
#include "mail/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
run(struct digester *d, struct span all, size_t step, struct digest *g)
{
	digester_begin(d, DIGEST_BODY);
	while (all.n > 0)
		digester_feed(d, span_take(&all, all.n < step ? all.n : step));
	digester_end(d, g);
}

static void
same(const struct digest *a, const struct digest *b)
{
	assert(span_eq(a->envelope, b->envelope));
	assert(span_eq(a->fields, b->fields));
	assert(span_eq(a->structure, b->structure));
	assert(span_eq(a->preview, b->preview));
	assert(a->eight == b->eight);
}

static void
look(struct span s)
{
	struct buf b = { .max = LIMIT_DIGEST };
	struct digest g = { 0 };
	struct span line;
	int id;

	if (digest_get(s, DIGEST_HEAD, &g))
		while (digest_field_next(&g.fields, &id, &line))
			assert(digest_field_name(id) != NULL && line.n <= s.n);
	if (digest_get(s, DIGEST_BODY, &g))
		assert(g.structure.n <= s.n);
	if (bodystructure_brief(&b, s))
		assert(b.n >= 2 && b.n < s.n);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct digester one, two;
	struct span in = { (const char *)p, n };
	struct digest a, b, back = { 0 };
	struct buf head = { .max = LIMIT_DIGEST_KEPT * 2 }, body = head;

	look(in);
	run(&one, in, n + 1, &a);
	run(&two, in, 1 + n % 5, &b);
	same(&a, &b);
	assert(a.size == b.size);
	if (digest_put(&head, &a, DIGEST_HEAD, head.max) &&
	    digest_put(&body, &a, DIGEST_BODY, body.max)) {
		assert(digest_get(buf_span(&head), DIGEST_HEAD, &back));
		assert(digest_get(buf_span(&body), DIGEST_BODY, &back));
		same(&a, &back);
	}
	buf_free(&head);
	buf_free(&body);
	return 0;
}
