#include "mail/nstring.h"

enum { QUOTED_MAX = 1000 };

/* TEXT-CHAR without 8-bit bytes */
static bool
can_quote(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || (unsigned char)s.p[i] > '~')
			return false;
	return s.n <= QUOTED_MAX;
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
	if (!can_quote(s))
		return put_literal(b, s);
	buf_putc(b, '"');
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
