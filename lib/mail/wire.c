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

size_t
wire_lines(struct wire *w, struct span *in, char *to, size_t room)
{
	const char *p = in->p, *end = in->p + in->n;
	char *at = to;

	while (!w->after_line && p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n, left = room - (size_t)(at - to);

		if (lf == NULL)
			break;
		n = (size_t)(lf - p);
		if (n > 0 && lf[-1] == '\r')
			n--;
		if (left < 3 || n > left - 3)
			break;
		if (w->stuff && *p == '.')
			*at++ = '.';
		memcpy(at, p, n);
		memcpy(at + n, "\r\n", 2);
		at += n + 2;
		w->size += n + 2;
		w->after_cr = false;
		p = lf + 1;
	}
	span_take(in, (size_t)(p - in->p));
	return (size_t)(at - to);
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
