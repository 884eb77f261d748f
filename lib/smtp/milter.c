#include "smtp/milter_bits.h"

enum {
	HEAD = 5, /* length and command */
	OUT_MAX = 4 * MILTER_PACKET_MAX,
	LIST_MAX = 2048
};

/* clang-format off */
static const struct change {
	char command;
	enum milter_event event;
	uint32_t action;
} changes[] = {
	{ 'h', MILTER_ADD_FIELD,    MILTER_ADD_FIELDS },
	{ 'i', MILTER_INSERT_FIELD, MILTER_ADD_FIELDS },
	{ 'm', MILTER_CHANGE_FIELD, MILTER_CHANGE_FIELDS },
	{ '+', MILTER_ADD_RCPT, MILTER_ADD_RCPTS },
	{ '2', MILTER_ADD_RCPT,     MILTER_ADD_RCPT_ARGS },
	{ '-', MILTER_DELETE_RCPT, MILTER_DELETE_RCPTS },
	{ 'e', MILTER_SENDER,       MILTER_CHANGE_SENDER },
	{ 'b', MILTER_BODY,         MILTER_CHANGE_BODY },
	{ 'q', MILTER_QUARANTINE, MILTER_QUARANTINES },
};
/* clang-format on */

void
milter_init(struct milter *m, const struct milter_conf *conf)
{
	*m = (struct milter){ .conf = *conf, .want = HEAD };
	buf_init(&m->out, OUT_MAX);
	buf_init(&m->packet, MILTER_PACKET_MAX);
	buf_init(&m->text, LIMIT_MILTER_REPLY);
	for (size_t i = 0; i < MILTER_LISTS; i++)
		buf_init(&m->lists[i], LIST_MAX);
}

void
milter_free(struct milter *m)
{
	buf_free(&m->out);
	buf_free(&m->packet);
	buf_free(&m->text);
	for (size_t i = 0; i < MILTER_LISTS; i++)
		buf_free(&m->lists[i]);
}

static bool
take_number(struct span *s, uint32_t *n)
{
	*n = 0;
	if (s->n < 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		*n = *n << 8 | (unsigned char)s->p[i];
	span_take(s, 4);
	return true;
}

static bool
take_text(struct span *s, struct span *text)
{
	size_t n = span_chr(*s, '\0');

	if (n == s->n)
		return false;
	*text = span_take(s, n);
	span_take(s, 1);
	return true;
}

/* The last one may have lost its NUL; nothing follows it. */
static bool
take_last(struct span *s, struct span *text)
{
	size_t n = span_chr(*s, '\0');

	*text = span_take(s, n);
	if (s->n > 0)
		span_take(s, 1);
	return s->n == 0;
}

/*
 * options = version actions steps *( list macros NUL )
 */
static enum milter_event
options(struct milter *m, struct span data)
{
	struct span macros;
	uint32_t which;

	if (!take_number(&data, &m->version) ||
	    !take_number(&data, &m->actions) || !take_number(&data, &m->steps))
		return MILTER_BROKEN;
	if (m->version > MILTER_VERSION || m->version < MILTER_VERSION_OLDEST ||
	    (m->actions & ~(uint32_t)MILTER_ACTIONS) != 0 ||
	    (m->steps & ~(uint32_t)MILTER_OPTIONS) != 0)
		return MILTER_BROKEN;
	if (m->version < MILTER_VERSION_UNKNOWN)
		m->steps |= MILTER_NO_UNKNOWN;
	if (m->version < MILTER_VERSION_DATA)
		m->steps |= MILTER_NO_DATA;
	while (data.n > 0) {
		if ((m->actions & MILTER_SET_LISTS) == 0 ||
		    !take_number(&data, &which) || which >= MILTER_LISTS ||
		    !take_text(&data, &macros))
			return MILTER_BROKEN;
		buf_clear(&m->lists[which]);
		if (!buf_put(&m->lists[which], macros))
			return MILTER_BROKEN;
		m->list_set[which] = true;
	}
	m->asked = MILTER_ASKED_NOTHING;
	return MILTER_READY;
}

/* status = class "." subject "." detail SP */
static bool
has_status(struct span s, char cls)
{
	size_t i = 2;

	if (s.n < 2 || s.p[0] != cls || s.p[1] != '.')
		return false;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		while (i < s.n && is_digit(s.p[i]) && digits < 3)
			i++, digits++;
		if (digits == 0 || i == s.n)
			return false;
		if (s.p[i++] != (part == 0 ? '.' : ' '))
			return false;
	}
	return true;
}

/* A status at the front that is not of the class of the code. */
static bool
other_status(struct span s, char cls)
{
	return s.n > 2 && *s.p != cls && has_status(s, *s.p);
}

/* What a reply says is to be printed as it is, after "%%" became "%". */
static bool
put_reply_text(struct milter *m, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_print(s.p[i]))
			return false;
		if (s.p[i] == '%' && i + 1 < s.n && s.p[i + 1] == '%')
			i++;
		buf_putc(&m->text, s.p[i]);
	}
	return true;
}

/* reply-line = code [ ( SP / "-" ) text ] */
static bool
reply_line(struct milter *m, struct span line, struct span code)
{
	struct span got;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n < 3)
		return false;
	got = span_take(&line, 3);
	if (!span_eq(got, code) || line.n < 2 ||
	    (*line.p != ' ' && *line.p != '-'))
		return false;
	span_take(&line, 1);
	if (line.n > LIMIT_REPLY_TEXT || other_status(line, *code.p))
		return false;
	if (m->text.n > 0)
		buf_putc(&m->text, '\n');
	if (!has_status(line, *code.p))
		buf_printf(&m->text, "%c.7.1 ", *code.p);
	return put_reply_text(m, line);
}

