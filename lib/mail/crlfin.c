#include "mail/crlfin.h"

/* The length of the text in front of the first CR or LF. */
static size_t
line_text(struct span s)
{
	size_t lf = span_chr(s, '\n');

	return span_chr((struct span){ s.p, lf }, '\r');
}

enum crlfin_result
crlfin_next(struct crlfin *c, struct span *in, struct span *piece)
{
	struct span rest;
	size_t n;

	if (in->n > 0 && !c->cr) {
		n = line_text(*in);
		if (n > 0) {
			c->in_line = true;
			*piece = span_take(in, n);
			return CRLFIN_PIECE;
		}
		if (*in->p == '\n')
			return CRLFIN_BARE;
		span_take(in, 1);
		c->cr = true;
	}
	if (in->n == 0)
		return CRLFIN_MORE;
	if (*in->p != '\n')
		return CRLFIN_BARE;
	/* the LF and the text of the next line are neighbours: one piece */
	rest = (struct span){ in->p + 1, in->n - 1 };
	n = line_text(rest);
	c->cr = false;
	c->in_line = n > 0;
	*piece = span_take(in, n + 1);
	return CRLFIN_PIECE;
}
