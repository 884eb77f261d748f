/* mail/dotin: never more out than in, no bare CR or LF passed. */
#include <assert.h>

#include "mail/dotin.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct dotin d = { 0 };
	struct span in = { (const char *)p, n }, piece;
	size_t total = 0;

	while (dotin_next(&d, &in, &piece) == DOTIN_PIECE) {
		assert(piece.n > 0);
		assert(span_chr(piece, '\r') == piece.n);
		total += piece.n;
	}
	assert(total + in.n <= n);
	return 0;
}
