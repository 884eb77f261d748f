#include "base/num.h"

static bool
parse(struct span s, uint64_t max, uint64_t *u)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t d;

		if (!is_digit(s.p[i]))
			return false;
		d = (uint64_t)(s.p[i] - '0');
		if (d > max || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*u = v;
	return true;
}

bool
num_u64(struct span s, uint64_t *u)
{
	return parse(s, UINT64_MAX, u);
}

bool
num_u32(struct span s, uint32_t *u)
{
	uint64_t v;

	if (!parse(s, UINT32_MAX, &v))
		return false;
	*u = (uint32_t)v;
	return true;
}

uint64_t
num_or(struct span s, uint64_t max, uint64_t other)
{
	uint64_t v;

	return parse(s, max, &v) ? v : other;
}
