#include "mail/dotin.h"

/* The length of the text in front of the first CR or LF. */
static size_t
line_text(struct span s)
{
	size_t lf = span_chr(s, '\n');

	return span_chr((struct span){ s.p, lf }, '\r');
}

/*
 * The LF of a line end and the text of the next line are one piece: they
 * are neighbours in the input, and only the CR in front is left out.
 */
static struct span
line_end(struct dotin *d, struct span *in)
{
	struct span rest = { in->p + 1, in->n - 1 };
	size_t n = 0;

	d->state = DOTIN_AT_BOL;
	if (rest.n > 0 && *rest.p != '.' && (n = line_text(rest)) > 0)
		d->state = DOTIN_IN_LINE;
	return span_take(in, n + 1);
}

enum dotin_result
dotin_next(struct dotin *d, struct span *in, struct span *piece)
{
	size_t n;

	while (in->n > 0) {
		switch (d->state) {
		case DOTIN_AT_BOL:
			d->state = DOTIN_IN_LINE;
			if (*in->p == '.') {
				span_take(in, 1);
				d->state = DOTIN_AFTER_DOT;
			}
			break;
		case DOTIN_IN_LINE:
			if ((n = line_text(*in)) > 0) {
				*piece = span_take(in, n);
				return DOTIN_PIECE;
			}
			if (*in->p == '\n')
				return DOTIN_BARE;
			span_take(in, 1);
			d->state = DOTIN_AFTER_CR;
			break;
		case DOTIN_AFTER_CR:
			if (*in->p != '\n')
				return DOTIN_BARE;
			*piece = line_end(d, in);
			return DOTIN_PIECE;
		case DOTIN_AFTER_DOT:
			d->state = DOTIN_IN_LINE; /* the dot was stuffing */
			if (*in->p == '\r') {
				span_take(in, 1);
				d->state = DOTIN_AFTER_DOT_CR;
			}
			break;
		case DOTIN_AFTER_DOT_CR:
			if (*in->p != '\n')
				return DOTIN_BARE;
			span_take(in, 1);
			return DOTIN_END;
		}
	}
	return DOTIN_MORE;
}
