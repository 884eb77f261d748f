#include <assert.h>

#include "store/uidlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct uidlist_row row;
	struct uidlist u;
	uint32_t last = 0;

	if (!uidlist_begin(&u, (struct span){ (const char *)p, n }))
		return 0;
	while (uidlist_next(&u, &row)) {
		assert(row.uid > last && row.uid < u.uidnext);
		assert(row.base.n > 0);
		last = row.uid;
	}
	return 0;
}
