#include "mail/authserv.h"

static void
compare(struct authserv *a, struct span ours, char c)
{
	if (a->n < ours.n && to_lower(ours.p[a->n]) == to_lower(c))
		a->n++;
	else
		a->differs = true;
}

static enum authserv_is
verdict(const struct authserv *a, struct span ours)
{
	return !a->differs && a->n == ours.n ? AUTHSERV_OURS : AUTHSERV_OTHER;
}

/* In front of the name: blanks, folding and comments. */
static enum authserv_is
begin(struct authserv *a, struct span ours, char c)
{
	if (c == ';')
		return AUTHSERV_OTHER; /* it has none */
	if (is_blank(c) || c == '\n' || c == '\r')
		return AUTHSERV_MORE;
	if (c == '(') {
		a->depth = 1;
		return AUTHSERV_MORE;
	}
	a->began = true;
	a->quoted = c == '"';
	if (!a->quoted)
		compare(a, ours, c);
	return AUTHSERV_MORE;
}

static void
comment(struct authserv *a, char c)
{
	if (c == '(')
		a->depth++;
	else if (c == ')')
		a->depth--;
}

enum authserv_is
authserv_next(struct authserv *a, struct span ours, char c)
{
	if (a->escaped) {
		a->escaped = false;
		if (a->depth == 0)
			compare(a, ours, c);
		return AUTHSERV_MORE;
	}
	if (c == '\\' && (a->depth > 0 || a->quoted)) {
		a->escaped = true;
		return AUTHSERV_MORE;
	}
	if (a->depth > 0) {
		comment(a, c);
		return AUTHSERV_MORE;
	}
	if (!a->began)
		return begin(a, ours, c);
	if (a->quoted ? c == '"' : is_blank(c) || strchr("\r\n;(", c) != NULL)
		return verdict(a, ours);
	compare(a, ours, c);
	return AUTHSERV_MORE;
}
