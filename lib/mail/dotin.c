#include "mail/dotin.h"

/* The length of the text in front of the first CR or LF. */
static size_t
line_text(struct span s)
{
	size_t lf = span_chr(s, '\n');

	return span_chr((struct span){ s.p, lf }, '\r');
}

/*
 * The longest run of whole lines that need no change but CRLF to LF is
 * passed line by line: a line's text, then its LF.
 */
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
			*piece = span_take(in, 1);
			d->state = DOTIN_AT_BOL;
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
