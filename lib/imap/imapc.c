#include "imap/imapc.h"

#include "base/num.h"

void
imapc_init(struct imapc *c)
{
	*c = (struct imapc){ 0 };
	buf_init(&c->line, LIMIT_IMAP_RESPONSE);
}

void
imapc_free(struct imapc *c)
{
	buf_free(&c->line);
}

/* "* OK", ...: its text is free, and no literal ends it. */
static bool
is_status(struct span line)
{
	static const char *const words[] = { "OK", "NO", "BAD", "BYE",
		"PREAUTH" };
	struct span word;

	if (!span_starts(line, "* "))
		return true;
	span_take(&line, 2);
	word = span_word(&line);
	for (size_t i = 0; i < 5; i++)
		if (span_iis(word, words[i]))
			return true;
	return false;
}

static bool
ends_in(struct span s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && span_iis((struct span){ s.p + s.n - n, n }, end);
}

/*
 * "{N}" at the end of a line: a literal of N bytes.  That of a message is
 * an empty string in the line, and goes by.
 */
static bool
literal_follows(struct imapc *c)
{
	struct span line = buf_span(&c->line), number;
	size_t at;

	if (line.n < 3 || line.p[line.n - 1] != '}' || is_status(line))
		return false;
	at = span_rchr(line, '{');
	if (at == line.n)
		return false;
	number = (struct span){ line.p + at + 1, line.n - at - 2 };
	if (!num_u64(number, &c->literal))
		return false;
	line.n = at;
	if (line.n > 0 && line.p[line.n - 1] == '~')
		line.n--;
	c->body = ends_in(line, "BODY[] ") || ends_in(line, "RFC822 ") ||
	    ends_in(line, "BODY[]<0> ");
	if (c->body) {
		c->line.n = line.n;
		buf_puts(&c->line, "\"\"");
	} else {
		buf_puts(&c->line, "\r\n");
		if (c->literal > LIMIT_IMAP_RESPONSE)
			c->bad = true;
	}
	return true;
}

/* A line is whole: what is it? */
static enum imapc_event
give(struct imapc *c)
{
	c->whole = true;
	c->text = buf_span(&c->line);
	if (span_starts(c->text, "* ")) {
		span_take(&c->text, 2);
		return IMAPC_UNTAGGED;
	}
	if (c->text.n > 0 && *c->text.p == '+') {
		span_take(&c->text, 1);
		return IMAPC_CONTINUE;
	}
	if (c->text.n > 0 && is_alnum(*c->text.p))
		return IMAPC_TAGGED;
	c->bad = true;
	return IMAPC_BAD;
}

/* Bytes of a literal: into the line, or past it. */
static bool
literal(struct imapc *c, struct span *in, struct span *piece)
{
	size_t n = in->n < c->literal ? in->n : (size_t)c->literal;

	*piece = span_take(in, n);
	c->literal -= n;
	if (c->body)
		return true;
	buf_put(&c->line, *piece);
	return false;
}

enum imapc_event
imapc_next(struct imapc *c, struct span *in, struct span *piece)
{
	size_t n;
	bool end;

	if (c->whole)
		buf_clear(&c->line);
	c->whole = false;
	while (in->n > 0 && !c->bad) {
		if (c->literal > 0) {
			if (literal(c, in, piece))
				return IMAPC_BODY;
			c->bad = c->line.over;
			continue;
		}
		n = span_chr(*in, '\n');
		end = n < in->n;
		buf_put(&c->line, span_take(in, n));
		if (c->line.over) {
			c->bad = true;
			break;
		}
		if (!end)
			return IMAPC_MORE;
		span_take(in, 1);
		if (c->line.n > 0 && c->line.p[c->line.n - 1] == '\r')
			c->line.n--;
		if (!literal_follows(c))
			return give(c);
	}
	return c->bad ? IMAPC_BAD : IMAPC_MORE;
}

/* Behind the opening quote. */
static enum imapc_token
quoted(struct span *s, struct span *text, struct buf *scratch)
{
	size_t n = 0;

	while (n < s->n && s->p[n] != '"' && s->p[n] != '\\')
		n++;
	if (n < s->n && s->p[n] == '"') {
		*text = span_take(s, n);
		span_take(s, 1);
		return IMAPC_STRING;
	}
	buf_clear(scratch);
	while (s->n > 0) {
		char c = *span_take(s, 1).p;

		if (c == '"') {
			*text = buf_span(scratch);
			return scratch->over ? IMAPC_WRONG : IMAPC_STRING;
		}
		if (c == '\\' && s->n > 0)
			c = *span_take(s, 1).p;
		buf_putc(scratch, c);
	}
	return IMAPC_WRONG;
}

/* Behind "{". */
static enum imapc_token
take_literal(struct span *s, struct span *text)
{
	struct span number = span_cut(s, '}');
	uint64_t n;

	if (!num_u64(number, &n) || s->n < 2 || n > s->n - 2)
		return IMAPC_WRONG;
	span_take(s, 2);
	*text = span_take(s, (size_t)n);
	return IMAPC_STRING;
}

static enum imapc_token
atom(struct span *s, struct span *text)
{
	size_t n = 0;
	int depth = 0;

	for (; n < s->n; n++) {
		char c = s->p[n];

		if (c == '[')
			depth++;
		else if (c == ']' && depth > 0)
			depth--;
		else if (depth == 0 &&
		    (c == ' ' || c == '(' || c == ')' || c == '"'))
			break;
	}
	*text = span_take(s, n);
	return n > 0 ? IMAPC_ATOM : IMAPC_WRONG;
}

enum imapc_token
imapc_token(struct span *s, struct span *text, struct buf *scratch)
{
	*text = (struct span){ s->p, 0 };
	while (s->n > 0 && *s->p == ' ')
		span_take(s, 1);
	if (s->n == 0)
		return IMAPC_END;
	switch (*s->p) {
	case '(':
		*text = span_take(s, 1);
		return IMAPC_OPEN;
	case ')':
		*text = span_take(s, 1);
		return IMAPC_CLOSE;
	case '"':
		span_take(s, 1);
		return quoted(s, text, scratch);
	case '{':
		span_take(s, 1);
		return take_literal(s, text);
	default:
		return atom(s, text);
	}
}
