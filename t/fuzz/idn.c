/* mail/idn: the ASCII form is one, and stays itself both ways. */
#include <assert.h>

#include "mail/idn.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf a = { .max = 300 }, u = { .max = 2000 }, b = { .max = 300 };

	if (idn_to_ascii(&a, in) && in.p[0] != '[') {
		assert(a.n > 0 && a.n <= 253);
		for (size_t i = 0; i < a.n; i++)
			assert((unsigned char)a.p[i] < 0x80);
		assert(idn_to_unicode(&u, buf_span(&a)));
		assert(idn_to_ascii(&b, buf_span(&u)));
		assert(span_eq(buf_span(&a), buf_span(&b)));
		assert(idn_same(in, buf_span(&u)));
	}
	buf_clear(&u);
	idn_to_unicode(&u, in);
	buf_free(&a);
	buf_free(&u);
	buf_free(&b);
	return 0;
}
