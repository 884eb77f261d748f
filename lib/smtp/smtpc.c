#include "smtp/smtpc.h"

#include "base/num.h"
#include "mail/addr.h"
#include "smtp/smtpc_ext.h"

enum state {
	GREETING,
	EHLO,
	HELO,
	STARTTLS,
	IN_TLS, /* the handshake is the caller's */
	READY,
	GROUP, /* MAIL, RCPT and DATA, one reply each */
	BODY,
	BODY_END,
	NO_BODY_END, /* after the lone dot of a message nobody takes */
	RESET,
	QUIT,
	GONE
};

static void
note(struct smtpc *c, const char *who, struct span line)
{
	size_t n = line.n + strlen(who) + 1;

	if (n > sizeof(c->transcript) / 2)
		return;
	if (n > sizeof(c->transcript) - c->ntranscript) {
		size_t half = sizeof(c->transcript) / 2;

		memmove(
		    c->transcript, c->transcript + c->ntranscript - half, half);
		c->ntranscript = half;
	}
	memcpy(c->transcript + c->ntranscript, who, strlen(who));
	c->ntranscript += strlen(who);
	memcpy(c->transcript + c->ntranscript, line.p, line.n);
	c->ntranscript += line.n;
	c->transcript[c->ntranscript++] = '\n';
}

/* A command line without its CRLF is what was added to out from `at`. */
static void
end_line(struct smtpc *c, size_t at)
{
	note(c, "> ", (struct span){ c->out->p + at, c->out->n - at });
	buf_puts(c->out, "\r\n");
}

static void
say(struct smtpc *c, const char *command, const char *arg)
{
	size_t at = c->out->n;

	buf_puts(c->out, command);
	if (arg != NULL) {
		buf_putc(c->out, ' ');
		buf_puts(c->out, arg);
	}
	end_line(c, at);
}

void
smtpc_init(struct smtpc *c, const struct smtpc_conf *conf, struct buf *out)
{
	memset(c, 0, sizeof(*c));
	c->conf = conf;
	c->out = out;
	c->state = GREETING;
}

/* status-code = class "." subject "." detail, of the reply's class */
static void
enhanced(const struct smtpc *c, char code[SMTPC_CODE])
{
	struct span s = { c->reply, c->nreply }, word;

	span_word(&s);
	word = span_word(&s);
	if (word.n >= 5 && word.n < SMTPC_CODE && word.p[1] == '.' &&
	    word.p[0] == (char)('0' + c->code / 100)) {
		bool fit = true;
		size_t dots = 0;

		for (size_t i = 0; i < word.n; i++) {
			dots += word.p[i] == '.';
			if (word.p[i] != '.' && !is_digit(word.p[i]))
				fit = false;
		}
		if (fit && dots == 2 && span_cstr(word, code, SMTPC_CODE))
			return;
	}
	snprintf(code, SMTPC_CODE, "%d.0.0", c->code / 100 % 10);
}

static enum verdict
class_of(int code)
{
	if (code >= 200 && code < 300)
		return OK;
	return code >= 500 && code < 600 ? PERM : TEMP;
}

/* This reply decides recipient r. */
static void
decide(struct smtpc *c, struct smtpc_rcpt *r)
{
	r->decided = true;
	r->verdict = class_of(c->code);
	enhanced(c, r->code);
	if (r->verdict == TEMP && r->code[0] != '4')
		snprintf(r->code, sizeof(r->code), "4.5.0");
	memcpy(r->text, c->reply, c->nreply);
	r->text[c->nreply] = '\0';
}

/* This reply decides all who are open; early: a yes can't be one yet. */
static void
decide_all(struct smtpc *c, bool early)
{
	for (size_t i = 0; i < c->mail->nrcpts; i++) {
		struct smtpc_rcpt *r = &c->mail->rcpts[i];

		if (r->decided)
			continue;
		decide(c, r);
		if (early && r->verdict == OK) {
			r->verdict = TEMP;
			snprintf(r->code, sizeof(r->code), "4.5.0");
		}
	}
}

void
smtpc_decide(
    struct smtpc_mail *m, enum verdict v, const char *code, const char *text)
{
	for (size_t i = 0; i < m->nrcpts; i++) {
		struct smtpc_rcpt *r = &m->rcpts[i];

		if (r->decided)
			continue;
		r->decided = true;
		r->verdict = v;
		snprintf(r->code, sizeof(r->code), "%s", code);
		snprintf(r->text, sizeof(r->text), "%s", text);
	}
}

static enum smtpc_event
gone(struct smtpc *c, enum verdict v, const char *code, const char *why)
{
	if (c->state != GONE) {
		c->end = v;
		snprintf(c->end_code, sizeof(c->end_code), "%s", code);
		snprintf(c->why, sizeof(c->why), "%s", why);
	}
	c->state = GONE;
	if (c->mail != NULL)
		smtpc_decide(c->mail, c->end, c->end_code, c->why);
	c->mail = NULL;
	return SMTPC_GONE;
}

