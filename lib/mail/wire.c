#include "mail/wire.h"

bool
wire_next(struct wire *w, struct span *in, struct span *piece)
{
	size_t n;

	if (in->n == 0)
		return false;
	if (!w->after_line && w->stuff && *in->p == '.') {
		w->after_line = true; /* the dot itself comes next */
		*piece = SPAN(".");
		return true;
	}
	n = span_chr(*in, '\n');
	if (n > 0) { /* text, up to a line end or the end of the piece */
		*piece = span_take(in, n);
		w->after_line = true;
		w->after_cr = piece->p[n - 1] == '\r';
	} else if (w->after_cr) {
		*piece = span_take(in, 1);
		w->after_line = w->after_cr = false;
	} else {
		span_take(in, 1);
		*piece = SPAN("\r\n");
		w->after_line = false;
	}
	w->size += piece->n;
	return true;
}

struct span
wire_end(struct wire *w, bool close_line)
{
	if (!close_line || !w->after_line)
		return SPAN("");
	w->after_line = false;
	w->size += w->after_cr ? 1 : 2;
	return w->after_cr ? SPAN("\n") : SPAN("\r\n");
}

void
wire_count(struct wire *w, struct span s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (lf == NULL) {
			w->size += (size_t)(end - p);
			w->after_line = true;
			w->after_cr = end[-1] == '\r';
			return;
		}
		if (lf > p)
			w->after_cr = lf[-1] == '\r';
		w->size += (size_t)(lf - p) + (w->after_cr ? 1 : 2);
		w->after_line = w->after_cr = false;
		p = lf + 1;
	}
}
