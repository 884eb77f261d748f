#include "base/span.h"

static bool
same_folded(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (to_lower(a[i]) != to_lower(b[i]))
			return false;
	return true;
}

bool
span_ieq(struct span a, struct span b)
{
	return a.n == b.n &&
	    (span_eq(a, b) || same_folded(a.p, b.p, a.n)); /* most are equal */
}

bool
span_istarts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && same_folded(s.p, prefix, n);
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (r != 0)
		return r;
	return a.n < b.n ? -1 : a.n > b.n;
}

size_t
span_rchr(struct span s, char c)
{
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] == c)
			return i - 1;
	return s.n;
}

size_t
span_find(struct span s, struct span needle)
{
	size_t at = 0;

	if (needle.n == 0)
		return 0;
	while (s.n - at >= needle.n) {
		struct span rest = { s.p + at, s.n - at - needle.n + 1 };
		size_t i = span_chr(rest, needle.p[0]);

		if (i == rest.n)
			return s.n;
		at += i;
		if (memcmp(s.p + at, needle.p, needle.n) == 0)
			return at;
		at++;
	}
	return s.n;
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		span_take(&s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span
span_cut(struct span *s, char sep)
{
	struct span head = span_take(s, span_chr(*s, sep));

	if (s->n > 0)
		span_take(s, 1);
	return head;
}

struct span
span_word(struct span *s)
{
	size_t n = 0;

	while (s->n > 0 && is_blank(s->p[0]))
		span_take(s, 1);
	while (n < s->n && !is_blank(s->p[n]))
		n++;
	return span_take(s, n);
}

bool
span_cstr(struct span s, char *dst, size_t size)
{
	dst[0] = '\0';
	if (s.n >= size || span_chr(s, '\0') != s.n)
		return false;
	if (s.n > 0)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}

bool
same_secret(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;
	volatile unsigned char diff = 0;

	for (size_t i = 0; i < n; i++)
		diff = (unsigned char)(diff | (x[i] ^ y[i]));
	return diff == 0;
}

void
wipe(void *p, size_t n)
{
	volatile unsigned char *v = p;

	while (n-- > 0)
		*v++ = 0;
}

bool
span_is_8bit(struct span s)
{
	uint64_t all = 0, eight;

	for (; s.n >= sizeof(eight); span_take(&s, sizeof(eight))) {
		memcpy(&eight, s.p, sizeof(eight));
		all |= eight;
	}
	for (; s.n > 0; span_take(&s, 1))
		all |= (unsigned char)*s.p;
	return (all & UINT64_C(0x8080808080808080)) != 0;
}
