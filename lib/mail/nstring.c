#include "mail/nstring.h"

enum { QUOTED_MAX = 1000 };

static const uint64_t ones = UINT64_C(0x0101010101010101);

enum quoting { PLAIN, ESCAPES, LITERAL };

/* The high bit of some byte is set, if one of v is c. */
static uint64_t
equals(uint64_t v, unsigned char c)
{
	v ^= ones * c;
	return (v - ones) & ~v;
}

/* Eight bytes that need no look at each: 7-bit, no control, '"' or '\\'. */
static bool
are_plain(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return ((v | ((v - ones * ' ') & ~v) | equals(v, '"') |
		    equals(v, '\\') | equals(v, 0x7f)) &
		   ones << 7) == 0;
}

/* TEXT-CHAR without 8-bit bytes */
static enum quoting
quoting(struct span s)
{
	enum quoting q = PLAIN;

	if (s.n > QUOTED_MAX)
		return LITERAL;
	while (s.n >= 8 && are_plain(s.p))
		span_take(&s, 8);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c > '~')
			return LITERAL;
		if (c == '"' || c == '\\')
			q = ESCAPES;
	}
	return q;
}

static bool
put_literal(struct buf *b, struct span s)
{
	char *to;

	if (!buf_printf(b, "{%zu}\r\n", s.n) || (to = buf_room(b, s.n)) == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] == '\0' ? (char)0x80 : s.p[i];
	b->n += s.n;
	return true;
}

bool
nstring_put_string(struct buf *b, struct span s)
{
	enum quoting q = quoting(s);

	if (q == LITERAL)
		return put_literal(b, s);
	buf_putc(b, '"');
	if (q == PLAIN) {
		buf_put(b, s);
		return buf_putc(b, '"');
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
	return buf_putc(b, '"');
}

bool
nstring_put(struct buf *b, struct span s)
{
	return s.p == NULL ? buf_puts(b, "NIL") : nstring_put_string(b, s);
}
