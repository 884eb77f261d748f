#include "mail/utf8.h"

/* How many bytes follow a lead byte; -1 for what is none. */
static int
following(unsigned char c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

bool
utf8_valid(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i++];
		int n = following(c);
		unsigned char low = 0x80, high = 0xbf;

		if (n == -1 || (size_t)n > s.n - i)
			return false;
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		for (; n > 0; n--, low = 0x80, high = 0xbf) {
			c = (unsigned char)s.p[i++];
			if (c < low || c > high)
				return false;
		}
	}
	return true;
}

/* U+0080 to U+07FF */
static unsigned
fold_letter(unsigned c)
{
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x12f) || (c >= 0x132 && c <= 0x137) ||
	    (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
	    (c >= 0x48a && c <= 0x4bf))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c % 2 == 1 ? c + 1 : c;
	return c;
}

size_t
utf8_fold(struct utf8_fold *f, char ch, char to[2])
{
	unsigned char c = (unsigned char)ch, lead = f->lead;
	unsigned letter;

	f->lead = 0;
	if (lead != 0 && c >= 0x80 && c <= 0xbf) {
		letter = fold_letter(
		    ((unsigned)lead & 0x1f) << 6 | ((unsigned)c & 0x3f));
		to[0] = (char)(0xc0 | letter >> 6);
		to[1] = (char)(0x80 | (letter & 0x3f));
		return 2;
	}
	if (lead != 0) { /* not UTF-8: as it is */
		to[0] = (char)lead;
		to[1] = to_lower(ch);
		return 2;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		f->lead = c;
		return 0;
	}
	to[0] = to_lower(ch);
	return 1;
}

void
utf8_fold_all(char *p, size_t n)
{
	struct utf8_fold f = { 0 };
	size_t at = 0;
	char to[2];

	for (size_t i = 0; i < n; i++) {
		size_t k = utf8_fold(&f, p[i], to);

		memcpy(p + at, to, k);
		at += k;
	}
	if (f.lead != 0)
		p[at] = (char)f.lead;
}
