/* mail/casemap: where the text is cut makes no difference. */
#include <assert.h>

#include "mail/casemap.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	struct buf a = { .max = 1 << 22 }, b = { .max = 1 << 22 };
	struct casemap m = { 0 };
	char to[CASEMAP_ROOM];
	size_t k;

	casemap_buf(&a, in);
	for (size_t i = 0; i < n; i++) {
		struct span piece = { (const char *)p + i, 1 };

		for (int tries = 0; piece.n > 0; tries++) {
			k = casemap_feed(&m, &piece, to, sizeof(to));
			assert(k > 0 || piece.n == 0);
			assert(tries < 2);
			buf_put(&b, (struct span){ to, k });
		}
	}
	k = casemap_end(&m, to);
	buf_put(&b, (struct span){ to, k });
	assert(span_eq(buf_span(&a), buf_span(&b)));
	buf_free(&a);
	buf_free(&b);
	return 0;
}
