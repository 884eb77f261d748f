/* io/proxyhdr: any bytes, and any cut of them, are one header or none. */
/* links: lib/io/proxyhdr.c */
#include <assert.h>
#include <string.h>

#include "io/proxyhdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct proxyhdr a, b;
	struct span whole = { (const char *)p, n }, in = whole, one;
	enum proxyhdr_result ra, rb = PROXYHDR_MORE;
	size_t used = 0;

	a = b = (struct proxyhdr){ .n = 0 };
	ra = proxyhdr_next(&a, &in);
	while (rb == PROXYHDR_MORE && used < n) {
		one = (struct span){ whole.p + used++, 1 };
		rb = proxyhdr_next(&b, &one);
	}
	assert(ra == rb && used == n - in.n);
	assert(ra != PROXYHDR_MORE || in.n == 0);
	assert(ra != PROXYHDR_PEER ||
	    (a.ip[0] != '\0' && a.local_ip[0] != '\0' && a.n == used &&
		memcmp(a.ip, b.ip, sizeof(a.ip)) == 0));
	return 0;
}
