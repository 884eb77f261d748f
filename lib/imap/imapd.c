#include "imap/imapd.h"

#include "imap/imapargs.h"

void
imapd_init(struct imapd *e, struct buf *out, size_t max_arena)
{
	*e = (struct imapd){ .out = out, .line.max = LIMIT_IMAP_LINE };
	arena_init(&e->arena, max_arena);
	e->tail = &e->first;
}

void
imapd_free(struct imapd *e)
{
	arena_free(&e->arena);
	buf_free(&e->line);
}

bool
imapd_idle(const struct imapd *e)
{
	return e->state == IMAPD_AT_START;
}

bool
imapd_has_message(const struct imapd *e)
{
	return e->state == IMAPD_AT_MESSAGE;
}

bool
imap_is_string(const struct imap_arg *a)
{
	return a != NULL && a->type != IMAP_LIST;
}

static void
tagged(struct imapd *e, const char *text)
{
	if (e->tag.n > 0)
		buf_put(e->out, e->tag);
	else
		buf_putc(e->out, '*');
	buf_putc(e->out, ' ');
	buf_puts(e->out, text);
	buf_puts(e->out, "\r\n");
}

static void
count_error(struct imapd *e)
{
	if (++e->errors < LIMIT_IMAP_ERRORS)
		return;
	buf_puts(e->out, "* BYE Too many errors\r\n");
	e->state = IMAPD_CLOSED;
}

void
imapd_bad(struct imapd *e, const char *text)
{
	buf_printf(e->out, "%.*s BAD %s\r\n", e->tag.n > 0 ? (int)e->tag.n : 1,
	    e->tag.n > 0 ? e->tag.p : "*", text);
	count_error(e);
}

void
imapd_line(struct imapd *e)
{
	buf_clear(&e->line);
	e->state = IMAPD_PLAIN_LINE;
}

void
imapd_accept(struct imapd *e)
{
	if (!e->nonsync)
		buf_puts(e->out, "+ Ready for literal data\r\n");
	e->left = e->message;
	e->state = IMAPD_IN_MESSAGE;
}

/* Nothing came of it: pass over what the client sends unasked. */
static void
skip_literal(struct imapd *e, bool nonsync, uint64_t n)
{
	if (e->state == IMAPD_CLOSED)
		return;
	if (!nonsync) {
		e->state = IMAPD_AT_START;
	} else if (n > LIMIT_MESSAGE) {
		buf_puts(e->out, "* BYE Literal too large\r\n");
		e->state = IMAPD_CLOSED;
	} else {
		e->left = n;
		e->state = IMAPD_SKIP_LITERAL;
	}
}

void
imapd_refuse(struct imapd *e)
{
	skip_literal(e, e->nonsync, e->message);
}

static void
begin(struct imapd *e)
{
	arena_release(&e->arena, (struct arena_mark){ 0 });
	buf_clear(&e->line);
	e->tag = e->name = e->text = (struct span){ "", 0 };
	e->args = NULL;
	e->uid = e->streaming = false;
	e->inside = e->open = 0;
	e->literals = 0;
	e->first = NULL;
	e->tail = &e->first;
	e->state = IMAPD_IN_LINE;
}

/* Behind a message: the next segment, or the end of the line. */
static void
begin_segment(struct imapd *e)
{
	if (e->left > 0)
		return;
	if (e->streaming)
		arena_release(&e->arena, e->mark);
	else
		e->mark = arena_mark(&e->arena);
	e->streaming = true;
	buf_clear(&e->line);
	e->inside = e->open;
	e->args = NULL;
	e->literals = 0;
	e->first = NULL;
	e->tail = &e->first;
	e->state = IMAPD_IN_LINE;
}

/*
 * Take bytes up to a LF, which is taken too and left out, as is a CR
 * before it.  False when there is none yet.
 */
static bool
take_line(struct imapd *e, struct span *in)
{
	struct span s = span_take(in, span_chr(*in, '\n'));

	if (!e->line.over)
		buf_put(&e->line, s);
	for (size_t i = s.n; i > 0; i--)
		if (s.p[i - 1] != '\r') {
			e->last = s.p[i - 1];
			break;
		}
	if (in->n == 0)
		return false;
	span_take(in, 1);
	if (e->line.n > 0 && !e->line.over && e->line.p[e->line.n - 1] == '\r')
		e->line.n--;
	return true;
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
static bool
is_tag(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) &&
		    (s.p[i] == '\0' ||
			strchr("!#$&',-./:;<=>?@[]^_`|}~", s.p[i]) == NULL))
			return false;
	return s.n > 0 && s.n <= LIMIT_IMAP_TAG;
}

