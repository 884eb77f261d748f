#include "pop3/greet.h"

#include "base/enc.h"
#include "base/limits.h"
#include "base/line.h"
#include "pop3/capa.h"
#include "pop3/lang.h"

enum { DECODED_MAX = LIMIT_MONITOR_MSG - 256, ERRORS_MAX = 20 };

struct pop3_greet {
	const struct greet_conf *conf;
	struct buf *out;
	struct line line;
	struct buf decoded; /* in store: no copies of secrets on the heap */
	char store[DECODED_MAX + 1];
	char user[LIMIT_LOGIN + 1]; /* of USER; "" when none came */
	unsigned errors;
	bool exchange; /* an AUTH is under way: lines are responses */
	bool utf8;     /* RFC 6856 */
	bool ended;
};

struct command {
	const char *verb;
	enum greet_event (*run)(
	    struct pop3_greet *, struct span arg, struct greet_auth *);
};

static void
say(struct pop3_greet *g, const char *text)
{
	buf_puts(g->out, text);
	buf_puts(g->out, "\r\n");
}

/* The same for a mistake; so many of them end the session. */
static enum greet_event
wrong(struct pop3_greet *g, const char *text)
{
	say(g, text);
	if (++g->errors < ERRORS_MAX)
		return GREET_MORE;
	g->ended = true;
	return GREET_END;
}

static enum greet_event
capa(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	const struct greet_conf *c = g->conf;

	(void)arg;
	(void)a;
	capa_reply(g->out,
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
	if (!g->conf->plain_ok)
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
	if (!g->conf->plain_ok)
		return no_privacy(g);
	if (g->user[0] == '\0')
		return wrong(g, "-ERR say USER first");
	wipe(g->decoded.p, g->decoded.n);
	buf_clear(&g->decoded);
	buf_putc(&g->decoded, '\0');
	buf_puts(&g->decoded, g->user);
	buf_putc(&g->decoded, '\0');
	buf_put(&g->decoded, arg);
	g->user[0] = '\0';
	*a = (struct greet_auth){ .mech = SPAN("PLAIN"),
		.response = buf_span(&g->decoded),
		.has_response = true };
	return GREET_AUTH;
}

static enum greet_event
stls(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)a;
	if (g->conf->tls_active)
		return wrong(g, "-ERR TLS is active already");
	if (!g->conf->tls_offered)
		return wrong(g, "-ERR TLS is not offered here");
	if (arg.n > 0)
		return wrong(g, "-ERR STLS takes no argument");
	if (g->utf8)
		return wrong(g, "-ERR STLS comes before UTF8");
	say(g, "+OK go ahead");
	return GREET_TLS;
}

/* [ base64 / "=" / "*" ] */
static enum greet_event
response(struct pop3_greet *g, struct span text, struct greet_auth *a)
{
	wipe(g->decoded.p, g->decoded.n);
	buf_clear(&g->decoded);
	if (!span_is(text, "=") && !dec_base64(&g->decoded, text)) {
		g->exchange = false;
		return wrong(g, "-ERR cannot decode that");
	}
	a->response = buf_span(&g->decoded);
	a->has_response = true;
	g->exchange = true;
	return GREET_RESPONSE;
}

static enum greet_event
list_mechs(struct pop3_greet *g)
{
	struct span list = span_of(g->conf->plain_ok ? g->conf->mechs : "");
	struct span word;

	say(g, "+OK");
	while ((word = span_word(&list)).n > 0) {
		buf_put(g->out, word);
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
	enum greet_event e;

	if (mech.n == 0)
		return list_mechs(g);
	if (!greet_offers(g->conf, mech))
		return wrong(g, "-ERR no such mechanism");
	if (!g->conf->plain_ok)
		return no_privacy(g);
	g->user[0] = '\0';
	*a = (struct greet_auth){ .mech = mech };
	arg = span_trim(arg);
	if (arg.n > 0 && (e = response(g, arg, a)) != GREET_RESPONSE)
		return e;
	g->exchange = true;
	return GREET_AUTH;
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
	lang_reply(g->out, span_trim(arg));
	return GREET_MORE;
}

static enum greet_event
quit(struct pop3_greet *g, struct span arg, struct greet_auth *a)
{
	(void)arg;
	(void)a;
	say(g, "+OK bye");
	g->ended = true;
	return GREET_END;
}

static const struct command commands[] = { { "USER", user }, { "PASS", pass },
	{ "CAPA", capa }, { "STLS", stls }, { "AUTH", auth }, { "UTF8", utf8 },
	{ "LANG", lang }, { "QUIT", quit } };

static enum greet_event
command(struct pop3_greet *g, struct span line, struct greet_auth *a)
{
	struct span verb = span_cut(&line, ' ');

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_iis(verb, commands[i].verb))
			return commands[i].run(g, line, a);
	return wrong(g, "-ERR not a command before the login");
}

static enum greet_event
whole_line(struct pop3_greet *g, struct span line, struct greet_auth *a)
{
	if (g->exchange) {
		g->exchange = false;
		if (!span_is(line, "*"))
			return response(g, line, a);
		wrong(g, "-ERR authentication cancelled");
		return g->ended ? GREET_END : GREET_CANCEL;
	}
	if (line.n == 0 || !line_is_text(line))
		return wrong(g, "-ERR not a line of text");
	if (line.n > LIMIT_POP3_LINE && !span_istarts(line, "AUTH "))
		return wrong(g, "-ERR line too long");
	return command(g, line, a);
}

static enum greet_event
greet_next(void *p, struct span *in, struct greet_auth *a)
{
	struct pop3_greet *g = p;
	enum greet_event e = GREET_MORE;
	struct span line;

	while (!g->ended && e == GREET_MORE) {
		switch (line_next(&g->line, in, &line)) {
		case LINE_MORE:
			return GREET_MORE;
		case LINE_LONG:
			e = wrong(g, "-ERR line too long");
			g->exchange = false;
			break;
		case LINE_WHOLE:
			e = whole_line(g, line, a);
			break;
		}
	}
	return g->ended ? GREET_END : e;
}

static void
greet_init(void *p, struct buf *out, const struct greet_conf *conf)
{
	struct pop3_greet *g = p;

	memset(g, 0, sizeof(*g));
	g->conf = conf;
	g->out = out;
	g->decoded = (struct buf){
		.p = g->store, .cap = sizeof(g->store), .max = DECODED_MAX
	};
	buf_printf(out, "+OK %s POP3 ready\r\n", conf->host);
}

static void
greet_challenge(void *p, struct span text)
{
	struct pop3_greet *g = p;

	buf_puts(g->out, "+ ");
	enc_base64(g->out, text);
	say(g, "");
}

static void
greet_fail(void *p, enum greet_failure why)
{
	struct pop3_greet *g = p;

	g->exchange = false;
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
		g->ended = true;
		break;
	}
}

static void
greet_tls_started(void *p)
{
	struct pop3_greet *g = p;

	g->user[0] = '\0';
	g->errors = 0;
	g->exchange = false;
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
	g->ended = true;
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
