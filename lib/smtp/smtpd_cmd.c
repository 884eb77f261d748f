#include "smtp/smtpd_cmd.h"

#include "mail/addr.h"
#include "mail/utf8.h"
#include "smtp/ehlo.h"

enum {
	NEW = 1 << SMTPD_NEW,
	READY = 1 << SMTPD_READY,
	SENDER = 1 << SMTPD_SENDER,
	RCPTS = 1 << SMTPD_RCPTS,
	CHUNKS = 1 << SMTPD_CHUNKS,
	GREETED = READY | SENDER | RCPTS | CHUNKS,
	ANY = NEW | GREETED
};

struct command {
	const char *name;
	enum smtpd_event (*run)(
	    struct smtpd *, struct span arg, struct span *in);
	unsigned states; /* where it is allowed */
};

static enum smtpd_event
answer(struct smtpd *s, enum smtp_reply r)
{
	smtpd_reply(s, r);
	return SMTPD_MORE;
}

void
smtpd_reset(struct smtpd *s)
{
	if (s->state != SMTPD_NEW && s->state != SMTPD_CLOSED)
		s->state = SMTPD_READY;
	buf_clear(&s->rcpts);
	buf_clear(&s->rcpt_args);
	s->nrcpt = s->tried = s->owed = 0;
	s->sender[0] = s->refusal[0] = '\0';
	s->size = s->chunk = 0;
	s->bdat = s->last = s->stray = s->failed = false;
	smtpd_clear_params(s);
}

bool
smtpd_take_helo(struct smtpd *s, struct span name)
{
	if (!addr_domain_valid(name) || !addr_is_ascii(name) ||
	    !span_cstr(name, s->helo, sizeof(s->helo)))
		snprintf(s->helo, sizeof(s->helo), "invalid");
	return name.n > 0;
}

/*
 * helo = "HELO" SP Domain CRLF.  A name that is none is no reason to
 * refuse (RFC 5321, section 4.1.4).
 */
static enum smtpd_event
cmd_helo(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	if (s->conf.lmtp)
		return answer(s, SMTP_WRONG_HELLO);
	if (!smtpd_take_helo(s, arg))
		return answer(s, SMTP_NEED_ARGUMENT);
	s->state = SMTPD_READY;
	smtpd_reset(s);
	s->esmtp = false;
	smtpd_say(s, 250, span_of(s->conf.host));
	return SMTPD_MORE;
}

static enum smtpd_event
hello(struct smtpd *s, struct span arg)
{
	if (!smtpd_take_helo(s, arg))
		return answer(s, SMTP_NEED_ARGUMENT);
	s->state = SMTPD_READY;
	smtpd_reset(s);
	s->esmtp = true;
	ehlo_reply(&s->out,
	    &(struct ehlo_conf){ .host = s->conf.host,
		.size = s->conf.size_max,
		.queue = s->conf.queue,
		.tls = s->conf.tls_active,
		.submission = s->conf.submission,
		.now = s->now,
		.xclient = s->conf.xclient,
		.starttls = s->conf.tls_offered && !s->conf.tls_active });
	return SMTPD_MORE;
}

/* ehlo = "EHLO" SP ( Domain / address-literal ) CRLF */
static enum smtpd_event
cmd_ehlo(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	return s->conf.lmtp ? answer(s, SMTP_WRONG_HELLO) : hello(s, arg);
}

/* RFC 2033, section 4.1 */
static enum smtpd_event
cmd_lhlo(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	return s->conf.lmtp ? hello(s, arg) : answer(s, SMTP_WRONG_HELLO);
}

/*
 * The path behind "FROM:" or "TO:", off the front of *arg.  A blank
 * behind the colon, which Outlook sends, is fine; an address without
 * brackets is only where the client is one of ours.
 */
static bool
take_path(
    struct smtpd *s, const char *word, struct span *arg, struct span *addr)
{
	struct span rest;

	if (!span_istarts(*arg, word))
		return false;
	span_take(arg, strlen(word));
	while (arg->n > 0 && is_blank(*arg->p))
		span_take(arg, 1);
	if (addr_path(&s->scratch, arg, addr))
		return true;
	if (!s->conf.submission)
		return false;
	rest = *arg;
	*addr = span_word(&rest);
	if (!addr_valid(*addr))
		return false;
	span_take(arg, addr->n);
	return true;
}

/* mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF */
static enum smtpd_event
cmd_mail(struct smtpd *s, struct span arg, struct span *in)
{
	enum smtp_reply why;
	struct span addr;

	(void)in;
	if (s->state != SMTPD_READY)
		return answer(s, SMTP_NESTED_MAIL);
	if (!take_path(s, "FROM:", &arg, &addr) ||
	    !span_cstr(addr, s->sender, sizeof(s->sender)))
		return answer(s, SMTP_BAD_SENDER);
	if (!smtpd_mail_params(s, arg, &why))
		return answer(s, why);
	if (!addr_is_ascii(addr) && !s->utf8)
		return answer(s, SMTP_NOT_ASCII);
	if (!utf8_valid(addr))
		return answer(s, SMTP_BAD_SENDER);
	if (s->mails == LIMIT_SMTP_MAILS)
		return answer(s, SMTP_TOO_MANY_MAILS);
	if (s->conf.size_max > 0 && s->declared > s->conf.size_max)
		return answer(s, SMTP_TOO_BIG);
	return SMTPD_MAIL;
}

/* A hundred recipients are always taken (RFC 5321, section 4.5.3.1.8). */
static bool
has_room(const struct smtpd *s)
{
	return s->nrcpt < LIMIT_SMTP_RCPTS &&
	    s->rcpts.n + LIMIT_ADDRESS + 1 <= LIMIT_MAIL_RCPTS &&
	    s->rcpt_args.n + strlen(s->rcpt_arg) + 1 <= LIMIT_RCPT_ARGS;
}

/* rcpt = "RCPT TO:" ( "<Postmaster>" / Forward-path ) [SP params] CRLF */
static enum smtpd_event
cmd_rcpt(struct smtpd *s, struct span arg, struct span *in)
{
	enum smtp_reply why;
	struct span addr;

	(void)in;
	if (s->state == SMTPD_READY)
		return answer(s, SMTP_MAIL_FIRST);
	if (s->state == SMTPD_CHUNKS)
		return answer(s, SMTP_BETWEEN_CHUNKS);
	if (!take_path(s, "TO:", &arg, &addr) || addr.n == 0 ||
	    !span_cstr(addr, s->rcpt, sizeof(s->rcpt)))
		why = SMTP_BAD_RCPT;
	else if (!smtpd_rcpt_params(s, arg, &why))
		;
	else if (!addr_is_ascii(addr) && !s->utf8)
		why = SMTP_RCPT_NOT_ASCII;
	else if (!utf8_valid(addr))
		why = SMTP_BAD_RCPT;
	else if (!has_room(s))
		why = SMTP_TOO_MANY_RCPTS;
	else
		return SMTPD_RCPT;
	s->tried++;
	return answer(s, why);
}

/* data = "DATA" CRLF */
static enum smtpd_event
cmd_data(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	if (arg.n > 0)
		return answer(s, SMTP_NO_ARGUMENT);
	if (s->state == SMTPD_READY)
		return answer(s, SMTP_MAIL_FIRST);
	if (s->state == SMTPD_CHUNKS)
		return answer(s, SMTP_BETWEEN_CHUNKS);
	if (s->state == SMTPD_SENDER) /* 503 is a must in RFC 2033 */
		return answer(s,
		    s->tried > 0 && !s->conf.lmtp ? SMTP_NO_RCPT
						  : SMTP_RCPT_FIRST);
	if (s->binary) /* RFC 3030, section 3 */
		return answer(s, SMTP_NEED_BDAT);
	return SMTPD_DATA;
}

/* The octets of a chunk follow: smtpd_bdat.c */
static enum smtpd_event
cmd_bdat(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	return smtpd_bdat(s, arg);
}

static enum smtpd_event
cmd_rset(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	if (arg.n > 0)
		return answer(s, SMTP_NO_ARGUMENT);
	smtpd_reset(s);
	return answer(s, SMTP_RESET);
}

static enum smtpd_event
cmd_noop(struct smtpd *s, struct span arg, struct span *in)
{
	(void)arg;
	(void)in;
	return answer(s, SMTP_NOOP);
}

static enum smtpd_event
cmd_help(struct smtpd *s, struct span arg, struct span *in)
{
	(void)arg;
	(void)in;
	return answer(s, SMTP_HELP);
}

/* It would tell who is a user here: RCPT does, at the price of a try. */
static enum smtpd_event
cmd_vrfy(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	return answer(s, arg.n > 0 ? SMTP_VRFY : SMTP_NEED_ARGUMENT);
}

static enum smtpd_event
cmd_expn(struct smtpd *s, struct span arg, struct span *in)
{
	(void)arg;
	(void)in;
	return answer(s, SMTP_NOT_IMPLEMENTED);
}