/* The session ends with this reply. */
static enum smtpc_event
refused(struct smtpc *c, enum verdict v)
{
	char code[SMTPC_CODE], text[SMTPC_TEXT];

	enhanced(c, code);
	if (v == TEMP)
		code[0] = '4';
	memcpy(text, c->reply, c->nreply);
	text[c->nreply] = '\0';
	return gone(c, v, code, text);
}

void
smtpc_lost(struct smtpc *c, const char *why)
{
	gone(c, TEMP, "4.4.2", why);
}

static void
hello(struct smtpc *c)
{
	smtpc_forget(c);
	c->state = EHLO;
	say(c, "EHLO", c->conf->helo);
}

void
smtpc_tls_started(struct smtpc *c)
{
	c->tls = true;
	c->nline = c->nreply = c->nlines = 0;
	hello(c);
}

static void
put_mail(struct smtpc *c)
{
	size_t at = c->out->n;

	buf_puts(c->out, "MAIL FROM:<");
	buf_put(c->out, c->mail->sender);
	buf_putc(c->out, '>');
	smtpc_put_mail_params(c);
	end_line(c, at);
}

static void
put_rcpt(struct smtpc *c, const struct smtpc_rcpt *r)
{
	size_t at = c->out->n;

	buf_puts(c->out, "RCPT TO:<");
	buf_put(c->out, r->address);
	buf_putc(c->out, '>');
	smtpc_put_rcpt_params(c, r);
	end_line(c, at);
}

/* The recipients that are to be asked, in order; NULL at the end. */
static struct smtpc_rcpt *
nth_rcpt(const struct smtpc *c, size_t n)
{
	return n < c->mail->nrcpts ? &c->mail->rcpts[n] : NULL;
}

/* Say the command of a step: 0 is MAIL, then the RCPTs, then DATA. */
static void
put_step(struct smtpc *c)
{
	struct smtpc_rcpt *r;

	if (c->step == 0) {
		put_mail(c);
	} else if ((r = nth_rcpt(c, c->step - 1)) != NULL) {
		put_rcpt(c, r);
	} else {
		say(c, "DATA", NULL);
		c->data_sent = true;
	}
}

/* What this server can't take is not asked for. */
static bool
fits(struct smtpc *c)
{
	struct smtpc_mail *m = c->mail;
	bool ascii = addr_is_ascii(m->sender);

	for (size_t i = 0; i < m->nrcpts; i++)
		ascii &= addr_is_ascii(m->rcpts[i].address);
	if (!ascii && !c->smtputf8)
		smtpc_decide(m, PERM, "5.6.7",
		    "the address is not ASCII and the server has no SMTPUTF8");
	else if (c->size_max != 0 && m->size > c->size_max)
		smtpc_decide(m, PERM, "5.3.4",
		    "the message is larger than the server takes");
	else
		return true;
	c->mail = NULL;
	return false;
}

void
smtpc_send(struct smtpc *c, struct smtpc_mail *m)
{
	c->mail = m;
	c->step = c->accepted = 0;
	c->data_sent = c->answered = false;
	c->ntranscript = 0;
	if (!fits(c))
		return;
	c->state = GROUP;
	if (!c->pipelining) {
		put_step(c);
		return;
	}
	for (c->step = 0; !c->data_sent; c->step++)
		put_step(c);
	c->step = 0;
}

static void
reset(struct smtpc *c)
{
	c->state = RESET;
	say(c, "RSET", NULL);
}

/* One reply of MAIL, RCPT and DATA. */
static enum smtpc_event
on_group(struct smtpc *c)
{
	enum verdict v = class_of(c->code);
	struct smtpc_rcpt *r;

	if (c->step == 0) {
		if (v != OK)
			decide_all(c, true);
	} else if ((r = nth_rcpt(c, c->step - 1)) != NULL) {
		if (v == OK)
			c->accepted += !r->decided;
		else if (!r->decided)
			decide(c, r);
	} else if (c->code == 354) {
		c->state = BODY;
		if (c->accepted > 0)
			return SMTPC_BODY;
		/* pipelined DATA was taken though no recipient was */
		buf_puts(c->out, ".\r\n");
		note(c, "> ", SPAN("."));
		c->state = NO_BODY_END;
		return SMTPC_MORE;
	} else {
		decide_all(c, true);
		reset(c);
		return SMTPC_MORE;
	}
	c->step++;
	if (!c->data_sent) {
		if (c->step == 1 && v != OK)
			reset(c);
		else if (nth_rcpt(c, c->step - 1) == NULL && c->accepted == 0)
			reset(c);
		else
			put_step(c);
	}
	return SMTPC_MORE;
}

static enum smtpc_event
ready(struct smtpc *c)
{
	c->state = READY;
	c->mail = NULL;
	return SMTPC_READY;
}

