/* base/enc: what is encoded decodes to the same; nothing else passes. */
#include <assert.h>

#include "base/enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct code {
	bool (*enc)(struct buf *, struct span);
	bool (*dec)(struct buf *, struct span);
};

static const struct code codes[] = {
	{ enc_base64, dec_base64 },
	{ enc_hex, dec_hex },
	{ enc_xtext, dec_xtext },
	{ enc_pct, dec_pct },
};

static void
check(const struct code *c, struct span in)
{
	struct buf a, b;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	assert(c->enc(&a, in));
	assert(c->dec(&b, buf_span(&a)));
	assert(span_eq(buf_span(&b), in));
	for (size_t i = 0; i < a.n; i++)
		assert(is_print(a.p[i]) || (unsigned char)a.p[i] >= 0x80);
	buf_clear(&a);
	buf_clear(&b);
	if (c->dec(&a, in)) { /* maybe written in another way, but the same */
		assert(a.n <= in.n && c->enc(&b, buf_span(&a)));
		buf_clear(&a);
		assert(c->dec(&a, buf_span(&b)));
	}
	buf_free(&a);
	buf_free(&b);

	/* no room: false, and nothing is written */
	buf_init(&a, 8);
	buf_puts(&a, "kept");
	if (!c->dec(&a, in))
		assert(a.n == 4 && memcmp(a.p, "kept", 4) == 0);
	buf_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		check(&codes[i], (struct span){ (const char *)p, n });
	return 0;
}
