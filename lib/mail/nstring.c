#include "mail/nstring.h"

enum { QUOTED_MAX = 1000 };

enum quoting { PLAIN, ESCAPES, LITERAL };

/* TEXT-CHAR without 8-bit bytes */
static enum quoting
quoting(struct span s)
{
	enum quoting q = PLAIN;

	if (s.n > QUOTED_MAX)
		return LITERAL;
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
