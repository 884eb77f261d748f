#include "smtp/greet.h"

#include "base/greetline.h"
#include "smtp/ehlo.h"

enum { HELLO_MAX = 5 + LIMIT_DOMAIN };

struct smtp_greet {
	struct greetline line;
	char hello[HELLO_MAX + 1]; /* "EHLO name" */
};

struct command {
	const char *verb;
	enum greet_event (*run)(
	    struct smtp_greet *, struct span arg, struct greet_auth *);
};

static const struct greetline_words words = {
	.undecodable = "501 5.5.2 Cannot decode that",
	.cancelled = "501 5.7.0 Authentication cancelled",
	.no_text = "500 5.5.2 Not a line of text",
	.too_long = "500 5.5.2 Line too long",
	.long_response = "500 5.5.6 Line too long",
	.last = "421 4.7.0 Too many errors",
	.line_max = LIMIT_SMTP_LINE,
	.errors_max = LIMIT_SMTP_ERRORS,
};

static void
say(struct smtp_greet *g, const char *text)
{
	greetline_say(&g->line, text);
}

static enum greet_event
wrong(struct smtp_greet *g, const char *text)
{
	return greetline_wrong(&g->line, text);
}

static void
hello(struct smtp_greet *g, const char *verb, struct span name)
{
	bool ok = name.n <= LIMIT_DOMAIN;

	for (size_t i = 0; i < name.n; i++)
		if (!is_print(name.p[i]) || name.p[i] == ' ')
			ok = false;
	if (!ok)
		name = SPAN("invalid");
	snprintf(
	    g->hello, sizeof(g->hello), "%s %.*s", verb, (int)name.n, name.p);
}

/* "EHLO" SP ( Domain / address-literal ) CRLF; any other name is taken */
static enum greet_event
ehlo(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	const struct greet_conf *c = g->line.conf;

	(void)a;
	if (arg.n == 0)
		return wrong(g, "501 5.5.4 EHLO needs a name");
	hello(g, "EHLO", arg);
	ehlo_reply(g->line.out,
	    &(struct ehlo_conf){ .host = c->host,
		.auth = c->plain_ok && c->mechs[0] != '\0' ? c->mechs : NULL,
		.size = c->size,
		.queue = c->queue,
		.tls = c->tls_active,
		.submission = true,
		.now = c->now,
		.starttls = c->tls_offered && !c->tls_active });
	return GREET_MORE;
}

static enum greet_event
helo(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (arg.n == 0)
		return wrong(g, "501 5.5.4 HELO needs a name");
	hello(g, "HELO", arg);
	buf_printf(g->line.out, "250 %s\r\n", g->line.conf->host);
	return GREET_MORE;
}

static enum greet_event
starttls(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (g->line.conf->tls_active)
		return wrong(g, "503 5.5.1 TLS is active already");
	if (!g->line.conf->tls_offered)
		return wrong(g, "502 5.5.1 TLS is not offered here");
	if (arg.n > 0)
		return wrong(g, "501 5.5.4 STARTTLS takes no argument");
	say(g, "220 2.0.0 Go ahead");
	return GREET_TLS;
}

/* "AUTH" SP sasl-mech [SP initial-response] (RFC 4954, section 8) */
static enum greet_event
auth(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	struct span mech = span_word(&arg);

	if (mech.n == 0)
		return wrong(g, "501 5.5.4 AUTH needs a mechanism");
	if (g->hello[0] == '\0')
		return wrong(g, "503 5.5.1 Say EHLO first");
	if (!greet_offers(g->line.conf, mech))
		return wrong(g, "504 5.5.4 No such mechanism");
	if (!g->line.conf->plain_ok)
		return wrong(g, "538 5.7.11 Encryption is required for that");
	return greetline_auth(&g->line, mech, span_trim(arg), a);
}

static enum greet_event
noop(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	say(g, "250 2.0.0 Ok");
	return GREET_MORE;
}

static enum greet_event
vrfy(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (arg.n == 0)
		return wrong(g, "501 5.5.4 VRFY needs an address");
	say(g, "252 2.5.0 Send it and see");
	return GREET_MORE;
}

