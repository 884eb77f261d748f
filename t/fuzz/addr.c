/* mail/addr: what is taken for a path is an address when looked at again. */
#include <assert.h>

#include "mail/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n }, addr, local, domain;
	struct arena a;

	arena_init(&a, 1 << 20);
	if (addr_path(&a, &in, &addr)) {
		assert(in.n < n);
		assert(addr.n == 0 || addr_valid(addr));
		if (addr_split(addr, &local, &domain))
			assert(local.n + domain.n + 1 == addr.n);
	}
	arena_free(&a);
	return 0;
}
