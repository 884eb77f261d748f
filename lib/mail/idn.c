#include "mail/idn.h"

#include "mail/addr.h"
#include "mail/nfc.h"
#include "mail/utf8.h"

enum {
	BASE = 36,
	TMIN = 1,
	TMAX = 26,
	SKEW = 38,
	DAMP = 700,
	BIAS = 72,
	FIRST = 0x80,
	LAST = 0x10ffff,
	LABEL_MAX = 63,
	NAME_MAX = 253,
	CP_MAX = 256
};

/* RFC 3492, section 6.1 */
static uint32_t
adapt(uint32_t delta, uint32_t n, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / n;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t
threshold(uint32_t k, uint32_t bias)
{
	return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static void
put_number(struct buf *b, uint32_t q, uint32_t bias)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias);

		if (q < t)
			break;
		buf_putc(b, digits[t + (q - t) % (BASE - t)]);
		q = (q - t) / (BASE - t);
	}
	buf_putc(b, digits[q]);
}

/* The least code point that is not below n. */
static uint32_t
least(const uint32_t *cp, size_t len, uint32_t n)
{
	uint32_t m = UINT32_MAX;

	for (size_t i = 0; i < len; i++)
		if (cp[i] >= n && cp[i] < m)
			m = cp[i];
	return m;
}

bool
puny_encode(struct buf *b, const uint32_t *cp, size_t len)
{
	uint32_t n = FIRST, delta = 0, bias = BIAS;
	size_t basic = 0, done;

	for (size_t i = 0; i < len; i++)
		if (cp[i] < FIRST) {
			buf_putc(b, (char)cp[i]);
			basic++;
		}
	if (basic > 0)
		buf_putc(b, '-');
	for (done = basic; done < len; n++) {
		uint32_t m = least(cp, len, n);

		if (m > LAST || len > CP_MAX)
			return false;
		/* below 2^32: len is CP_MAX at most, m LAST */
		delta += (m - n) * (uint32_t)(done + 1);
		n = m;
		for (size_t i = 0; i < len; i++) {
			delta += cp[i] < n;
			if (cp[i] != n)
				continue;
			put_number(b, delta, bias);
			bias = adapt(delta, (uint32_t)done + 1, done == basic);
			done++;
			delta = 0;
		}
		delta++;
	}
	return !b->over;
}

static uint32_t
digit(char c)
{
	c = to_lower(c);
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a');
	return is_digit(c) ? (uint32_t)(c - '0') + 26 : BASE;
}

/* A number in front of *s, added to *i; false when there is none. */
static bool
take_number(struct span *s, uint32_t bias, uint32_t *i)
{
	uint64_t w = 1, sum = *i;

	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias), d;

		if (s->n == 0 || (d = digit(*s->p)) == BASE)
			return false;
		span_take(s, 1);
		sum += d * w;
		if (sum > UINT32_MAX)
			return false;
		if (d < t)
			break;
		w *= BASE - t;
		if (w > UINT32_MAX)
			return false;
	}
	*i = (uint32_t)sum;
	return true;
}

int
puny_decode(struct span s, uint32_t *cp, size_t max)
{
	uint32_t n = FIRST, i = 0, bias = BIAS;
	size_t len = 0, dash = span_rchr(s, '-');

	if (dash < s.n) {
		for (; len < dash && len < max; len++)
			if ((unsigned char)s.p[len] >= FIRST)
				return -1;
			else
				cp[len] = (unsigned char)s.p[len];
		span_take(&s, dash + 1);
	}
	while (s.n > 0) {
		uint32_t was = i, count = (uint32_t)len + 1;

		if (len >= max || !take_number(&s, bias, &i))
			return -1;
		bias = adapt(i - was, count, was == 0);
		if (i / count > LAST - n)
			return -1;
		n += i / count;
		i %= count;
		memmove(cp + i + 1, cp + i, (len - i) * sizeof(*cp));
		cp[i++] = n;
		len++;
	}
	return (int)len;
}

static uint32_t
fold(uint32_t c)
{
	struct utf8_fold f = { 0 };
	struct span s;
	char to[4];

	/* Latin Extended Additional: pairs, the small letter behind */
	if ((c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff))
		return c | 1;
	if (c >= 0x800)
		return c;
	if (c < 0x80)
		return (uint32_t)(unsigned char)to_lower((char)c);
	utf8_fold(&f, (char)(0xc0 | c >> 6), to);
	s = (struct span){ to, utf8_fold(&f, (char)(0x80 | (c & 0x3f)), to) };
	return utf8_take(&s, &c) ? c : 0;
}

struct range {
	uint32_t first, last;
};