static enum smtpc_event
on_ehlo(struct smtpc *c)
{
	if (class_of(c->code) == OK) {
		c->extended = true;
		if (c->tls_offered && !c->tls && c->conf->starttls) {
			c->state = STARTTLS;
			say(c, "STARTTLS", NULL);
			return SMTPC_MORE;
		}
		return ready(c);
	}
	/* only a server that does not know EHLO is asked the old way */
	if (c->code != 500 && c->code != 501 && c->code != 502 &&
	    c->code != 504)
		return refused(c, class_of(c->code) == PERM ? PERM : TEMP);
	c->state = HELO;
	say(c, "HELO", c->conf->helo);
	return SMTPC_MORE;
}

/* A whole reply has come. */
static enum smtpc_event
on_reply(struct smtpc *c, struct span *in)
{
	if (c->code == 421)
		return refused(c, TEMP);
	c->answered |= c->mail != NULL;
	switch ((enum state)c->state) {
	case GREETING:
		if (c->code != 220)
			return refused(
			    c, class_of(c->code) == PERM ? PERM : TEMP);
		hello(c);
		return SMTPC_MORE;
	case EHLO:
		return on_ehlo(c);
	case HELO:
		return class_of(c->code) == OK ? ready(c)
					       : refused(c, class_of(c->code));
	case STARTTLS:
		if (c->code != 220)
			return ready(c); /* it can't now: go on without */
		if (in->n > 0) /* said before TLS: nobody knows by whom */
			return gone(c, TEMP, "4.7.5",
			    "the server spoke before TLS began");
		c->state = IN_TLS;
		return SMTPC_TLS;
	case GROUP:
		return on_group(c);
	case BODY_END:
		decide_all(c, false);
		return ready(c);
	case NO_BODY_END:
	case RESET:
		return ready(c);
	case QUIT:
		return gone(c, OK, "2.0.0", "bye");
	case IN_TLS:
	case READY:
	case BODY:
	case GONE:
		break;
	}
	return gone(c, TEMP, "4.5.0", "the server spoke out of turn");
}

/*
 * Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *              Reply-code [ SP textstring ] CRLF
 * True when it was the last line of a reply.
 */
static bool
take_line(struct smtpc *c, struct span line, bool *bad)
{
	uint32_t code;
	bool last;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	note(c, "< ", line);
	*bad = line.n < 3 || !num_u32((struct span){ line.p, 3 }, &code) ||
	    code < 200 || code > 599 ||
	    (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-');
	if (*bad)
		return false;
	if (c->nreply == 0) {
		c->code = (int)code;
		memcpy(c->reply, line.p, 3);
		c->nreply = 3;
	}
	last = line.n == 3 || line.p[3] == ' ';
	span_take(&line, line.n > 3 ? 4 : 3);
	if (c->state == EHLO)
		smtpc_extension(c, line);
	/* no byte of the server's may make a line of ours */
	for (size_t i = 0; i <= line.n && c->nreply + 1 < SMTPC_TEXT; i++) {
		char ch = i == 0 ? ' ' : line.p[i - 1];

		c->reply[c->nreply++] = is_print(ch) ? ch : '?';
	}
	return last;
}

/* A whole line is in c->line, or *in is used up: false. */
static bool
collect(struct smtpc *c, struct span *in)
{
	size_t n = span_chr(*in, '\n');
	bool whole = n < in->n;
	struct span part = span_take(in, n);
	size_t room = sizeof(c->line) - c->nline;

	if (whole)
		span_take(in, 1);
	if (part.n > room) {
		part.n = room;
		c->line_over = true;
	}
	if (part.n > 0)
		memcpy(c->line + c->nline, part.p, part.n);
	c->nline += part.n;
	return whole;
}

enum smtpc_event
smtpc_next(struct smtpc *c, struct span *in)
{
	if (c->state == GONE)
		return SMTPC_GONE;
	if (c->state == READY && in->n == 0)
		return SMTPC_READY;
	while (in->n > 0) {
		bool bad, last;
		enum smtpc_event e;

		if (!collect(c, in))
			return SMTPC_MORE;
		last = take_line(c, (struct span){ c->line, c->nline }, &bad);
		c->nline = 0;
		if (bad || c->line_over || ++c->nlines > LIMIT_SMTP_REPLY_LINES)
			return gone(c, TEMP, "4.5.0", "not a reply of SMTP");
		if (!last)
			continue;
		c->replies++;
		e = on_reply(c, in);
		c->nreply = c->nlines = 0;
		if (e != SMTPC_MORE)
			return e;
	}
	return SMTPC_MORE;
}

void
smtpc_body_done(struct smtpc *c)
{
	buf_puts(c->out, ".\r\n");
	note(c, "> ", SPAN("(the message)"));
	c->state = BODY_END;
}

void
smtpc_quit(struct smtpc *c)
{
	if (c->state == GONE)
		return;
	c->state = QUIT;
	say(c, "QUIT", NULL);
}

enum smtpc_wait
smtpc_waits(const struct smtpc *c)
{
	if (c->state == GREETING)
		return SMTPC_WAIT_GREETING;
	if (c->state == GROUP && c->data_sent)
		return SMTPC_WAIT_DATA;
	if (c->state == BODY_END)
		return SMTPC_WAIT_END;
	return c->state == QUIT ? SMTPC_WAIT_QUIT : SMTPC_WAIT_REPLY;
}
