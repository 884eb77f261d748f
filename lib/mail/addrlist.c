/* The address lists of header fields: RFC 5322, sections 3.4 and 4.4. */
#include "mail/addr.h"

enum { COMMENT_DEPTH = 64 };

struct lexer {
	struct arena *arena;
	struct span in;
	struct span comment; /* the last one seen; p NULL for none */
};

/* comment = "(" *([FWS] ccontent) [FWS] ")"; its text without marks. */
static void
comment(struct lexer *x)
{
	const char *start = x->in.p + 1;
	int depth = 0;

	while (x->in.n > 0) {
		char c = *x->in.p;

		if (c == '\\' && x->in.n > 1)
			span_take(&x->in, 1);
		else if (c == '(' && depth < COMMENT_DEPTH)
			depth++;
		else if (c == ')' && --depth == 0)
			break;
		span_take(&x->in, 1);
	}
	x->comment = (struct span){ start, (size_t)(x->in.p - start) };
	if (x->in.n > 0)
		span_take(&x->in, 1);
}

static bool
is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

static void
skip(struct lexer *x)
{
	while (x->in.n > 0) {
		char c = *x->in.p;

		if (c == '(')
			comment(x);
		else if (is_space(c))
			span_take(&x->in, 1);
		else
			return;
	}
}

/* The next significant byte, 0 at the end. */
static char
peek(struct lexer *x)
{
	skip(x);
	return x->in.n == 0 ? '\0' : *x->in.p == '\0' ? '?' : *x->in.p;
}

static bool
is_special(char c)
{
	static const bool special[256] = { ['('] = true,
		[')'] = true,
		['<'] = true,
		['>'] = true,
		['['] = true,
		[']'] = true,
		[':'] = true,
		[';'] = true,
		['@'] = true,
		['\\'] = true,
		[','] = true,
		['.'] = true,
		['"'] = true };

	return special[(unsigned char)c];
}

/*
 * Where text goes; p NULL only counts, and finds out whether it stands in
 * the list as it is, from `from` on, and need not be copied.
 */
struct sink {
	char *p;
	size_t n;
	const char *from;
	bool differs;
	char last;
};

static void
put(struct sink *to, const char *s, size_t n)
{
	if (n == 0)
		return;
	if (to->p != NULL)
		memcpy(to->p + to->n, s, n);
	else if (to->n == 0)
		to->from = s;
	else if (!to->differs)
		to->differs = s != to->from + to->n;
	to->n += n;
	to->last = s[n - 1];
}

/* Between words: the one in front of the next, if that is all there is. */
static void
put_blank(struct sink *to, const char *next)
{
	bool there = to->n > 0 && next[-1] == ' ';

	to->differs = to->differs || !there;
	put(to, there ? next - 1 : " ", 1);
}

/* The text that was counted; true when another run must copy it. */
static bool
must_copy(struct lexer *x, struct sink *to, struct span *s)
{
	*s = (struct span){ to->n == 0 ? "" : to->from, to->n };
	if (to->n == 0 || !to->differs)
		return false;
	s->p = to->p = arena_alloc(x->arena, to->n + 1);
	to->n = 0;
	return true;
}

static void
quoted_string(struct lexer *x, struct sink *to)
{
	span_take(&x->in, 1);
	while (x->in.n > 0 && *x->in.p != '"') {
		if (*x->in.p == '\\' && x->in.n > 1)
			span_take(&x->in, 1);
		if (*x->in.p != '\n' && *x->in.p != '\r')
			put(to, x->in.p, 1);
		span_take(&x->in, 1);
	}
	if (x->in.n > 0)
		span_take(&x->in, 1);
}

/* Dots belong to an atom here: "John Q. Public" is an obsolete phrase. */
static void
atom(struct lexer *x, struct sink *to)
{
	size_t n = 0;

	while (n < x->in.n &&
	    !((is_special(x->in.p[n]) && x->in.p[n] != '.') ||
		is_space(x->in.p[n])))
		n++;
	put(to, x->in.p, n);
	span_take(&x->in, n);
}

/*
 * 1*word up to a byte that ends a phrase or a local part, joined by one
 * blank, or in a local part by nothing beside a dot.  False for no word.
 */
static bool
run_words(struct lexer *x, bool local, struct sink *to)
{
	bool any = false;

	for (;;) {
		char c = peek(x);

		if (c == '\0' || (is_special(c) && c != '"' && c != '.'))
			return any;
		if (any && !(local && (to->last == '.' || c == '.')))
			put_blank(to, x->in.p);
		if (c == '"')
			quoted_string(x, to);
		else
			atom(x, to);
		any = true;
	}
}

/* p NULL when there is none. */
static struct span
words(struct lexer *x, bool local)
{
	struct lexer start = *x;
	struct sink to = { 0 };
	struct span s = { NULL, 0 };

	if (run_words(x, local, &to) && must_copy(x, &to, &s))
		run_words(&start, local, &to);
	return s;
}

