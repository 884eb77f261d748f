/* pop3/ascii: whatever the header is, no byte of it above 7F gets out. */
#include <assert.h>

#include "pop3/ascii.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n }, piece;
	struct pop3_ascii a;
	size_t step = n > 0 ? (size_t)p[0] + 1 : 1;

	pop3_ascii_init(&a);
	while (in.n > 0) {
		struct span s = span_take(&in, step < in.n ? step : in.n);

		while (pop3_ascii_next(&a, &s, &piece))
			for (size_t i = 0; i < piece.n && !a.in_body; i++)
				assert((unsigned char)piece.p[i] < 0x80);
	}
	piece = pop3_ascii_end(&a);
	for (size_t i = 0; i < piece.n; i++)
		assert((unsigned char)piece.p[i] < 0x80);
	pop3_ascii_free(&a);
	return 0;
}
