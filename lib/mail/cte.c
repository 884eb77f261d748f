#include "mail/cte.h"

#include "base/enc.h"

enum { TEXT, AFTER_EQUAL, AFTER_DIGIT, AFTER_EQUAL_CR };

enum cte_kind
cte_kind(struct span e)
{
	if (span_iis(e, "base64"))
		return CTE_BASE64;
	if (span_iis(e, "quoted-printable"))
		return CTE_QP;
	if (e.n == 0 || span_iis(e, "7bit") || span_iis(e, "8bit") ||
	    span_iis(e, "binary"))
		return CTE_IDENTITY;
	return CTE_UNKNOWN;
}

/* The value of each byte; 64 for what is no base64. */
static const signed char values[256] = {
	/* clang-format off */
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
	64,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64,
	64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
	/* clang-format on */
};

static unsigned
base64_value(char c)
{
	return (unsigned)values[(unsigned char)c];
}

static size_t
base64(struct cte *d, char c, char *to)
{
	unsigned v = base64_value(c);

	if (c == '=') /* the end of one; another may follow */
		d->nbits = 0;
	if (v > 63)
		return 0;
	d->bits = d->bits << 6 | v;
	d->nbits += 6;
	if (d->nbits < 8)
		return 0;
	d->nbits -= 8;
	*to = (char)(d->bits >> d->nbits & 0xff);
	return 1;
}

/* What followed "=" was no hexadecimal number after all. */
static size_t
give_back(struct cte *d, char c, char *to)
{
	size_t n = 0;

	to[n++] = '=';
	if (d->state == AFTER_DIGIT)
		to[n++] = d->held;
	d->state = TEXT;
	if (c == '=')
		d->state = AFTER_EQUAL;
	else
		to[n++] = c;
	return n;
}

/* quoted-printable: "=" 2HEXDIG, "=" CRLF is nothing, else itself */
static size_t
qp(struct cte *d, char c, char *to)
{
	switch (d->state) {
	case AFTER_EQUAL:
		if (c == '\n')
			d->state = TEXT;
		else if (c == '\r')
			d->state = AFTER_EQUAL_CR;
		else if (hex_value(c) != -1) {
			d->held = c;
			d->state = AFTER_DIGIT;
		} else if (!is_blank(c))
			return give_back(d, c, to);
		return 0;
	case AFTER_DIGIT:
		if (hex_value(c) == -1)
			return give_back(d, c, to);
		*to = (char)(hex_value(d->held) << 4 | hex_value(c));
		d->state = TEXT;
		return 1;
	case AFTER_EQUAL_CR:
		d->state = TEXT;
		if (c == '\n')
			return 0;
		break;
	}
	if (c == '=') {
		d->state = AFTER_EQUAL;
		return 0;
	}
	*to = c;
	return 1;
}

/* Groups of four, where nothing is between them: nearly all. */
static size_t
base64_run(struct cte *d, struct span *in, char *to, size_t room)
{
	size_t n = 0;

	while (d->nbits == 0 && in->n >= 4 && n + 3 <= room) {
		unsigned a = base64_value(in->p[0]), b = base64_value(in->p[1]),
			 c = base64_value(in->p[2]), e = base64_value(in->p[3]);
		uint32_t v = a << 18 | b << 12 | c << 6 | e;

		if ((a | b | c | e) > 63)
			break;
		to[n++] = (char)(v >> 16 & 0xff);
		to[n++] = (char)(v >> 8 & 0xff);
		to[n++] = (char)(v & 0xff);
		span_take(in, 4);
	}
	return n;
}

/* Text up to the next "=". */
static size_t
qp_run(struct cte *d, struct span *in, char *to, size_t room)
{
	struct span s = { in->p, in->n < room ? in->n : room };

	if (d->state != TEXT || s.n == 0)
		return 0;
	s.n = span_chr(s, '=');
	memcpy(to, s.p, s.n);
	span_take(in, s.n);
	return s.n;
}

bool
cte_next(struct cte *d, struct span *in, struct span *piece)
{
	size_t n = 0;

	if (d->kind == CTE_IDENTITY || d->kind == CTE_UNKNOWN) {
		*piece = span_take(in, in->n);
		return piece->n > 0;
	}
	while (in->n > 0 && n < CTE_PIECE) {
		char *to = d->piece + n;
		size_t room = CTE_PIECE - n;

		n += d->kind == CTE_QP ? qp_run(d, in, to, room)
				       : base64_run(d, in, to, room);
		if (in->n == 0 || n == CTE_PIECE)
			break;
		to = d->piece + n;
		n += d->kind == CTE_QP ? qp(d, *span_take(in, 1).p, to)
				       : base64(d, *span_take(in, 1).p, to);
	}
	*piece = (struct span){ d->piece, n };
	return n > 0;
}
