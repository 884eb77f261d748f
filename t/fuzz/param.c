/* mail/param: any parameters. */
#include "mail/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool
convert(void *ctx, struct span charset, struct span text, struct buf *b)
{
	(void)ctx;
	return charset.n > 3 && buf_put(b, text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct encword_charset cs = { convert, NULL };
	struct mime_fields f = { 0 };
	struct buf b = { .max = 1 << 20 };
	struct arena a;

	arena_init(&a, 1 << 22);
	mimefield_note(&a, &f, SPAN("Content-Type"),
	    (struct span){ (const char *)p, n }, 1 << 21);
	param_put(&b, f.params, "name", &cs);
	buf_free(&b);
	arena_free(&a);
	return 0;
}