static bool
in(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n; i++)
		if (c >= r[i].first && c <= r[i].last)
			return true;
	return false;
}

/* Controls, blanks, what is not to be seen or nobody's (RFC 5892). */
static bool
disallowed(uint32_t c)
{
	static const struct range no[] = { { 0x80, 0xa0 }, { 0xad, 0xad },
		{ 0x34f, 0x34f }, { 0x61c, 0x61c }, { 0x1680, 0x1680 },
		{ 0x180b, 0x180f }, { 0x2000, 0x200b }, { 0x200e, 0x200f },
		{ 0x2024, 0x2026 }, { 0x2028, 0x202f }, { 0x205f, 0x206f },
		{ 0x3000, 0x3002 }, { 0x3164, 0x3164 }, { 0xd800, 0xf8ff },
		{ 0xfe00, 0xfe0f }, { 0xfe52, 0xfe52 }, { 0xfeff, 0xfeff },
		{ 0xff00, 0xff64 }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xffff },
		{ 0xe0000, LAST } };

	if (c < 0x80)
		return !is_alnum((char)c) && c != '-' && c != '_';
	return in(no, sizeof(no) / sizeof(no[0]), c) || (c & 0xfffe) == 0xfffe;
}

/* Marks of the scripts that are most in use. */
static bool
is_mark(uint32_t c)
{
	static const struct range marks[] = { { 0x300, 0x36f },
		{ 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a },
		{ 0x64b, 0x65f }, { 0x900, 0x903 }, { 0x93a, 0x93c },
		{ 0x93e, 0x94f }, { 0x981, 0x983 }, { 0xe31, 0xe31 },
		{ 0xe34, 0xe3a }, { 0xe47, 0xe4e }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0x3099, 0x309a },
		{ 0xfe20, 0xfe2f } };

	return in(marks, sizeof(marks) / sizeof(marks[0]), c);
}

static bool
is_virama(uint32_t c)
{
	static const struct range v[] = { { 0x94d, 0x94d }, { 0x9cd, 0x9cd },
		{ 0xa4d, 0xa4d }, { 0xacd, 0xacd }, { 0xb4d, 0xb4d },
		{ 0xbcd, 0xbcd }, { 0xc4d, 0xc4d }, { 0xccd, 0xccd },
		{ 0xd4d, 0xd4d }, { 0xdca, 0xdca }, { 0x1039, 0x1039 } };

	return in(v, sizeof(v) / sizeof(v[0]), c);
}

static bool
is_han_or_kana(uint32_t c)
{
	static const struct range r[] = { { 0x3005, 0x3007 },
		{ 0x3041, 0x3096 }, { 0x30a1, 0x30fa }, { 0x3400, 0x9fff },
		{ 0x20000, 0x3ffff } };

	return in(r, sizeof(r) / sizeof(r[0]), c);
}

/* RFC 5892, appendix A, as far as no table of scripts is needed. */
static bool
context_ok(const uint32_t *cp, size_t n, size_t i)
{
	uint32_t before = i > 0 ? cp[i - 1] : 0;
	uint32_t after = i + 1 < n ? cp[i + 1] : 0;
	bool other = false;

	switch (cp[i]) {
	case 0x200c:
	case 0x200d:
		return is_virama(before);
	case 0xb7:
		return before == 'l' && after == 'l';
	case 0x375:
		return after >= 0x370 && after <= 0x3ff;
	case 0x5f3:
	case 0x5f4:
		return before >= 0x5d0 && before <= 0x5ea;
	case 0x30fb:
		for (size_t k = 0; k < n; k++)
			other |= is_han_or_kana(cp[k]);
		return other;
	default:
		break;
	}
	if (cp[i] >= 0x660 && cp[i] <= 0x669)
		for (size_t k = 0; k < n; k++)
			other |= cp[k] >= 0x6f0 && cp[k] <= 0x6f9;
	return !other;
}

