/* Modified UTF-7, RFC 3501, section 5.1.3. */
#include "store/mutf7.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct bits {
	uint32_t value;
	unsigned n;
};

static void
put_unit(struct buf *b, struct bits *w, uint32_t unit)
{
	w->value = w->value << 16 | unit;
	for (w->n += 16; w->n >= 6; w->n -= 6)
		buf_putc(b, digits[w->value >> (w->n - 6) & 0x3f]);
}

static void
end_base64(struct buf *b, struct bits *w)
{
	if (w->n > 0)
		buf_putc(b, digits[w->value << (6 - w->n) & 0x3f]);
	buf_putc(b, '-');
	*w = (struct bits){ 0 };
}

bool
mutf7_encode(struct buf *b, struct span s)
{
	struct bits w = { 0 };
	bool in = false;
	uint32_t c;

	while (s.n > 0) {
		if (!utf8_take(&s, &c))
			return false;
		if (c >= 0x20 && c < 0x7f) {
			if (in)
				end_base64(b, &w);
			in = false;
			buf_putc(b, (char)c);
			if (c == '&')
				buf_putc(b, '-');
			continue;
		}
		if (!in)
			buf_putc(b, '&');
		in = true;
		if (c >= 0x10000) {
			put_unit(b, &w, 0xd800 | (c - 0x10000) >> 10);
			c = 0xdc00 | ((c - 0x10000) & 0x3ff);
		}
		put_unit(b, &w, c);
	}
	if (in)
		end_base64(b, &w);
	return !b->over;
}

/* One UTF-16 unit of the base64 run; high keeps the first of a pair. */
static bool
take_unit(struct buf *b, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xdc00 || unit >= 0xe000)
			return false;
		utf8_put(
		    b, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (unit >= 0xdc00 && unit < 0xe000)
		return false;
	if (unit >= 0xd800 && unit < 0xdc00) {
		*high = unit;
		return true;
	}
	if (unit >= 0x20 && unit < 0x7f)
		return false; /* is to stand for itself */
	return utf8_put(b, unit);
}

/* "&" *base64 "-", of which the "&" is taken. */
static bool
take_run(struct buf *b, struct span *s)
{
	struct span run = { s->p, span_chr(*s, '-') };
	struct bits w = { 0 };
	uint32_t high = 0;

	if (run.n == s->n)
		return false;
	span_take(s, run.n + 1);
	if (run.n == 0)
		return buf_putc(b, '&');
	for (; run.n > 0; span_take(&run, 1)) {
		const char *d = *run.p == '\0' ? NULL : strchr(digits, *run.p);

		if (d == NULL)
			return false;
		w.value = (w.value & 0xffff) << 6 | (uint32_t)(d - digits);
		w.n += 6;
		if (w.n < 16)
			continue;
		w.n -= 16;
		if (!take_unit(b, w.value >> w.n & 0xffff, &high))
			return false;
	}
	/* Two runs in a row would be one, written in two ways. */
	if (s->n >= 2 && s->p[0] == '&' && s->p[1] != '-')
		return false;
	return high == 0 && w.n < 6 &&
	    (w.value & ((UINT32_C(1) << w.n) - 1)) == 0;
}

bool
mutf7_decode(struct buf *b, struct span s)
{
	size_t n = b->n;

	while (s.n > 0) {
		char c = *span_take(&s, 1).p;

		if (!is_print(c) || (c == '&' && !take_run(b, &s))) {
			b->n = n;
			return false;
		}
		if (c != '&')
			buf_putc(b, c);
	}
	if (b->over)
		b->n = n;
	return !b->over;
}