static struct span
word(struct span *s)
{
	return span_cut(s, ' ');
}

/* command = tag SP name ... */
static bool
parse_head(struct imapd *e, struct span *rest)
{
	struct span tag;

	e->tag = e->name = (struct span){ "", 0 };
	if (rest->n == 0)
		return false;
	tag = word(rest);
	if (!is_tag(tag))
		return false;
	e->tag = tag;
	if (rest->n > 0)
		e->name = word(rest);
	e->uid = span_iis(e->name, "UID");
	if (e->uid && rest->n > 0)
		e->name = word(rest);
	return e->name.n > 0;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || s.p[i] == '\r')
			return true;
	return false;
}

/* How a line that can't be a command ends. */
static enum imapd_event
dropped(const struct imapd *e)
{
	return e->streaming ? IMAPD_ABORT : IMAPD_MORE;
}

static enum imapd_event
wrong(struct imapd *e, const char *text, const struct imapargs_mark *m)
{
	e->state = IMAPD_AT_START;
	imapd_bad(e, text);
	if (m->n > 0)
		skip_literal(e, m->nonsync, m->n);
	return dropped(e);
}

static enum imapd_event
too_long(struct imapd *e)
{
	struct span rest, tag;

	e->line.over = false;
	rest = buf_span(&e->line);
	tag = word(&rest);
	if (!e->streaming && is_tag(tag))
		e->tag = arena_span(&e->arena, tag);
	e->state = IMAPD_AT_START;
	/* A literal may follow, whose length is lost. */
	if (e->last == '}') {
		tagged(e, "BAD Command line too long");
		buf_puts(e->out, "* BYE Command line too long\r\n");
		e->state = IMAPD_CLOSED;
		return dropped(e);
	}
	imapd_bad(e, "Command line too long");
	return dropped(e);
}

/* A literal of a command, into memory. */
static enum imapd_event
argument(struct imapd *e, const struct imapargs_mark *m)
{
	struct imapd_literal *l;

	if (m->n > LIMIT_IMAP_LITERAL || e->literals + m->n > LIMIT_IMAP_LINE)
		return wrong(e, "Literal too large", m);
	if (!buf_putc(&e->line, '\n'))
		return wrong(e, "Command line too long", m);
	l = arena_alloc(&e->arena, sizeof(*l));
	e->fill = arena_alloc(&e->arena, (size_t)m->n + 1);
	l->text = (struct span){ e->fill, (size_t)m->n };
	*e->tail = l;
	e->tail = &l->next;
	e->literals += (size_t)m->n;
	e->left = m->n;
	e->state = m->n > 0 ? IMAPD_IN_LITERAL : IMAPD_IN_LINE;
	if (!m->nonsync)
		buf_puts(e->out, "+ OK\r\n");
	return IMAPD_MORE;
}

static bool
is_append(const struct imapd *e)
{
	return span_iis(e->name, "APPEND") && !e->uid;
}

/* Whether the text ends with the word URL, in a list. */
static bool
ends_in_url(const struct imapd *e, struct span s)
{
	struct span url;

	if (s.n < 3 || (e->inside == 0 && span_chr(s, '(') == s.n))
		return false;
	url = (struct span){ s.p + s.n - 3, 3 };
	return span_iis(url, "URL") &&
	    (s.n == 3 || strchr(" ()", url.p[-1]) != NULL);
}

/*
 * Whether a literal behind this text is a message, or a part of one: what
 * is none is the name of a mailbox (behind the number of REPLACE), and the
 * URL of CATENATE.
 */
static bool
is_message(const struct imapd *e, struct span text)
{
	bool append = is_append(e);

	if (!append && !span_iis(e->name, "REPLACE"))
		return false;
	text = span_trim(text);
	if (!e->streaming) {
		if (!append)
			span_word(&text);
		if (text.n == 0)
			return false;
	}
	return !ends_in_url(e, text);
}

/* Parse what was read of a command whose messages are streamed. */
static enum imapargs_result
segment(struct imapd *e, size_t n)
{
	/* A copy: the arguments live on while the line grows. */
	struct span rest = arena_span(&e->arena, (struct span){ e->line.p, n });

	if (!e->streaming)
		parse_head(e, &rest);
	return imapargs_segment(
	    &e->arena, rest, e->first, e->inside, &e->args, &e->open);
}

static enum imapd_event
announced(struct imapd *e, const struct imapargs_mark *m)
{
	struct span rest = { e->line.p, m->at };

	if (!e->streaming && !parse_head(e, &rest))
		return wrong(e, "No command", m);
	if (!is_message(e, rest))
		return argument(e, m);
	if (segment(e, m->at) != IMAPARGS_OK)
		return wrong(e, "Syntax error in arguments", m);
	e->message = m->n;
	e->nonsync = m->nonsync;
	e->binary = m->binary;
	e->state = IMAPD_AT_MESSAGE;
	return IMAPD_MESSAGE;
}

