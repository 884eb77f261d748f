#include "mail/cte.h"

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

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
cte_hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c = to_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
base64(struct cte *d, char c, char *to)
{
	int v = base64_value(c);

	if (c == '=') /* the end of one; another may follow */
		d->nbits = 0;
	if (v == -1)
		return 0;
	d->bits = d->bits << 6 | (uint32_t)v;
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
		else if (cte_hex(c) != -1) {
			d->held = c;
			d->state = AFTER_DIGIT;
		} else if (!is_blank(c))
			return give_back(d, c, to);
		return 0;
	case AFTER_DIGIT:
		if (cte_hex(c) == -1)
			return give_back(d, c, to);
		*to = (char)(cte_hex(d->held) << 4 | cte_hex(c));
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

bool
cte_next(struct cte *d, struct span *in, struct span *piece)
{
	size_t n = 0;

	if (d->kind == CTE_IDENTITY || d->kind == CTE_UNKNOWN) {
		*piece = span_take(in, in->n);
		return piece->n > 0;
	}
	while (in->n > 0 && n < CTE_PIECE) {
		char c = *span_take(in, 1).p;

		n += d->kind == CTE_QP ? qp(d, c, d->piece + n)
				       : base64(d, c, d->piece + n);
	}
	*piece = (struct span){ d->piece, n };
	return n > 0;
}
