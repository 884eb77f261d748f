/* io/dnsmsg: any bytes as an answer */
#include <assert.h>

#include "io/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_PTR,
		DNS_MX, DNS_TXT, DNS_AAAA, DNS_TLSA };
	struct arena a;

	if (n > 4096)
		return 0;
	arena_init(&a, 1 << 20);
	for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		struct arena_mark mark = arena_mark(&a);
		struct dnsmsg d;

		if (dnsmsg_parse(&a, (struct span){ (const char *)p, n },
			0x1234, SPAN("a.test"), types[t], &d)) {
			assert((d.result == DNS_OK) == (d.answer.n > 0));
			for (size_t i = 0; i < d.answer.n; i++)
				assert(d.answer.rr[i].data.n <= n);
		}
		arena_release(&a, mark);
	}
	arena_free(&a);
	return 0;
}