/* The line behind the last message. */
static enum imapd_event
last_segment(struct imapd *e)
{
	e->state = IMAPD_AT_START;
	if (segment(e, e->line.n) == IMAPARGS_OK && e->open == 0)
		return IMAPD_END;
	imapd_bad(e, "Syntax error in arguments");
	return IMAPD_ABORT;
}

static enum imapd_event
command(struct imapd *e)
{
	struct span rest = arena_span(&e->arena, buf_span(&e->line));

	e->state = IMAPD_AT_START;
	if (!parse_head(e, &rest)) {
		imapd_bad(e, e->tag.n > 0 ? "No command" : "Invalid tag");
		return IMAPD_MORE;
	}
	switch (imapargs_parse(&e->arena, rest, e->first, &e->args)) {
	case IMAPARGS_OK:
		return IMAPD_COMMAND;
	case IMAPARGS_LIMIT:
		imapd_bad(e, "Too many arguments");
		return IMAPD_MORE;
	case IMAPARGS_OPEN:
	case IMAPARGS_SYNTAX:
		break;
	}
	imapd_bad(e, "Syntax error in arguments");
	return IMAPD_MORE;
}

static enum imapd_event
line_done(struct imapd *e)
{
	struct imapargs_mark m = { 0 };
	struct span rest;

	if (e->line.over)
		return too_long(e);
	rest = buf_span(&e->line);
	if (!e->streaming)
		parse_head(e, &rest);
	if (has_control(buf_span(&e->line)))
		return wrong(e, "Control characters in a command", &m);
	if (imapargs_mark(buf_span(&e->line), &m))
		return announced(e, &m);
	return e->streaming ? last_segment(e) : command(e);
}

static struct span
take_literal(struct imapd *e, struct span *in)
{
	size_t n = in->n < e->left ? in->n : (size_t)e->left;

	e->left -= n;
	return span_take(in, n);
}

/* Lines behind a literal that was passed over, with literals of their own */
static void
skipped_line(struct imapd *e)
{
	struct imapargs_mark m;

	if (!e->line.over && imapargs_mark(buf_span(&e->line), &m) && m.nonsync)
		skip_literal(e, true, m.n);
	else
		e->state = IMAPD_AT_START;
}

static void
behind_literal(struct imapd *e, enum imapd_state next)
{
	if (e->left > 0)
		return;
	if (next != IMAPD_IN_LINE)
		buf_clear(&e->line);
	e->state = next;
}

/* One step of a state that reads; IMAPD_MORE: go on. */
static enum imapd_event
step(struct imapd *e, struct span *in)
{
	struct span s;

	switch (e->state) {
	case IMAPD_AT_START:
		begin(e);
		break;
	case IMAPD_IN_LINE:
		if (take_line(e, in))
			return line_done(e);
		break;
	case IMAPD_IN_LITERAL:
		s = take_literal(e, in);
		memcpy(e->fill, s.p, s.n);
		e->fill += s.n;
		behind_literal(e, IMAPD_IN_LINE);
		break;
	case IMAPD_IN_MESSAGE:
		e->text = take_literal(e, in);
		begin_segment(e);
		return IMAPD_PIECE;
	case IMAPD_SKIP_LITERAL:
		take_literal(e, in);
		behind_literal(e, IMAPD_SKIP_LINE);
		break;
	case IMAPD_SKIP_LINE:
		if (take_line(e, in))
			skipped_line(e);
		break;
	case IMAPD_PLAIN_LINE:
		if (!take_line(e, in))
			break;
		e->text = arena_span(&e->arena, buf_span(&e->line));
		e->state = IMAPD_AT_START;
		return IMAPD_LINE;
	case IMAPD_AT_MESSAGE:
	case IMAPD_CLOSED:
		break;
	}
	return IMAPD_MORE;
}

enum imapd_event
imapd_next(struct imapd *e, struct span *in)
{
	enum imapd_event r;

	if (e->state == IMAPD_IN_MESSAGE)
		begin_segment(e);
	if (e->state == IMAPD_SKIP_LITERAL)
		behind_literal(e, IMAPD_SKIP_LINE);
	while (in->n > 0 && e->state != IMAPD_CLOSED &&
	    e->state != IMAPD_AT_MESSAGE) {
		r = step(e, in);
		if (r != IMAPD_MORE)
			return r;
	}
	return e->state == IMAPD_CLOSED ? IMAPD_CLOSE : IMAPD_MORE;
}
