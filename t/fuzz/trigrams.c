/* mail/trigrams: what is in the text is never denied; noise is harmless. */
#include <assert.h>

#include "mail/trigrams.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct trigrams t;
	static char out[TRIGRAMS_SIZE];
	struct span in = { (const char *)p, n }, sig;

	(void)trigrams_may(in, SPAN("NEEDLE"));
	trigrams_clear(&t);
	trigrams_feed(&t, (struct span){ in.p, n / 3 });
	trigrams_feed(&t, (struct span){ in.p + n / 3, n - n / 3 });
	sig = trigrams_end(&t, out);
	for (size_t i = 0; i < n; i += 7)
		assert(trigrams_may(
		    sig, (struct span){ in.p + i, n - i < 9 ? n - i : 9 }));
	return 0;
}
