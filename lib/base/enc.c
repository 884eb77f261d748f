#include "base/enc.h"

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

bool
enc_base64(struct buf *b, struct span s)
{
	char *to = buf_room(b, (s.n + 2) / 3 * 4);

	if (to == NULL)
		return false;
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;

		if (i + 1 < s.n)
			v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
		if (i + 2 < s.n)
			v |= (unsigned char)s.p[i + 2];
		*to++ = base64[v >> 18];
		*to++ = base64[v >> 12 & 63];
		*to++ = i + 1 < s.n ? base64[v >> 6 & 63] : '=';
		*to++ = i + 2 < s.n ? base64[v & 63] : '=';
	}
	b->n += (s.n + 2) / 3 * 4;
	return true;
}

static int
base64_value(char c)
{
	const char *p = c == '\0' ? NULL : strchr(base64, c);

	return p == NULL ? -1 : (int)(p - base64);
}

/* Four characters into v, with 0 to 2 "=" at the end; -1 when wrong. */
static int
base64_group(const char *p, bool last, uint32_t *v)
{
	int pad = 0;

	*v = 0;
	if (last && p[3] == '=')
		pad = p[2] == '=' ? 2 : 1;
	for (int i = 0; i < 4; i++) {
		int d = i >= 4 - pad ? 0 : base64_value(p[i]);

		if (d == -1)
			return -1;
		*v = *v << 6 | (uint32_t)d;
	}
	return pad;
}

bool
dec_base64(struct buf *b, struct span s)
{
	char *to = s.n % 4 != 0 ? NULL : buf_room(b, s.n / 4 * 3);
	size_t n = 0;

	if (to == NULL)
		return false;
	for (size_t i = 0; i < s.n; i += 4) {
		uint32_t v;
		int pad = base64_group(s.p + i, i + 4 == s.n, &v);

		if (pad == -1)
			return false;
		to[n++] = (char)(v >> 16);
		if (pad < 2)
			to[n++] = (char)(v >> 8 & 255);
		if (pad < 1)
			to[n++] = (char)(v & 255);
	}
	b->n += n;
	return true;
}

int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
enc_hex(struct buf *b, struct span s)
{
	char *to = buf_room(b, s.n * 2);

	if (to == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		*to++ = hex_lower[(unsigned char)s.p[i] >> 4];
		*to++ = hex_lower[s.p[i] & 15];
	}
	b->n += s.n * 2;
	return true;
}

bool
dec_hex(struct buf *b, struct span s)
{
	char *to = s.n % 2 != 0 ? NULL : buf_room(b, s.n / 2);

	if (to == NULL)
		return false;
	for (size_t i = 0; i < s.n; i += 2) {
		int hi = hex_value(s.p[i]), lo = hex_value(s.p[i + 1]);

		if (hi == -1 || lo == -1)
			return false;
		*to++ = (char)(hi << 4 | lo);
	}
	b->n += s.n / 2;
	return true;
}

static bool
enc_escaped(struct buf *b, struct span s, char mark, bool (*plain)(char))
{
	size_t was = b->n;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		char esc[3] = { mark, hex_upper[(unsigned char)c >> 4],
			hex_upper[c & 15] };

		if (plain(c) ? !buf_putc(b, c)
			     : !buf_put(b, (struct span){ esc, 3 })) {
			b->n = was;
			return false;
		}
	}
	return true;
}

static bool
dec_escaped(struct buf *b, struct span s, char mark, bool (*plain)(char))
{
	size_t was = b->n;

	while (s.n > 0) {
		char c = *s.p;

		if (c == mark && s.n >= 3 && hex_value(s.p[1]) != -1 &&
		    hex_value(s.p[2]) != -1) {
			c = (char)(hex_value(s.p[1]) << 4 | hex_value(s.p[2]));
			span_take(&s, 3);
		} else if (plain(c)) {
			span_take(&s, 1);
		} else {
			b->n = was;
			return false;
		}
		if (!buf_putc(b, c)) {
			b->n = was;
			return false;
		}
	}
	return true;
}

/* xchar = any ASCII CHAR from "!" to "~" except "+" and "=" */
static bool
is_xchar(char c)
{
	return c > ' ' && c <= '~' && c != '+' && c != '=';
}

static bool
is_job_char(char c)
{
	return (unsigned char)c > ' ' && c != '%' && c != 0x7f;
}

bool
enc_xtext(struct buf *b, struct span s)
{
	return enc_escaped(b, s, '+', is_xchar);
}

bool
dec_xtext(struct buf *b, struct span s)
{
	return dec_escaped(b, s, '+', is_xchar);
}

bool
enc_pct(struct buf *b, struct span s)
{
	return enc_escaped(b, s, '%', is_job_char);
}

bool
dec_pct(struct buf *b, struct span s)
{
	return dec_escaped(b, s, '%', is_job_char);
}
