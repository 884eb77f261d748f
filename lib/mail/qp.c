#include "mail/qp.h"

enum { LINE = 75 }; /* and "=" of a soft line break */

static void
put(struct qp *q, const char *text, unsigned n)
{
	if (q->column + n > LINE) {
		q->piece[q->n++] = '=';
		q->piece[q->n++] = '\n';
		q->column = 0;
	}
	memcpy(q->piece + q->n, text, n);
	q->n += n;
	q->column += n;
}

static void
put_hex(struct qp *q, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	char text[3] = { '=', digits[u >> 4], digits[u & 15] };

	put(q, text, 3);
}

/* The byte that was held, now that the next one is known. */
static void
put_held(struct qp *q, bool at_end)
{
	char c = q->held;

	q->held = '\0';
	if (c == '\r' ? !at_end : at_end && c != '\0')
		put_hex(q, c);
	else if (c != '\r' && c != '\0')
		put(q, &c, 1);
}

static void
put_byte(struct qp *q, char c)
{
	put_held(q, c == '\n');
	if (c == '\n') {
		q->piece[q->n++] = '\n';
		q->column = 0;
	} else if (c == ' ' || c == '\t' || c == '\r') {
		q->held = c;
	} else if (c == '=' || c <= ' ' || c > '~') {
		put_hex(q, c);
	} else {
		put(q, &c, 1);
	}
}

bool
qp_next(struct qp *q, struct span *in, struct span *piece)
{
	q->n = 0;
	while (in->n > 0 && q->n < QP_PIECE)
		put_byte(q, *span_take(in, 1).p);
	*piece = (struct span){ q->piece, q->n };
	return q->n > 0;
}

struct span
qp_end(struct qp *q)
{
	char c = q->held;

	q->n = 0;
	q->held = '\0';
	if (c != '\0')
		put_hex(q, c);
	return (struct span){ q->piece, q->n };
}
