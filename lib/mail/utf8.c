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

/*
 * UTF-8 as in RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF.
 */
bool
utf8_take(struct span *s, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char b;
	size_t more;

	if (s->n == 0)
		return false;
	b = (unsigned char)*s->p;
	if (b < 0x80)
		more = 0;
	else if (b >= 0xc2 && b < 0xe0)
		more = 1;
	else if (b >= 0xe0 && b < 0xf0)
		more = 2;
	else if (b >= 0xf0 && b < 0xf5)
		more = 3;
	else
		return false;
	if (s->n <= more)
		return false;
	*c = more == 0 ? b : b & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		b = (unsigned char)s->p[i];
		if ((b & 0xc0) != 0x80)
			return false;
		*c = *c << 6 | (b & 0x3f);
	}
	if (*c < least[more] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return false;
	span_take(s, more + 1);
	return true;
}

bool
utf8_put(struct buf *b, uint32_t c)
{
	static const unsigned lead[] = { 0, 0xc0, 0xe0, 0xf0 };
	size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	buf_putc(b, (char)(lead[more] | c >> 6 * more));
	while (more-- > 0)
		buf_putc(b, (char)(0x80 | (c >> 6 * more & 0x3f)));
	return !b->over;
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
