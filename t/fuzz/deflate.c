/* io/deflate: where input is cut changes nothing that comes out. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "io/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MAX = 1048576 };

static size_t
unpack(enum deflate_format f, struct span s, size_t step, size_t room, char *to,
    bool *bad)
{
	struct inflate *i = inflate_open(f);
	size_t at = 0;
	ssize_t r = 0;

	while (s.n > 0 && r != -1 && at < MAX - 8192) {
		struct span in = span_take(&s, s.n < step ? s.n : step);

		do {
			size_t had = in.n;

			r = inflate_run(i, &in, to + at, room);
			at += r > 0 ? (size_t)r : 0;
			if (r == 0 && in.n == had)
				break;
		} while (r != -1 && at < MAX - 8192);
	}
	*bad = r == -1;
	inflate_close(i);
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char a[MAX], b[MAX];
	struct span in = { (const char *)p, n };

	for (int f = DEFLATE_RAW; f <= DEFLATE_GZIP; f++) {
		bool bad_a, bad_b;
		size_t na = unpack(f, in, n + 1, 8192, a, &bad_a);
		size_t nb = unpack(f, in, 1, 4096, b, &bad_b);

		if (na > MAX - 16384 || nb > MAX - 16384)
			continue;
		if (!bad_a && !bad_b)
			assert(na == nb);
		assert(memcmp(a, b, na < nb ? na : nb) == 0);
	}
	return 0;
}
