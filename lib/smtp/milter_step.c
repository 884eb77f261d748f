#include "smtp/milter_bits.h"

enum { MACROS_MAX = 32768 };

/* clang-format off */
static const struct {
	char command;
	uint32_t no, mute;
	enum milter_list list; /* MILTER_LISTS: none */
} steps[] = {
	[MILTER_ASKED_OPTIONS] = { 'O', 0, 0, MILTER_LISTS },
	[MILTER_ASKED_CONNECT] = { 'C', MILTER_NO_CONNECT, MILTER_MUTE_CONNECT,
		MILTER_AT_CONNECT },
	[MILTER_ASKED_HELO] =    { 'H', MILTER_NO_HELO, MILTER_MUTE_HELO,
		MILTER_AT_HELO },
	[MILTER_ASKED_MAIL] =    { 'M', MILTER_NO_MAIL, MILTER_MUTE_MAIL,
		MILTER_AT_MAIL },
	[MILTER_ASKED_RCPT] =    { 'R', MILTER_NO_RCPT, MILTER_MUTE_RCPT,
		MILTER_AT_RCPT },
	[MILTER_ASKED_DATA] =    { 'T', MILTER_NO_DATA, MILTER_MUTE_DATA,
		MILTER_AT_DATA },
	[MILTER_ASKED_UNKNOWN] = { 'U', MILTER_NO_UNKNOWN,
		MILTER_MUTE_UNKNOWN, MILTER_LISTS },
	[MILTER_ASKED_FIELD] =   { 'L', MILTER_NO_FIELDS, MILTER_MUTE_FIELD,
		MILTER_LISTS },
	[MILTER_ASKED_EOH] =     { 'N', MILTER_NO_EOH, MILTER_MUTE_EOH,
		MILTER_AT_EOH },
	[MILTER_ASKED_BODY] =    { 'B', MILTER_NO_BODY, MILTER_MUTE_BODY,
		MILTER_LISTS },
	[MILTER_ASKED_END] =     { 'E', 0, 0, MILTER_AT_END },
};
/* clang-format on */

/* What a milter hears that did not ask for other macros. */
/* clang-format off */
static const char *const default_lists[MILTER_LISTS] = {
	[MILTER_AT_CONNECT] = "j _ {daemon_name} {daemon_addr} {daemon_port} "
		"{client_name} {client_addr} {client_port} {client_ptr} v",
	[MILTER_AT_HELO] = "{tls_version} {cipher} {cipher_bits} "
		"{cert_subject} {cert_issuer}",
	[MILTER_AT_MAIL] = "i {auth_type} {auth_authen} {mail_addr} "
		"{mail_host} {mail_mailer}",
	[MILTER_AT_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	[MILTER_AT_DATA] = "i",
	[MILTER_AT_END] = "i",
	[MILTER_AT_EOH] = "i",
};
/* clang-format on */

static void
put_number(struct buf *b, uint32_t n)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(b, (char)(n >> shift & 0xff));
}

/* Text ended by NUL, so that there can be none within. */
static void
put_text(struct buf *b, struct span s)
{
	size_t at = b->n;

	if (!buf_put(b, s))
		return;
	for (; at < b->n; at++)
		if (b->p[at] == '\0')
			b->p[at] = '?';
	buf_putc(b, '\0');
}

/* Begin a packet; end_packet puts its length in. */
static size_t
begin_packet(struct buf *b, char command)
{
	size_t at = b->n;

	put_number(b, 0);
	buf_putc(b, command);
	return at;
}

static void
end_packet(struct buf *b, size_t at)
{
	size_t n = b->n - at - 4;

	for (size_t i = 0; i < 4; i++)
		b->p[at + i] = (char)(n >> (24 - 8 * i) & 0xff);
}

/* The next macro of a list, with its braces or a letter alone. */
static struct span
next_macro(struct span *list)
{
	size_t n = 0;

	while (list->n > 0 && (is_blank(*list->p) || *list->p == ','))
		span_take(list, 1);
	while (n < list->n && !is_blank(list->p[n]) && list->p[n] != ',')
		n++;
	return span_take(list, n);
}

static void
put_macros(struct milter *m, enum milter_list which, char command)
{
	size_t at = begin_packet(&m->out, 'D'), empty;
	struct span list = m->list_set[which] ? buf_span(&m->lists[which])
					      : span_of(default_lists[which]);

	buf_putc(&m->out, command);
	empty = m->out.n;
	for (struct span word; (word = next_macro(&list)).n > 0;) {
		struct span name = word, value;

		if (name.n > 2 && name.p[0] == '{' && name.p[name.n - 1] == '}')
			name = (struct span){ name.p + 1, name.n - 2 };
		value = m->conf.macro(m->conf.arg, name);
		if (value.p == NULL || value.n > LIMIT_ENV_VALUE)
			continue;
		if (m->out.n - at > MACROS_MAX)
			break;
		put_text(&m->out, word);
		put_text(&m->out, value);
	}
	if (m->out.n == empty)
		m->out.n = at;
	else
		end_packet(&m->out, at);
}

/*
 * Begin the packet of a step, its macros in front.  False when the milter
 * does not want it.
 */
