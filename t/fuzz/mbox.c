/* mail/mbox: where it is cut changes nothing. */
#include <assert.h>

#include "mail/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static uint64_t
run(struct span in, size_t step)
{
	struct mbox m = { 0 };
	struct span s, piece = { 0 };
	enum mbox_event e = MBOX_MORE;
	uint64_t hash = 5381;

	while (in.n > 0 && e != MBOX_NONE) {
		s = span_take(&in, step < in.n ? step : in.n);
		while ((e = mbox_next(&m, &s, &piece)) != MBOX_MORE &&
		    e != MBOX_NONE)
			if (e == MBOX_TEXT) {
				assert(piece.n > 0);
				for (size_t i = 0; i < piece.n; i++)
					hash = hash * 33 +
					    (unsigned char)piece.p[i];
			} else {
				hash = hash * 33 + 256 + e;
			}
	}
	if (e != MBOX_NONE && mbox_eof(&m, &piece) == MBOX_TEXT)
		for (size_t i = 0; i < piece.n; i++)
			hash = hash * 33 + (unsigned char)piece.p[i];
	return hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	uint64_t whole = run(in, n + 1);

	assert(run(in, 1) == whole);
	assert(run(in, 7) == whole);
	return 0;
}
