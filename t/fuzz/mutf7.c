/* store/mutf7: what decodes encodes to the same; names lead to folders. */
#include <assert.h>

#include "store/boxname.h"
#include "store/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n };
	char dir[BOXNAME_DIR];
	struct buf a, b;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	if (mutf7_decode(&a, in)) {
		assert(mutf7_encode(&b, buf_span(&a)));
		assert(span_eq(buf_span(&b), in));
	}
	buf_clear(&a);
	buf_clear(&b);
	if (mutf7_encode(&a, in)) {
		assert(mutf7_decode(&b, buf_span(&a)));
		assert(span_eq(buf_span(&b), in));
	}
	buf_clear(&a);
	if (boxname_dir(in, '/', dir) && dir[0] != '\0') {
		assert(dir[0] == '.' && strchr(dir, '/') == NULL);
		assert(strstr(dir, "..") == NULL);
		assert(boxname_of(&a, dir, '/'));
		assert(span_ieq(buf_span(&a), in));
	}
	buf_free(&a);
	buf_free(&b);
	return 0;
}
