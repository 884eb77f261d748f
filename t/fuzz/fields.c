/* mail/fields: whatever a value holds, a header stays a header: no empty
 * line, and each line is a field or continues one. */
#include <assert.h>

#include "mail/fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(struct span text)
{
	bool first = true;

	assert(text.n == 0 || text.p[text.n - 1] == '\n');
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		assert(line.n > 0 && span_chr(line, '\r') == line.n);
		if (is_blank(*line.p))
			assert(!first);
		else
			assert(span_starts(line, "Aa:") ||
			    span_starts(line, "b:") ||
			    span_starts(line, "Top:"));
		first = false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct fields f = { .text.max = 4096, .first = 7 };
	struct span left = { (const char *)p, n };

	buf_puts(&f.text, "Top: x\nAa: 1\nb: 2\n\tmore\n");
	while (left.n >= 2) {
		uint8_t what = (uint8_t)left.p[0], index = (uint8_t)left.p[1];
		struct span name = what & 4 ? SPAN("Aa") : SPAN("b"), value;
		bool fits = false;

		span_take(&left, 2);
		value = span_cut(&left, '\0');
		if (value.n > 0)
			switch (what % 4) {
			case 0:
				fits = fields_add(&f, name, value);
				break;
			case 1:
				fits = fields_insert(&f, index, name, value);
				break;
			default:
				fits = fields_change(&f, index, name,
				    what % 4 == 2 ? value : SPAN(""));
				break;
			}
		assert(f.text.n <= f.text.max);
		if (fits)
			check(buf_span(&f.text));
		assert(span_starts(buf_span(&f.text), "Top: x\n"));
	}
	buf_free(&f.text);
	return 0;
}
