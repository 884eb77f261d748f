#include "imap/imapargs.h"

#include "base/num.h"
#include "mail/utf8.h"

struct parser {
	struct arena *arena;
	struct span in;
	struct imapd_literal *literal;
	unsigned left, depth;
};

/* atom-specials of RFC 3501, of which lists and sections need some */
static bool
is_atom(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != '(' && c != ')' &&
	    c != '{' && c != '"';
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
static bool
quoted(struct parser *p, struct imap_arg *arg)
{
	size_t n = 0, end;
	char *to;

	span_take(&p->in, 1);
	for (end = 0; end < p->in.n && p->in.p[end] != '"'; end++)
		if (p->in.p[end] == '\\')
			end++;
	if (end >= p->in.n)
		return false;
	to = arena_alloc(p->arena, end + 1);
	for (size_t i = 0; i < end; i++) {
		if (p->in.p[i] == '\\')
			i++;
		if (p->in.p[i] == '\0' || p->in.p[i] == '\r' ||
		    p->in.p[i] == '\n')
			return false;
		to[n++] = p->in.p[i];
	}
	span_take(&p->in, end + 1);
	arg->type = IMAP_QUOTED;
	arg->text = (struct span){ to, n };
	return utf8_valid(arg->text); /* RFC 9755, section 3 */
}

/* literal = ["~"] "{" number64 ["+"] "}" CRLF *CHAR8 */
static bool
literal(struct parser *p, struct imap_arg *arg)
{
	size_t n = span_chr(p->in, '\n');

	if (p->literal == NULL || n == p->in.n)
		return false;
	span_take(&p->in, n + 1);
	arg->type = IMAP_LITERAL;
	arg->text = p->literal->text;
	p->literal = p->literal->next;
	return true;
}

static enum imapargs_result parse_list(
    struct parser *p, struct imap_arg **first);

static enum imapargs_result
parse_arg(struct parser *p, struct imap_arg *arg)
{
	size_t n = 0;

	switch (*p->in.p) {
	case '(':
		if (p->depth == LIMIT_IMAP_NESTING)
			return IMAPARGS_LIMIT;
		p->depth++;
		span_take(&p->in, 1);
		arg->type = IMAP_LIST;
		return parse_list(p, &arg->list);
	case '"':
		return quoted(p, arg) ? IMAPARGS_OK : IMAPARGS_SYNTAX;
	case '{':
		return literal(p, arg) ? IMAPARGS_OK : IMAPARGS_SYNTAX;
	}
	if (*p->in.p == '~' && p->in.n > 1 && p->in.p[1] == '{')
		return literal(p, arg) ? IMAPARGS_OK : IMAPARGS_SYNTAX;
	while (n < p->in.n && is_atom(p->in.p[n]))
		n++;
	arg->type = IMAP_ATOM;
	arg->text = span_take(&p->in, n);
	return n > 0 ? IMAPARGS_OK : IMAPARGS_SYNTAX;
}

/* Arguments up to the end, or the ")" of a list. */
static enum imapargs_result
parse_list(struct parser *p, struct imap_arg **first)
{
	enum imapargs_result r;

	for (;;) {
		while (p->in.n > 0 && *p->in.p == ' ')
			span_take(&p->in, 1);
		if (p->in.n == 0)
			return p->depth == 0 ? IMAPARGS_OK : IMAPARGS_OPEN;
		if (*p->in.p == ')') {
			if (p->depth == 0)
				return IMAPARGS_SYNTAX;
			p->depth--;
			span_take(&p->in, 1);
			return IMAPARGS_OK;
		}
		if (p->left-- == 0)
			return IMAPARGS_LIMIT;
		*first = arena_alloc(p->arena, sizeof(**first));
		r = parse_arg(p, *first);
		if (r != IMAPARGS_OK)
			return r;
		first = &(*first)->next;
	}
}

enum imapargs_result
imapargs_parse(struct arena *a, struct span text, struct imapd_literal *l,
    struct imap_arg **args)
{
	struct parser p = {
		.arena = a, .in = text, .literal = l, .left = LIMIT_IMAP_ARGS
	};

	*args = NULL;
	return parse_list(&p, args);
}

enum imapargs_result
imapargs_segment(struct arena *a, struct span text, struct imapd_literal *l,
    unsigned inside, struct imap_arg **args, unsigned *open)
{
	struct parser p = { .arena = a,
		.in = text,
		.literal = l,
		.left = LIMIT_IMAP_ARGS,
		.depth = inside };
	struct imap_arg **behind[IMAPARGS_OPEN_MAX];
	enum imapargs_result r;

	*args = NULL;
	for (unsigned k = 0; k < inside; k++) {
		*args = arena_alloc(a, sizeof(**args));
		(*args)->type = IMAP_LIST;
		behind[k] = &(*args)->next;
		args = &(*args)->list;
	}
	r = parse_list(&p, args);
	while (r == IMAPARGS_OK && inside > 0)
		r = parse_list(&p, behind[--inside]);
	*open = 0;
	if (r != IMAPARGS_OPEN)
		return r;
	*open = p.depth;
	return p.depth > IMAPARGS_OPEN_MAX ? IMAPARGS_SYNTAX : IMAPARGS_OK;
}

bool
imapargs_mark(struct span line, struct imapargs_mark *m)
{
	struct span digits;

	*m = (struct imapargs_mark){ 0 };
	if (line.n < 3 || line.p[line.n - 1] != '}')
		return false;
	m->at = span_rchr(line, '{');
	if (m->at == line.n)
		return false;
	digits = (struct span){ line.p + m->at + 1, line.n - m->at - 2 };
	if (digits.n > 0 && digits.p[digits.n - 1] == '+') {
		m->nonsync = true;
		digits.n--;
	}
	if (digits.n == 0)
		return false;
	for (size_t i = 0; i < digits.n; i++)
		if (!is_digit(digits.p[i]))
			return false;
	if (!num_u64(digits, &m->n))
		m->n = UINT64_MAX;
	if (m->at > 0 && line.p[m->at - 1] == '~') {
		m->binary = true;
		m->at--;
	}
	return true;
}
