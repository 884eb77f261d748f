#include "base/line.h"

static void
start(struct line *l)
{
	wipe(l->text, l->n);
	l->n = 0;
	l->whole = l->over = false;
}

enum line_result
line_next(struct line *l, struct span *in, struct span *out)
{
	size_t at = span_chr(*in, '\n');
	bool end = at < in->n;
	struct span piece;

	if (l->whole)
		start(l);
	piece = span_take(in, end ? at + 1 : at);
	if (piece.n > sizeof(l->text) - l->n) {
		l->over = true;
		piece.n = sizeof(l->text) - l->n;
	}
	if (piece.n > 0)
		memcpy(l->text + l->n, piece.p, piece.n);
	l->n += piece.n;
	if (!end)
		return LINE_MORE;
	l->whole = true;
	if (l->over)
		return LINE_LONG;
	*out = (struct span){ l->text, l->n - 1 };
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return LINE_WHOLE;
}

bool
line_is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return false;
	return true;
}