static enum greet_event
help(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	say(g, "214 2.0.0 EHLO, STARTTLS, AUTH, then mail");
	return GREET_MORE;
}

static enum greet_event
quit(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	say(g, "221 2.0.0 Bye");
	g->line.ended = true;
	return GREET_END;
}

static enum greet_event
mail(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	if (g->line.conf->tls_offered && !g->line.conf->plain_ok)
		return wrong(g, "530 5.7.0 Must issue STARTTLS first");
	return wrong(g, "530 5.7.0 Authentication required");
}

/* The octets of a chunk follow, which are no commands: that is the end. */
static enum greet_event
bdat(struct smtp_greet *g, struct span arg, struct greet_auth *a)
{
	mail(g, arg, a);
	g->line.ended = true;
	return GREET_END;
}

static const struct command commands[] = { { "EHLO", ehlo }, { "HELO", helo },
	{ "STARTTLS", starttls }, { "AUTH", auth }, { "NOOP", noop },
	{ "RSET", noop }, { "QUIT", quit }, { "VRFY", vrfy }, { "HELP", help },
	{ "MAIL", mail }, { "RCPT", mail }, { "DATA", mail },
	{ "BDAT", bdat } };

static enum greet_event
command(void *p, struct span line, struct greet_auth *a)
{
	struct smtp_greet *g = p;
	struct span verb = span_word(&line);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_iis(verb, commands[i].verb))
			return commands[i].run(g, span_trim(line), a);
	return wrong(g, "500 5.5.1 No such command");
}

static enum greet_event
greet_next(void *p, struct span *in, struct greet_auth *a)
{
	struct smtp_greet *g = p;

	return greetline_next(&g->line, in, a, command, g);
}

static void
greet_init(void *p, struct buf *out, const struct greet_conf *conf)
{
	struct smtp_greet *g = p;

	greetline_init(&g->line, out, conf, &words);
	g->hello[0] = '\0';
	buf_printf(out, "220 %s ESMTP\r\n", conf->host);
}

static void
greet_challenge(void *p, struct span text)
{
	struct smtp_greet *g = p;

	greetline_challenge(&g->line, "334 ", text);
}

static void
greet_fail(void *p, enum greet_failure why)
{
	struct smtp_greet *g = p;

	g->line.exchange = false;
	switch (why) {
	case GREET_WRONG:
		say(g, "535 5.7.8 Authentication failed");
		break;
	case GREET_LATER:
		say(g, "454 4.7.0 Can't tell now, try again later");
		break;
	case GREET_PRIVACY:
		say(g, "538 5.7.11 Encryption is required for that");
		break;
	case GREET_MECH:
		say(g, "504 5.5.4 No such mechanism");
		break;
	case GREET_SYNTAX:
		wrong(g, "501 5.5.2 Malformed response");
		break;
	case GREET_REFUSED:
		say(g, "535 5.7.8 Not allowed to send mail here");
		break;
	case GREET_FULL:
		say(g, "454 4.7.0 Too many sessions of yours, close some");
		break;
	case GREET_LIMIT:
		say(g, "535 5.7.8 Authentication failed");
		say(g, "421 4.7.0 Too many failures");
		g->line.ended = true;
		break;
	}
}

static void
greet_tls_started(void *p)
{
	struct smtp_greet *g = p;

	g->hello[0] = '\0';
	greetline_restart(&g->line);
}

static struct span
greet_state(void *p)
{
	struct smtp_greet *g = p;

	return span_of(g->hello);
}

static void
greet_bye(void *p, bool timeout)
{
	struct smtp_greet *g = p;

	say(g,
	    timeout ? "421 4.4.2 Waited too long, closing"
		    : "421 4.3.2 Closing, try again later");
	g->line.ended = true;
}

const struct greet_proto smtp_greet = { .service = "smtp",
	.size = sizeof(struct smtp_greet),
	.init = greet_init,
	.next = greet_next,
	.challenge = greet_challenge,
	.fail = greet_fail,
	.tls_started = greet_tls_started,
	.state = greet_state,
	.bye = greet_bye };
