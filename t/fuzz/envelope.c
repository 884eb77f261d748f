/* queue/envelope: an envelope ends where its message begins, however cut. */
#include <assert.h>

#include "queue/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	enum envelope_result whole;
	struct envelope e, f;
	struct arena a;

	arena_init(&a, 1 << 24);
	whole = envelope_parse(&a, text, &e);
	if (whole == ENVELOPE_OK) {
		assert(e.message_at <= n && e.message_at > 0);
		for (size_t i = 0; i < e.nrcpts; i++)
			assert(e.rcpts[i].at + 2 <= e.message_at);
		/* up to the blank line it parses, before it wants more */
		text.n = e.message_at;
		assert(envelope_parse(&a, text, &f) == ENVELOPE_OK);
		assert(f.nrcpts == e.nrcpts && f.size == e.size);
		text.n--;
		assert(envelope_parse(&a, text, &f) != ENVELOPE_OK);
	}
	arena_free(&a);
	return 0;
}
