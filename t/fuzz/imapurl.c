/* imap/imapurl: nothing that is decoded holds a control character. */
#include <assert.h>

#include "base/buf.h"
#include "imap/imapurl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
clean(struct span s, size_t n)
{
	assert(s.n <= n);
	for (size_t i = 0; i < s.n; i++)
		assert((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena a;
	struct imapurl u;

	arena_init(&a, 1048576 + 8 * n);
	if (imapurl_parse(&a, (struct span){ (const char *)p, n }, &u)) {
		assert(u.uid > 0 && (u.selected || u.mailbox.n > 0));
		clean(u.mailbox, n);
		clean(u.section, n);
		clean(u.user, n);
		clean(u.host, n);
	}
	arena_free(&a);
	return 0;
}
