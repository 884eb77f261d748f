#include "pop3/pop3d.h"

#include "base/num.h"
#include "pop3/capa.h"
#include "pop3/lang.h"

struct command {
	const char *verb;
	enum pop3d_event (*run)(struct pop3d *, struct span arg);
	bool has_arg; /* may have one */
};

void
pop3d_init(struct pop3d *d, struct buf *out, const struct pop3d_box *box)
{
	memset(d, 0, sizeof(*d));
	d->out = out;
	d->box = box;
}

static enum pop3d_event
say(struct pop3d *d, const char *text)
{
	buf_puts(d->out, text);
	buf_puts(d->out, "\r\n");
	return POP3D_MORE;
}

/* A command that is none: so many of them in a row end the session. */
static enum pop3d_event
wrong(struct pop3d *d, const char *text)
{
	say(d, text);
	if (++d->errors < LIMIT_POP3_ERRORS)
		return POP3D_MORE;
	d->state = POP3D_OVER;
	return POP3D_END;
}

/* Whether message i is there, and its size. */
static bool
size_of(struct pop3d *d, size_t i, uint64_t *size)
{
	const struct pop3d_box *b = d->box;

	if (b->mark[i] != POP3D_LIVE)
		return false;
	if (b->size(b->ctx, i, size))
		return true;
	b->mark[i] = POP3D_GONE;
	return false;
}

/* The number of a message that is there; false when it was answered. */
static bool
number(struct pop3d *d, struct span word, size_t *i)
{
	uint32_t n;
	bool ok = num_u32(word, &n) && n >= 1 && n <= d->box->count;

	if (ok && d->box->mark[n - 1] == POP3D_LIVE) {
		*i = n - 1;
		return true;
	}
	say(d,
	    ok && d->box->mark[n - 1] == POP3D_DELETED
		? "-ERR that message is deleted"
		: "-ERR no such message");
	return false;
}

static enum pop3d_event
do_stat(struct pop3d *d, struct span arg)
{
	uint64_t n = 0, total = 0, size;

	(void)arg;
	for (size_t i = 0; i < d->box->count; i++)
		if (size_of(d, i, &size)) {
			n++;
			total += size;
		}
	buf_printf(d->out, "+OK %llu %llu\r\n", (unsigned long long)n,
	    (unsigned long long)total);
	return POP3D_MORE;
}

static void
put_size(struct pop3d *d, size_t i, uint64_t size)
{
	buf_putu(d->out, i + 1);
	buf_putc(d->out, ' ');
	buf_putu(d->out, size);
	buf_puts(d->out, "\r\n");
}

static void
put_uid(struct pop3d *d, size_t i)
{
	struct span name = SPAN("");

	buf_putu(d->out, i + 1);
	buf_putc(d->out, ' ');
	if (d->box->name != NULL)
		name = d->box->name(d->box->ctx, i);
	buf_put(d->out, name);
	if (name.n == 0) {
		buf_putu(d->out, d->box->uidvalidity);
		buf_putc(d->out, '.');
		buf_putu(d->out, d->box->uid(d->box->ctx, i));
	}
	buf_puts(d->out, "\r\n");
}

/* "LIST" [ SP msg ] */
static enum pop3d_event
do_list(struct pop3d *d, struct span arg)
{
	uint64_t size;
	size_t i;

	if (arg.n == 0) {
		d->state = POP3D_LISTING;
		d->at = 0;
		return say(d, "+OK");
	}
	if (!number(d, arg, &i))
		return POP3D_MORE;
	if (!size_of(d, i, &size))
		return say(d, "-ERR no such message");
	buf_puts(d->out, "+OK ");
	put_size(d, i, size);
	return POP3D_MORE;
}

/* "UIDL" [ SP msg ] */
static enum pop3d_event
do_uidl(struct pop3d *d, struct span arg)
{
	size_t i;

	if (arg.n == 0) {
		d->state = POP3D_UIDS;
		d->at = 0;
		return say(d, "+OK");
	}
	if (!number(d, arg, &i))
		return POP3D_MORE;
	buf_puts(d->out, "+OK ");
	put_uid(d, i);
	return POP3D_MORE;
}

static enum pop3d_event
do_retr(struct pop3d *d, struct span arg)
{
	if (!number(d, arg, &d->msg))
		return POP3D_MORE;
	d->top = false;
	return POP3D_RETR;
}

/* "TOP" SP msg SP n */
static enum pop3d_event
do_top(struct pop3d *d, struct span arg)
{
	struct span msg = span_word(&arg), n = span_word(&arg);

	if (n.n == 0 || arg.n > 0 || !num_u64(n, &d->lines))
		return wrong(d, "-ERR TOP takes a message and a number");
	if (!number(d, msg, &d->msg))
		return POP3D_MORE;
	d->top = true;
	return POP3D_RETR;
}

static enum pop3d_event
do_dele(struct pop3d *d, struct span arg)
{
	size_t i;

	if (!number(d, arg, &i))
		return POP3D_MORE;
	d->box->mark[i] = POP3D_DELETED;
	return say(d, "+OK deleted at QUIT");
}

static enum pop3d_event
do_rset(struct pop3d *d, struct span arg)
{
	(void)arg;
	for (size_t i = 0; i < d->box->count; i++)
		if (d->box->mark[i] == POP3D_DELETED)
			d->box->mark[i] = POP3D_LIVE;
	return say(d, "+OK");
}