static bool
begin_step(struct milter *m, enum milter_asked step, size_t *at)
{
	if ((m->steps & steps[step].no) != 0)
		return false;
	if (steps[step].list != MILTER_LISTS)
		put_macros(m, steps[step].list, steps[step].command);
	*at = begin_packet(&m->out, steps[step].command);
	return true;
}

/* Whether there will be an answer. */
static bool
end_step(struct milter *m, enum milter_asked step, size_t at)
{
	end_packet(&m->out, at);
	if ((m->steps & steps[step].mute) != 0)
		return false;
	m->asked = step;
	return true;
}

void
milter_open(struct milter *m)
{
	size_t at = begin_packet(&m->out, steps[MILTER_ASKED_OPTIONS].command);

	put_number(&m->out, MILTER_VERSION);
	put_number(&m->out, MILTER_ACTIONS);
	put_number(&m->out, MILTER_OPTIONS);
	end_packet(&m->out, at);
	m->asked = MILTER_ASKED_OPTIONS;
}

bool
milter_connect(
    struct milter *m, struct span host, struct span ip, uint16_t port)
{
	bool v6 = span_chr(ip, ':') < ip.n;
	size_t at;

	if (!begin_step(m, MILTER_ASKED_CONNECT, &at))
		return false;
	put_text(&m->out, host);
	if (ip.n == 0) {
		buf_putc(&m->out, 'U');
	} else {
		buf_putc(&m->out, v6 ? '6' : '4');
		buf_putc(&m->out, (char)(port >> 8));
		buf_putc(&m->out, (char)(port & 0xff));
		put_text(&m->out, ip);
	}
	return end_step(m, MILTER_ASKED_CONNECT, at);
}

static bool
text_step(struct milter *m, enum milter_asked step, struct span text)
{
	size_t at;

	if (!begin_step(m, step, &at))
		return false;
	put_text(&m->out, text);
	return end_step(m, step, at);
}

bool
milter_helo(struct milter *m, struct span name)
{
	return text_step(m, MILTER_ASKED_HELO, name);
}

bool
milter_unknown(struct milter *m, struct span line)
{
	return text_step(m, MILTER_ASKED_UNKNOWN, line);
}

static bool
path_step(struct milter *m, enum milter_asked step, struct span addr,
    struct span args)
{
	size_t at;

	if (!begin_step(m, step, &at))
		return false;
	buf_putc(&m->out, '<');
	buf_put(&m->out, addr);
	put_text(&m->out, SPAN(">"));
	for (struct span w; (w = span_word(&args)).n > 0;)
		put_text(&m->out, w);
	return end_step(m, step, at);
}

bool
milter_mail(struct milter *m, struct span sender, struct span args)
{
	return path_step(m, MILTER_ASKED_MAIL, sender, args);
}

bool
milter_rcpt(struct milter *m, struct span rcpt, struct span args)
{
	return path_step(m, MILTER_ASKED_RCPT, rcpt, args);
}

static bool
bare_step(struct milter *m, enum milter_asked step)
{
	size_t at;

	return begin_step(m, step, &at) && end_step(m, step, at);
}

bool
milter_data(struct milter *m)
{
	return bare_step(m, MILTER_ASKED_DATA);
}

bool
milter_eoh(struct milter *m)
{
	return bare_step(m, MILTER_ASKED_EOH);
}

bool
milter_end(struct milter *m)
{
	return bare_step(m, MILTER_ASKED_END);
}

/* Of a field that is too long the front is told. */
bool
milter_field(struct milter *m, struct span name, struct span body)
{
	size_t at, room = MILTER_CHUNK - 2;

	if (!begin_step(m, MILTER_ASKED_FIELD, &at))
		return false;
	if ((m->steps & MILTER_LEADING_SPACE) == 0 && body.n > 0 &&
	    is_blank(*body.p))
		span_take(&body, 1);
	if (name.n > room)
		name.n = room;
	if (body.n > room - name.n)
		body.n = room - name.n;
	put_text(&m->out, name);
	for (size_t i = 0; i < body.n; i++)
		if (body.p[i] == '\r' && i + 1 < body.n &&
		    body.p[i + 1] == '\n')
			continue;
		else
			buf_putc(&m->out, body.p[i] == '\0' ? '?' : body.p[i]);
	buf_putc(&m->out, '\0');
	return end_step(m, MILTER_ASKED_FIELD, at);
}

bool
milter_body(struct milter *m, struct span piece)
{
	size_t at;

	if (!begin_step(m, MILTER_ASKED_BODY, &at))
		return false;
	buf_put(&m->out, piece);
	return end_step(m, MILTER_ASKED_BODY, at);
}

bool
milter_wants_body(const struct milter *m)
{
	return (m->steps & MILTER_NO_BODY) == 0;
}

static void
put_command(struct milter *m, char command)
{
	end_packet(&m->out, begin_packet(&m->out, command));
	m->asked = MILTER_ASKED_NOTHING;
}

void
milter_abort(struct milter *m)
{
	put_command(m, 'A');
}

void
milter_quit(struct milter *m)
{
	put_command(m, 'Q');
}

bool
milter_quit_nc(struct milter *m)
{
	if (m->version < MILTER_VERSION_QUIT_NC)
		return false;
	put_command(m, 'K');
	return true;
}
