/* mail/basesubject: what is left has nothing more to be taken off. */
#include <assert.h>

#include "mail/basesubject.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[4096], again[4096];
	struct basesubject b, c;

	if (n > sizeof(text))
		return 0;
	memcpy(text, p, n);
	b = basesubject_of(text, n);
	assert(b.text.n <= n);
	memcpy(again, b.text.p, b.text.n);
	c = basesubject_of(again, b.text.n);
	assert(span_eq(b.text, c.text) && !c.reply);
	return 0;
}
