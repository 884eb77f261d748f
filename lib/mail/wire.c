#include "mail/wire.h"

enum { RUN = 64 };

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

/*
 * LFs without a CR before them, in runs that a compiler turns into vector
 * instructions: sizes of whole mailboxes are counted here.
 */
static size_t
bare_lfs(struct span s, char before)
{
	size_t n = 0, i = 1;

	if (s.n == 0)
		return 0;
	n = *s.p == '\n' && before != '\r';
	for (; i + RUN <= s.n; i += RUN) {
		const char *p = s.p + i;
		unsigned char found = 0;

		for (int k = 0; k < RUN; k++)
			found = (unsigned char)(found +
			    ((p[k] == '\n') & (p[k - 1] != '\r')));
		n += found;
	}
	for (; i < s.n; i++)
		n += s.p[i] == '\n' && s.p[i - 1] != '\r';
	return n;
}

void
wire_count(struct wire *w, struct span s)
{
	if (s.n == 0)
		return;
	w->size += s.n + bare_lfs(s, w->after_cr ? '\r' : '\0');
	w->after_line = s.p[s.n - 1] != '\n';
	w->after_cr = s.p[s.n - 1] == '\r';
}