static enum pop3d_event
do_noop(struct pop3d *d, struct span arg)
{
	(void)arg;
	return say(d, "+OK");
}

static enum pop3d_event
do_capa(struct pop3d *d, struct span arg)
{
	(void)arg;
	capa_reply(
	    d->out, &(struct capa_conf){ .login_delay = d->login_delay });
	return POP3D_MORE;
}

/* "LANG" [ SP language-range ] */
static enum pop3d_event
do_lang(struct pop3d *d, struct span arg)
{
	lang_reply(d->out, arg);
	return POP3D_MORE;
}

/* "UTF8", of the AUTHORIZATION state: RFC 6856, section 2.1 */
static enum pop3d_event
do_utf8(struct pop3d *d, struct span arg)
{
	(void)arg;
	if (!d->utf8_now)
		return wrong(d, "-ERR UTF8 comes before the login");
	d->utf8 = true;
	return say(d, "+OK UTF-8 it is");
}

static enum pop3d_event
do_quit(struct pop3d *d, struct span arg)
{
	(void)arg;
	d->state = POP3D_OVER;
	return POP3D_QUIT;
}

/* USER, PASS, AUTH, APOP, STLS belong before the login. */
static enum pop3d_event
too_late(struct pop3d *d, struct span arg)
{
	(void)arg;
	return wrong(d, "-ERR you are logged in already");
}

static const struct command commands[] = {
	{ "STAT", do_stat, false },
	{ "LIST", do_list, true },
	{ "UIDL", do_uidl, true },
	{ "RETR", do_retr, true },
	{ "TOP", do_top, true },
	{ "DELE", do_dele, true },
	{ "RSET", do_rset, false },
	{ "NOOP", do_noop, false },
	{ "CAPA", do_capa, false },
	{ "LANG", do_lang, true },
	{ "UTF8", do_utf8, false },
	{ "QUIT", do_quit, false },
	{ "USER", too_late, true },
	{ "PASS", too_late, true },
	{ "AUTH", too_late, true },
	{ "APOP", too_late, true },
	{ "STLS", too_late, true },
};

static enum pop3d_event
command(struct pop3d *d, struct span line)
{
	struct span verb = span_word(&line), arg = span_trim(line);
	unsigned errors = d->errors;
	enum pop3d_event e;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (!span_iis(verb, c->verb))
			continue;
		if (arg.n > 0 && !c->has_arg)
			return wrong(d, "-ERR that takes no argument");
		e = c->run(d, arg);
		if (d->errors == errors)
			d->errors = 0;
		return e;
	}
	return wrong(d, "-ERR no such command");
}

/* Some lines of a listing; the rest when they are flushed. */
static enum pop3d_event
listing(struct pop3d *d)
{
	uint64_t size;

	for (; d->at < d->box->count; d->at++) {
		if (d->out->n > POP3D_OUT_MAX / 2)
			return POP3D_FLUSH;
		if (d->state == POP3D_LISTING) {
			if (size_of(d, d->at, &size))
				put_size(d, d->at, size);
		} else if (d->box->mark[d->at] == POP3D_LIVE) {
			put_uid(d, d->at);
		}
	}
	d->state = POP3D_COMMANDS;
	return say(d, ".");
}

enum pop3d_event
pop3d_next(struct pop3d *d, struct span *in)
{
	enum pop3d_event e = POP3D_MORE;
	struct span line;

	while (e == POP3D_MORE) {
		if (d->state == POP3D_OVER)
			return POP3D_END;
		if (d->out->n > POP3D_OUT_MAX / 2)
			return POP3D_FLUSH;
		if (d->state != POP3D_COMMANDS) {
			e = listing(d);
			continue;
		}
		switch (line_next(&d->line, in, &line)) {
		case LINE_MORE:
			return POP3D_MORE;
		case LINE_WHOLE:
			if (line.n > LIMIT_POP3_LINE)
				e = wrong(d, "-ERR the line is too long");
			else
				e = command(d, line);
			break;
		case LINE_LONG:
			e = wrong(d, "-ERR the line is too long");
			break;
		}
	}
	return e;
}

void
pop3d_send(struct pop3d *d, uint64_t size)
{
	if (d->top)
		buf_puts(d->out, "+OK\r\n");
	else
		buf_printf(
		    d->out, "+OK %llu octets\r\n", (unsigned long long)size);
}

void
pop3d_fail(struct pop3d *d, enum pop3d_failure f)
{
	if (f == POP3D_NONE) {
		d->box->mark[d->msg] = POP3D_GONE;
		say(d, "-ERR that message has gone");
	} else {
		say(d, "-ERR [SYS/TEMP] the message can't be read now");
	}
}

void
pop3d_quit(struct pop3d *d, bool removed)
{
	say(d,
	    removed ? "+OK bye"
		    : "-ERR [SYS/TEMP] some deleted messages are not removed");
}

bool
pop3_top_cut(struct pop3_top *t, struct span *in)
{
	for (size_t i = 0; i < in->n; i++) {
		char c = in->p[i];

		if (t->in_body && t->lines == 0) {
			in->n = i;
			return true;
		}
		if (c != '\n') {
			t->only_cr = !t->in_line && c == '\r';
			t->in_line = true;
			continue;
		}
		if (t->in_body)
			t->lines--;
		else if (!t->in_line || t->only_cr)
			t->in_body = true;
		t->in_line = t->only_cr = false;
	}
	return t->in_body && t->lines == 0;
}
