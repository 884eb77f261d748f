/* mail/wire and dotin: to the wire and back gives the same lines. */
#include <assert.h>

#include "base/buf.h"
#include "mail/dotin.h"
#include "mail/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct wire w = { .stuff = true };
	struct dotin d = { 0 };
	struct span in = { (const char *)p, n }, piece;
	struct buf sent = { .max = 4 * n + 10 }, back = { .max = 4 * n + 10 };
	enum dotin_result r;

	if (span_chr(in, '\r') != n)
		return 0;
	while (wire_next(&w, &in, &piece))
		buf_put(&sent, piece);
	buf_put(&sent, wire_end(&w, true));
	buf_puts(&sent, ".\r\n");
	assert(!sent.over);
	in = buf_span(&sent);
	while ((r = dotin_next(&d, &in, &piece)) == DOTIN_PIECE)
		buf_put(&back, piece);
	assert(r == DOTIN_END && in.n == 0);
	assert(back.n == n || back.n == n + 1);
	assert(n == 0 || memcmp(back.p, p, n) == 0);
	buf_free(&sent);
	buf_free(&back);
	return 0;
}