static bool
label_ok(const uint32_t *cp, size_t n)
{
	if (n == 0 || cp[0] == '-' || cp[n - 1] == '-' || is_mark(cp[0]) ||
	    (n > 3 && cp[2] == '-' && cp[3] == '-'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (disallowed(cp[i]) || !context_ok(cp, n, i))
			return false;
	return true;
}

/* "xn--" and what decodes to a label that encodes to the same again. */
static bool
a_label_ok(struct span label)
{
	uint32_t cp[CP_MAX];
	char room[2 * LABEL_MAX];
	struct buf again = { room, 0, sizeof(room), sizeof(room) - 1, false };
	bool ascii = true;
	int n;

	span_take(&label, 4);
	n = puny_decode(label, cp, LABEL_MAX);
	for (int i = 0; i < n; i++) {
		ascii &= cp[i] < FIRST;
		if (fold(cp[i]) != cp[i] && cp[i] >= FIRST)
			return false;
	}
	return n > 0 && !ascii && label_ok(cp, (size_t)n) &&
	    nfc_compose(cp, (size_t)n) == (size_t)n &&
	    puny_encode(&again, cp, (size_t)n) &&
	    span_ieq(buf_span(&again), label);
}

static bool
put_ascii_label(struct buf *b, struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	if (span_istarts(label, "xn--") && !a_label_ok(label))
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!buf_putc(b, to_lower(label.p[i])))
			return false;
	return true;
}

static bool
put_label(struct buf *b, const uint32_t *cp, size_t n)
{
	size_t was = b->n;

	if (!label_ok(cp, n))
		return false;
	buf_puts(b, "xn--");
	return puny_encode(b, cp, n) && b->n - was <= LABEL_MAX;
}

/* Cut the next label off: code points, folded and composed. */
static bool
take_label(struct span *s, uint32_t *cp, size_t *n, bool *dot)
{
	*n = 0;
	*dot = false;
	while (s->n > 0 && !*dot) {
		uint32_t c;

		if (!utf8_take(s, &c))
			return false;
		*dot = c == '.' || c == 0x3002 || c == 0xff0e || c == 0xff61;
		if (!*dot && *n == CP_MAX)
			return false;
		if (!*dot)
			cp[(*n)++] = fold(c);
	}
	*n = nfc_compose(cp, *n);
	for (size_t i = 0; i < *n; i++)
		cp[i] = fold(cp[i]);
	return true;
}

static bool
put_any_label(struct buf *b, const uint32_t *cp, size_t n)
{
	char text[CP_MAX];

	for (size_t i = 0; i < n; i++) {
		if (cp[i] >= FIRST)
			return put_label(b, cp, n);
		text[i] = (char)cp[i];
	}
	return put_ascii_label(b, (struct span){ text, n });
}

bool
idn_to_ascii(struct buf *b, struct span domain)
{
	size_t was = b->n;
	uint32_t cp[CP_MAX];
	bool ok, dot = true;

	if (domain.n > 0 && *domain.p == '[') /* an address literal */
		return buf_put(b, domain);
	ok = domain.n > 0;
	while (ok && (domain.n > 0 || dot)) {
		size_t n;

		ok = take_label(&domain, cp, &n, &dot) &&
		    put_any_label(b, cp, n) && (!dot || buf_putc(b, '.'));
		if (dot && domain.n == 0)
			ok = false; /* a dot at the end */
	}
	ok = ok && b->n - was <= NAME_MAX && !b->over;
	if (!ok)
		b->n = was;
	return ok;
}

bool
idn_to_unicode(struct buf *b, struct span domain)
{
	while (domain.n > 0) {
		size_t at = span_chr(domain, '.');
		struct span label = span_take(&domain, at);
		uint32_t cp[CP_MAX];
		int n = -1;

		if (span_istarts(label, "xn--") && label.n <= LABEL_MAX &&
		    a_label_ok(label))
			n = puny_decode(
			    (struct span){ label.p + 4, label.n - 4 }, cp,
			    CP_MAX);
		for (int i = 0; i < n; i++)
			utf8_put(b, cp[i]);
		if (n == -1)
			buf_put(b, label);
		if (domain.n > 0)
			buf_put(b, span_take(&domain, 1));
	}
	return !b->over;
}

/* ASCII without an A-label: it has one form. */
static bool
is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 0x7f ||
		    (s.p[i] == '-' && i > 2 && s.p[i - 1] == '-' &&
			span_iis((struct span){ s.p + i - 3, 2 }, "xn")))
			return false;
	return true;
}

bool
idn_same(struct span a, struct span b)
{
	char one[NAME_MAX + 2], two[NAME_MAX + 2];
	struct buf x = { one, 0, sizeof(one), sizeof(one) - 1, false };
	struct buf y = { two, 0, sizeof(two), sizeof(two) - 1, false };

	if (span_ieq(a, b))
		return true;
	if (is_plain(a) && is_plain(b))
		return false;
	return idn_to_ascii(&x, a) && idn_to_ascii(&y, b) &&
	    span_eq(buf_span(&x), buf_span(&y));
}

bool
idn_address(struct buf *b, struct span address)
{
	struct span local, domain;
	size_t was = b->n;

	if (!addr_split(address, &local, &domain))
		return buf_put(b, address);
	if (buf_put(b, local) && buf_putc(b, '@') && idn_to_ascii(b, domain))
		return true;
	b->n = was;
	return false;
}
