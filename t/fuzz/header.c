/* mail/header: what one piece gives, byte by byte gives too. */
#include <assert.h>

#include "mail/header.h"

/* The number of fields and their bytes, fed step bytes at a time. */
static uint64_t
count(const char *p, size_t n, size_t step, uint64_t *fields)
{
	struct header h;
	struct span in = { p, 0 };
	uint64_t bytes = 0;
	enum header_event e = HEADER_MORE;

	header_init(&h, 200);
	*fields = 0;
	while (e != HEADER_END) {
		size_t left = n - (size_t)(in.p - p);

		if (e == HEADER_MORE)
			in.n = left < step ? left : step;
		e = header_next(&h, &in);
		if (e == HEADER_MORE && in.p == p + n)
			e = header_eof(&h);
		if (e == HEADER_FIELD) {
			assert(h.raw.n > 0 && h.raw.n <= 200);
			bytes += h.raw.n;
			++*fields;
		}
	}
	header_free(&h);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t a, b;
	int64_t t;
	int zone;

	assert(count((const char *)p, n, n + 1, &a) ==
	    count((const char *)p, n, 1, &b));
	assert(a == b);
	if (header_date((struct span){ (const char *)p, n }, &t, &zone))
		assert(zone > -6000 && zone < 6000);
	return 0;
}
