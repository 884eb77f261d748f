#include "pop3/greet.h"

#include "base/greetline.h"
#include "pop3/capa.h"
#include "pop3/lang.h"

struct pop3_greet {
	struct greetline line;
	char user[LIMIT_LOGIN + 1]; /* of USER; "" when none came */
	bool utf8;                  /* RFC 6856 */
};

struct command {
	const char *verb;
	enum greet_event (*run)(
	    struct pop3_greet *, struct span arg, struct greet_auth *);
};

static const struct greetline_words words = {
	.undecodable = "-ERR cannot decode that",
	.cancelled = "-ERR authentication cancelled",
	.no_text = "-ERR not a line of text",
	.too_long = "-ERR line too long",
	.long_response = "-ERR line too long",
	.line_max = LIMIT_POP3_LINE,
	.errors_max = LIMIT_POP3_ERRORS,
};

static void
say(struct pop3_greet *g, const char *text)
{
	greetline_say(&g->line, text);
}

static enum greet_event
wrong(struct pop3_greet *g, const char *text)
{
	return greetline_wrong(&g->line, text);
}

static enum greet_event
capa(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	const struct greet_conf *c = g->line.conf;

	(void)arg;
	(void)a;
	capa_reply(g->line.out,
	    &(struct capa_conf){ .sasl = c->plain_ok ? c->mechs : NULL,
		.stls = c->tls_offered && !c->tls_active,
		.login_delay = c->login_delay });
	return GREET_MORE;
}

static enum greet_event
no_privacy(struct pop3_greet *g)
{
	return wrong(g, "-ERR a password may come only inside TLS");
}

/* "USER" SP name CRLF */
static enum greet_event
user(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (!g->line.conf->plain_ok)
		return no_privacy(g);
	arg = span_trim(arg);
	if (arg.n == 0 || !span_cstr(arg, g->user, sizeof(g->user)))
		return wrong(g, "-ERR not a name");
	say(g, "+OK");
	return GREET_MORE;
}

/*
 * "PASS" SP string CRLF, where the string may have blanks, also at its
 * ends.  It goes on as the message of PLAIN: NUL name NUL password.
 */
static enum greet_event
pass(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	if (!g->line.conf->plain_ok)
		return no_privacy(g);
	if (g->user[0] == '\0')
		return wrong(g, "-ERR say USER first");
	greetline_plain(&g->line, g->user, arg, a);
	g->user[0] = '\0';
	return GREET_AUTH;
}

static enum greet_event
stls(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (g->line.conf->tls_active)
		return wrong(g, "-ERR TLS is active already");
	if (!g->line.conf->tls_offered)
		return wrong(g, "-ERR TLS is not offered here");
	if (arg.n > 0)
		return wrong(g, "-ERR STLS takes no argument");
	if (g->utf8)
		return wrong(g, "-ERR STLS comes before UTF8");
	say(g, "+OK go ahead");
	return GREET_TLS;
}

static enum greet_event
list_mechs(struct pop3_greet *g)
{
	struct span list =
	    span_of(g->line.conf->plain_ok ? g->line.conf->mechs : "");
	struct span word;

	say(g, "+OK");
	while ((word = span_word(&list)).n > 0) {
		buf_put(g->line.out, word);
		say(g, "");
	}
	say(g, ".");
	return GREET_MORE;
}

/* "AUTH" [SP mechanism [SP initial-response]] (RFC 5034, section 4) */
static enum greet_event
auth(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	struct span mech = span_word(&arg);

	if (mech.n == 0)
		return list_mechs(g);
	if (!greet_offers(g->line.conf, mech))
		return wrong(g, "-ERR no such mechanism");
	if (!g->line.conf->plain_ok)
		return no_privacy(g);
	g->user[0] = '\0';
	return greetline_auth(&g->line, mech, span_trim(arg), a);
}

/* "UTF8" CRLF; no STLS behind it (RFC 6856, section 2.1) */
static enum greet_event
utf8(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (arg.n > 0)
		return wrong(g, "-ERR UTF8 takes no argument");
	g->utf8 = true;
	say(g, "+OK UTF-8 it is");
	return GREET_MORE;
}

/* "LANG" [SP language-range] CRLF */
static enum greet_event
lang(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	lang_reply(g->line.out, span_trim(arg));
	return GREET_MORE;
}

static enum greet_event
quit(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	say(g, "+OK bye");
	g->line.ended = true;
	return GREET_END;
}

static const struct command commands[] = { { "USER", user }, { "PASS", pass },
	{ "CAPA", capa }, { "STLS", stls }, { "AUTH", auth }, { "UTF8", utf8 },
	{ "LANG", lang }, { "QUIT", quit } };

static enum greet_event
command(void *p, struct span line, struct greet_auth *a)
{
	struct pop3_greet *g = p;
	struct span verb;

	if (line.n == 0)
		return wrong(g, words.no_text);
	verb = span_cut(&line, ' ');
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_iis(verb, commands[i].verb))
			return commands[i].run(g, line, a);
	return wrong(g, "-ERR not a command before the login");
}

static enum greet_event
greet_next(void *p, struct span *in, struct greet_auth *a)
{
	struct pop3_greet *g = p;

	return greetline_next(&g->line, in, a, command, g);
}

static void
greet_init(void *p, struct buf *out, const struct greet_conf *conf)
{
	struct pop3_greet *g = p;

	greetline_init(&g->line, out, conf, &words);
	g->user[0] = '\0';
	g->utf8 = false;
	buf_printf(out, "+OK %s POP3 ready\r\n", conf->host);
}

static void
greet_challenge(void *p, struct span text)
{
	struct pop3_greet *g = p;

	greetline_challenge(&g->line, "+ ", text);
}

static void
greet_fail(void *p, enum greet_failure why)
{
	struct pop3_greet *g = p;

	g->line.exchange = false;
	switch (why) {
	case GREET_WRONG:
		say(g, "-ERR [AUTH] authentication failed");
		break;
	case GREET_LATER:
		say(g, "-ERR [SYS/TEMP] can't tell now, try again later");
		break;
	case GREET_PRIVACY:
		no_privacy(g);
		break;
	case GREET_MECH:
		wrong(g, "-ERR no such mechanism");
		break;
	case GREET_SYNTAX:
		wrong(g, "-ERR malformed response");
		break;
	case GREET_REFUSED:
		say(g, "-ERR [AUTH] not allowed to read mail here");
		break;
	case GREET_FULL:
		say(g, "-ERR [IN-USE] too many sessions of yours, close some");
		break;
	case GREET_LIMIT:
		say(g, "-ERR [AUTH] authentication failed too often");
		g->line.ended = true;
		break;
	}
}

static void
greet_tls_started(void *p)
{
	struct pop3_greet *g = p;

	g->user[0] = '\0';
	greetline_restart(&g->line);
}

static struct span
greet_state(void *p)
{
	const struct pop3_greet *g = p;

	return g->utf8 ? SPAN("UTF8") : SPAN("");
}

static void
greet_bye(void *p, bool timeout)
{
	struct pop3_greet *g = p;

	say(g,
	    timeout ? "-ERR waited too long, closing"
		    : "-ERR [SYS/TEMP] closing, try again later");
	g->line.ended = true;
}

const struct greet_proto pop3_greet = { .service = "pop3",
	.size = sizeof(struct pop3_greet),
	.init = greet_init,
	.next = greet_next,
	.challenge = greet_challenge,
	.fail = greet_fail,
	.tls_started = greet_tls_started,
	.state = greet_state,
	.bye = greet_bye };
