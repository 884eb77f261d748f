#include "store/format.h"

#include "base/num.h"

enum { FORMAT = 1 };

enum format_result
format_of(struct span file, const char *kind)
{
	uint32_t n;

	if (!span_starts(file, "pneu-"))
		return FORMAT_BAD;
	span_take(&file, 5);
	if (!span_starts(file, kind))
		return FORMAT_BAD;
	span_take(&file, strlen(kind));
	if (file.n == 0 || *file.p != ' ')
		return FORMAT_BAD;
	span_take(&file, 1);
	file.n = span_chr(file, '\n');
	if (file.n > 9 || !num_u32(file, &n) || n == 0)
		return FORMAT_BAD;
	return n == FORMAT ? FORMAT_OK : FORMAT_NEWER;
}