/*
 * What came in the same breath was sent by somebody in the middle, to be
 * taken for what the client says inside TLS.
 */
static enum smtpd_event
cmd_starttls(struct smtpd *s, struct span arg, struct span *in)
{
	if (arg.n > 0)
		return answer(s, SMTP_NO_ARGUMENT);
	if (s->conf.tls_active)
		return answer(s, SMTP_TLS_TWICE);
	if (!s->conf.tls_offered)
		return answer(s, SMTP_NO_TLS);
	if (s->state == SMTPD_SENDER || s->state == SMTPD_RCPTS ||
	    s->state == SMTPD_CHUNKS)
		return answer(s, SMTP_IN_TRANSACTION);
	if (in->n > 0) {
		smtpd_bye(s, SMTP_PIPELINED_TLS);
		return SMTPD_MORE;
	}
	smtpd_reply(s, SMTP_TLS_READY);
	return SMTPD_TLS;
}

static enum smtpd_event
cmd_xclient(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	if (!s->conf.xclient)
		return answer(s, SMTP_NO_XCLIENT);
	if (s->state != SMTPD_NEW && s->state != SMTPD_READY)
		return answer(s, SMTP_IN_TRANSACTION);
	return smtpd_xclient_args(&s->xclient, arg) ? SMTPD_XCLIENT
						    : answer(s, SMTP_BAD_PARAM);
}

static enum smtpd_event
cmd_auth(struct smtpd *s, struct span arg, struct span *in)
{
	(void)arg;
	(void)in;
	return answer(s, s->conf.logged_in ? SMTP_AUTH_TWICE : SMTP_NO_AUTH);
}

static enum smtpd_event
cmd_quit(struct smtpd *s, struct span arg, struct span *in)
{
	(void)in;
	if (arg.n > 0)
		return answer(s, SMTP_NO_ARGUMENT);
	s->quit = true;
	smtpd_bye(s, SMTP_BYE);
	return SMTPD_MORE;
}

/* A browser was led here: nothing that follows is meant for us. */
static enum smtpd_event
cmd_http(struct smtpd *s, struct span arg, struct span *in)
{
	(void)arg;
	(void)in;
	smtpd_bye(s, SMTP_UNKNOWN);
	return SMTPD_MORE;
}

static const struct command commands[] = {
	/* clang-format off */
	{ "HELO",     cmd_helo,     ANY },
	{ "EHLO",     cmd_ehlo,     ANY },
	{ "LHLO",     cmd_lhlo,     ANY },
	{ "MAIL",     cmd_mail,     GREETED },
	{ "RCPT",     cmd_rcpt,     GREETED },
	{ "DATA",     cmd_data,     GREETED },
	{ "BDAT",     cmd_bdat,     ANY },
	{ "RSET",     cmd_rset,     ANY },
	{ "NOOP",     cmd_noop,     ANY },
	{ "HELP",     cmd_help,     ANY },
	{ "VRFY",     cmd_vrfy,     ANY },
	{ "EXPN",     cmd_expn,     ANY },
	{ "STARTTLS", cmd_starttls, ANY },
	{ "AUTH",     cmd_auth,     GREETED },
	{ "XCLIENT",  cmd_xclient,  ANY },
	{ "QUIT",     cmd_quit,     ANY },
	{ "GET",      cmd_http,     NEW },
	{ "POST",     cmd_http,     NEW },
	{ "PUT",      cmd_http,     NEW },
	{ "CONNECT",  cmd_http,     NEW },
	/* clang-format on */
};

/* A hello or RSET between chunks is the end of their message. */
static enum smtpd_event
run(struct smtpd *s, const struct command *c, struct span arg, struct span *in)
{
	bool chunks = s->state == SMTPD_CHUNKS;
	enum smtpd_event event = c->run(s, arg, in);

	if (!chunks || event != SMTPD_MORE || s->state != SMTPD_READY)
		return event;
	s->aborted = SMTP_RESET;
	return SMTPD_ABORT;
}

enum smtpd_event
smtpd_command(struct smtpd *s, struct span line, struct span *in)
{
	struct span arg = line, verb = span_word(&arg);
	enum smtp_reply why = SMTP_UNKNOWN;

	arg = span_trim(arg);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];

		if (!span_iis(verb, c->name))
			continue;
		if ((c->states & 1U << s->state) != 0)
			return run(s, c, arg, in);
		why = SMTP_HELLO_FIRST;
		break;
	}
	return answer(s, why);
}
