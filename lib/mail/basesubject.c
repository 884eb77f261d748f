#include "mail/basesubject.h"

/* Tabs and line ends are blanks, and several are one. */
static size_t
squeeze(char *p, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '\t' || c == '\r' || c == '\n')
			c = ' ';
		if (c != ' ' || k == 0 || p[k - 1] != ' ')
			p[k++] = c;
	}
	return k;
}

static void
skip_blanks(struct span *s)
{
	while (s->n > 0 && is_blank(*s->p))
		span_take(s, 1);
}

/* subj-blob = "[" *BLOBCHAR "]" *WSP */
static bool
skip_blob(struct span *s)
{
	size_t n = 1;

	if (s->n == 0 || *s->p != '[')
		return false;
	while (n < s->n && s->p[n] != '[' && s->p[n] != ']' && s->p[n] != '\0')
		n++;
	if (n == s->n || s->p[n] != ']')
		return false;
	span_take(s, n + 1);
	skip_blanks(s);
	return true;
}

/* subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" */
static bool
skip_refwd(struct span *s)
{
	struct span rest = *s;

	if (span_istarts(rest, "fwd"))
		span_take(&rest, 3);
	else if (span_istarts(rest, "re") || span_istarts(rest, "fw"))
		span_take(&rest, 2);
	else
		return false;
	skip_blanks(&rest);
	skip_blob(&rest);
	if (rest.n == 0 || *rest.p != ':')
		return false;
	span_take(&rest, 1);
	*s = rest;
	return true;
}

/* subj-trailer = "(fwd)" / WSP; step 2 */
static void
drop_trailers(struct basesubject *b)
{
	struct span *s = &b->text;

	for (;;) {
		if (s->n > 0 && is_blank(s->p[s->n - 1])) {
			s->n--;
			continue;
		}
		if (s->n < 5 ||
		    !span_iis((struct span){ s->p + s->n - 5, 5 }, "(fwd)"))
			return;
		s->n -= 5;
		b->reply = true;
	}
}

/*
 * Steps 3 to 5.  Blobs that no subj-refwd follows go one by one as long
 * as something is left; trying that after each of them would be the same.
 */
static void
drop_leaders(struct basesubject *b)
{
	struct span rest;

	for (;;) {
		skip_blanks(&b->text);
		rest = b->text;
		while (skip_blob(&rest))
			continue;
		if (!skip_refwd(&rest))
			break;
		b->text = rest;
		b->reply = true;
	}
	rest = b->text;
	while (skip_blob(&rest) && rest.n > 0)
		b->text = rest;
}

struct basesubject
basesubject_of(char *p, size_t n)
{
	struct basesubject b = { .text = { p, squeeze(p, n) } };

	for (;;) {
		drop_trailers(&b);
		drop_leaders(&b);
		/* step 6 */
		if (!span_istarts(b.text, "[fwd:") ||
		    b.text.p[b.text.n - 1] != ']')
			return b;
		span_take(&b.text, 5);
		b.text.n--;
		b.reply = true;
	}
}