/*
 * The code must be one that refuses.  Words that can't be passed on make
 * room for none.
 */
static enum milter_event
reply(struct milter *m, struct span data)
{
	struct span text, code;
	bool good = true;

	if (!take_last(&data, &text) || text.n < 3)
		return MILTER_BROKEN;
	code = (struct span){ text.p, 3 };
	if ((*code.p != '4' && *code.p != '5') || !is_digit(code.p[1]) ||
	    !is_digit(code.p[2]))
		return MILTER_BROKEN;
	m->code = (code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 +
	    (code.p[2] - '0');
	buf_clear(&m->text);
	while (text.n > 0 && good)
		good = reply_line(m, span_cut(&text, '\n'), code);
	if (!good || m->text.over)
		buf_clear(&m->text);
	m->asked = MILTER_ASKED_NOTHING;
	return MILTER_REPLY;
}

/* field-name = 1*( %d33-57 / %d59-126 ) */
static bool
name_valid(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]) || s.p[i] == ' ' || s.p[i] == ':')
			return false;
	return s.n > 0 && s.n <= LIMIT_MILTER_NAME;
}

/*
 * A value has its leading blank, if it has any.  A milter that does not
 * think of that gets one, in the place of the NUL between the two.
 */
static bool
take_field(struct milter *m, struct span *data)
{
	size_t at;

	if (!take_text(data, &m->name) || !name_valid(m->name) ||
	    !take_last(data, &m->value))
		return false;
	if ((m->steps & MILTER_LEADING_SPACE) != 0 || m->value.n == 0)
		return true;
	at = (size_t)(m->value.p - m->packet.p) - 1;
	m->packet.p[at] = ' ';
	m->value = (struct span){ m->packet.p + at, m->value.n + 1 };
	return true;
}

/* The data of a change. */
static bool
take_change(struct milter *m, char command, struct span data)
{
	m->args = SPAN("");
	switch (command) {
	case 'i':
	case 'm':
		if (!take_number(&data, &m->index))
			return false;
		return take_field(m, &data);
	case 'h':
		return take_field(m, &data);
	case '2':
	case 'e':
		if (span_chr(data, '\0') + 1 >= data.n)
			return take_last(&data, &m->value);
		return take_text(&data, &m->value) &&
		    take_last(&data, &m->args);
	case 'b':
		m->value = data;
		return true;
	default:
		return take_last(&data, &m->value);
	}
}

static enum milter_event
change(struct milter *m, char command, struct span data)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *c = &changes[i];

		if (c->command != command)
			continue;
		if (m->asked != MILTER_ASKED_END ||
		    (m->actions & c->action) == 0 ||
		    !take_change(m, command, data))
			break;
		return c->event;
	}
	return MILTER_BROKEN;
}

/* An answer without data, where it is one; else MILTER_BROKEN. */
static enum milter_event
plain_answer(const struct milter *m, char command)
{
	switch (command) {
	case 'c':
		return MILTER_CONTINUE;
	case 'a':
		return MILTER_ACCEPT;
	case 'r':
		return MILTER_REJECT;
	case 't':
		return MILTER_TEMPFAIL;
	case 'd': /* there is a message */
		return m->asked == MILTER_ASKED_CONNECT ||
			m->asked == MILTER_ASKED_HELO
		    ? MILTER_BROKEN
		    : MILTER_DISCARD;
	case 's': /* we offered it: to use it takes no word */
		return m->asked == MILTER_ASKED_BODY ? MILTER_SKIP
						     : MILTER_BROKEN;
	case '4':
	case 'f':
		return MILTER_CLOSE;
	default:
		return MILTER_BROKEN;
	}
}

static enum milter_event
answer(struct milter *m, char command, struct span data)
{
	enum milter_event e;

	if (m->asked == MILTER_ASKED_NOTHING)
		return MILTER_BROKEN;
	if (m->asked == MILTER_ASKED_OPTIONS)
		return command == 'O' ? options(m, data) : MILTER_BROKEN;
	if (command == 'p')
		return MILTER_PROGRESS;
	if (command == 'y')
		return reply(m, data);
	e = plain_answer(m, command);
	if (e == MILTER_BROKEN)
		return change(m, command, data);
	m->asked = MILTER_ASKED_NOTHING;
	return e;
}

/* The length at the front of a packet, of what follows it. */
static bool
know_length(struct milter *m)
{
	struct span s = buf_span(&m->packet);
	uint32_t n;

	if (!take_number(&s, &n) || n == 0 || n > LIMIT_MILTER_PACKET)
		return false;
	m->want = 4 + n;
	return true;
}

enum milter_event
milter_next(struct milter *m, struct span *in)
{
	struct span data;
	enum milter_event e;

	if (m->want == 0)
		return MILTER_BROKEN;
	if (m->packet.n == m->want) { /* the one that was given last */
		buf_clear(&m->packet);
		m->want = HEAD;
	}
	while (m->packet.n < m->want) {
		size_t n = m->want - m->packet.n;

		if (in->n == 0)
			return MILTER_MORE;
		buf_put(&m->packet, span_take(in, in->n < n ? in->n : n));
		if (m->packet.n == HEAD && !know_length(m)) {
			m->want = 0;
			return MILTER_BROKEN;
		}
	}
	data = buf_span(&m->packet);
	span_take(&data, HEAD);
	e = answer(m, m->packet.p[HEAD - 1], data);
	if (e == MILTER_BROKEN)
		m->want = 0;
	return e;
}