static bool
ends_domain(char c)
{
	return c == ',' || c == ';' || c == '>' || c == '<' || c == ':' ||
	    c == '@';
}

/* domain = dot-atom / domain-literal, without blanks and comments */
static void
run_domain(struct lexer *x, struct sink *to)
{
	char c;

	while ((c = peek(x)) != '\0' && !ends_domain(c)) {
		const char *p = x->in.p;
		size_t n = 1;

		if (c == '[') {
			n = span_chr(x->in, ']');
			n += n < x->in.n;
		}
		while (c != '[' && n < x->in.n && !is_space(p[n]) &&
		    (!is_special(p[n]) || p[n] == '.'))
			n++;
		put(to, p, n);
		span_take(&x->in, n);
	}
}

static struct span
domain(struct lexer *x)
{
	struct lexer start = *x;
	struct sink to = { 0 };
	struct span s;

	run_domain(x, &to);
	if (must_copy(x, &to, &s))
		run_domain(&start, &to);
	return s;
}

static bool
run_route(struct lexer *x, struct sink *to)
{
	for (;;) {
		char c = peek(x);

		if (c != '@' && c != ',' && c != ':')
			return false;
		span_take(&x->in, 1);
		if (c == ':')
			return true;
		if (c == ',')
			continue;
		if (to->n > 0)
			put(to, ",", 1);
		put(to, "@", 1);
		run_domain(x, to);
	}
}

/* obs-route = 1*("@" domain [","]) ":" */
static struct span
route(struct lexer *x)
{
	struct lexer start = *x;
	struct sink to = { 0 };
	struct span s = { NULL, 0 };

	if (!run_route(x, &to)) {
		*x = start;
		return s;
	}
	if (must_copy(x, &to, &s))
		run_route(&start, &to);
	return s;
}

/* To the next comma or, in a group, semicolon, outside of quotes. */
static void
resync(struct lexer *x, bool in_group)
{
	struct sink nowhere = { 0 };
	char c;

	while ((c = peek(x)) != '\0' && c != ',' && !(in_group && c == ';')) {
		if (c == '"')
			quoted_string(x, &nowhere);
		else
			span_take(&x->in, 1);
	}
}

/* angle-addr = "<" [obs-route] addr-spec ">" */
static enum addr_kind
angle(struct lexer *x, struct addr *a)
{
	span_take(&x->in, 1);
	if (peek(x) == '@')
		a->route = route(x);
	a->local = words(x, true);
	if (peek(x) == '@') {
		span_take(&x->in, 1);
		a->domain = domain(x);
	}
	if (a->local.p == NULL)
		a->local = SPAN("");
	if (peek(x) == '>')
		span_take(&x->in, 1);
	return ADDR_MAILBOX;
}

/* mailbox / group; what is left of the list begins behind it. */
static enum addr_kind
entry(struct lexer *x, bool *in_group, struct addr *a)
{
	struct lexer start = *x;
	struct span phrase = words(x, false);
	char c = peek(x);

	if (c == '<') {
		a->name = phrase;
		return angle(x, a);
	}
	if (c == ':' && !*in_group && phrase.p != NULL) {
		span_take(&x->in, 1);
		*in_group = true;
		a->name = phrase;
		return ADDR_GROUP_START;
	}
	/* addr-spec; an old name stands in a comment behind it */
	*x = start;
	x->comment.p = NULL;
	a->local = words(x, true);
	if (a->local.p == NULL && c != '@')
		return ADDR_BAD;
	if (a->local.p == NULL)
		a->local = SPAN("");
	if (peek(x) == '@') {
		span_take(&x->in, 1);
		a->domain = domain(x);
		skip(x);
	}
	if (x->comment.p != NULL && x->comment.n > 0)
		a->name = x->comment;
	return ADDR_MAILBOX;
}

enum addr_kind
addr_next(
    struct arena *arena, struct span *list, bool *in_group, struct addr *a)
{
	struct lexer x = { .arena = arena, .in = *list };
	enum addr_kind kind;
	char c;

	*a = (struct addr){ 0 };
	while ((c = peek(&x)) == ',' || (c == ';' && !*in_group))
		span_take(&x.in, 1);
	if (c == ';' || (c == '\0' && *in_group)) {
		if (c == ';')
			span_take(&x.in, 1);
		*list = x.in;
		*in_group = false;
		return ADDR_GROUP_END;
	}
	if (c == '\0') {
		*list = x.in;
		return ADDR_END;
	}
	kind = entry(&x, in_group, a);
	if (kind != ADDR_GROUP_START) {
		resync(&x, *in_group);
		if (x.in.n > 0 && *x.in.p == ',')
			span_take(&x.in, 1);
	}
	*list = x.in;
	return kind;
}
