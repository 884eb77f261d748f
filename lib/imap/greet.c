#include "imap/greet.h"

#include "base/enc.h"
#include "imap/imapcapa.h"
#include "imap/imapd.h"
#include "imap/imapid.h"

enum {
	ARENA_MAX = 786432, /* a line of nothing but arguments */
	SASL_MAX = LIMIT_IMAP_LITERAL
};

struct imap_greeter {
	struct imapd e;
	struct buf *out;
	const struct greet_conf *conf;
	struct buf tag, id, state, sasl;
	bool tls, in_exchange, end;
};

static void
capability(struct imap_greeter *g)
{
	struct imapcapa_conf c = {
		.greeting = true,
		.mechs = g->conf->mechs,
		.starttls = g->conf->tls_offered && !g->tls,
		.plain_ok = g->conf->plain_ok || g->tls,
	};

	imapcapa_put(g->out, &c);
}

static void
greet_init(void *p, struct buf *out, const struct greet_conf *conf)
{
	struct imap_greeter *g = p;

	*g = (struct imap_greeter){
		.out = out, .conf = conf, .tls = conf->tls_active
	};
	imapd_init(&g->e, out, ARENA_MAX);
	buf_init(&g->tag, LIMIT_IMAP_TAG);
	buf_init(&g->id, LIMIT_IMAP_ID);
	buf_init(&g->state, LIMIT_IMAP_TAG + 1 + LIMIT_IMAP_ID);
	buf_init(&g->sasl, SASL_MAX);
	if (conf->again)
		return;
	buf_puts(out, "* OK [");
	capability(g);
	buf_printf(out, "] %s ready\r\n", conf->host);
}

static void
tagged(struct imap_greeter *g, struct span tag, const char *text)
{
	buf_put(g->out, tag);
	buf_printf(g->out, " %s\r\n", text);
}

static enum greet_event
do_capability(struct imap_greeter *g, struct greet_auth *a)
{
	(void)a;
	buf_puts(g->out, "* ");
	capability(g);
	buf_puts(g->out, "\r\n");
	tagged(g, g->e.tag, "OK Capability completed");
	return GREET_MORE;
}

static enum greet_event
do_noop(struct imap_greeter *g, struct greet_auth *a)
{
	(void)a;
	tagged(g, g->e.tag, "OK NOOP completed");
	return GREET_MORE;
}

static enum greet_event
do_id(struct imap_greeter *g, struct greet_auth *a)
{
	(void)a;
	imapid_read(&g->id, g->e.args);
	buf_puts(g->out, "* ID (\"name\" \"pneu\")\r\n");
	tagged(g, g->e.tag, "OK ID completed");
	return GREET_MORE;
}

static enum greet_event
do_logout(struct imap_greeter *g, struct greet_auth *a)
{
	(void)a;
	buf_puts(g->out, "* BYE Logging out\r\n");
	tagged(g, g->e.tag, "OK Logout completed");
	g->end = true;
	return GREET_END;
}

static enum greet_event
do_starttls(struct imap_greeter *g, struct greet_auth *a)
{
	(void)a;
	if (!g->conf->tls_offered || g->tls) {
		imapd_bad(&g->e, "TLS is not available");
		return GREET_MORE;
	}
	tagged(g, g->e.tag, "OK Begin TLS negotiation now");
	return GREET_TLS;
}

static bool
privacy(struct imap_greeter *g)
{
	if (g->tls || g->conf->plain_ok)
		return true;
	tagged(g, g->e.tag,
	    "NO [PRIVACYREQUIRED] A password may only be sent inside TLS");
	return false;
}

static enum greet_event
begin(struct imap_greeter *g)
{
	buf_clear(&g->tag);
	buf_put(&g->tag, g->e.tag);
	g->in_exchange = true;
	g->e.errors = 0;
	return GREET_AUTH;
}

/* login = "LOGIN" SP userid SP password; it becomes a PLAIN response. */
static enum greet_event
do_login(struct imap_greeter *g, struct greet_auth *a)
{
	const struct imap_arg *user = g->e.args;

	if (!imap_is_string(user) || !imap_is_string(user->next) ||
	    user->next->next != NULL) {
		imapd_bad(&g->e, "LOGIN takes a user name and a password");
		return GREET_MORE;
	}
	if (!privacy(g))
		return GREET_MORE;
	buf_clear(&g->sasl);
	buf_putc(&g->sasl, '\0');
	buf_put(&g->sasl, user->text);
	buf_putc(&g->sasl, '\0');
	buf_put(&g->sasl, user->next->text);
	if (g->sasl.over || span_chr(user->text, '\0') < user->text.n ||
	    span_chr(user->next->text, '\0') < user->next->text.n) {
		imapd_bad(&g->e, "Not a user name and a password");
		return GREET_MORE;
	}
	a->mech = SPAN("PLAIN");
	a->response = buf_span(&g->sasl);
	a->has_response = true;
	return begin(g);
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] */
static enum greet_event
do_authenticate(struct imap_greeter *g, struct greet_auth *a)
{
	const struct imap_arg *mech = g->e.args, *ir;

	if (!imap_is_string(mech) ||
	    (mech->next != NULL &&
		(!imap_is_string(mech->next) || mech->next->next != NULL))) {
		imapd_bad(&g->e, "AUTHENTICATE takes a mechanism");
		return GREET_MORE;
	}
	if (!privacy(g))
		return GREET_MORE;
	buf_clear(&g->sasl);
	ir = mech->next;
	if (ir != NULL && !span_is(ir->text, "=") &&
	    !dec_base64(&g->sasl, ir->text)) {
		imapd_bad(&g->e, "The initial response is not base64");
		return GREET_MORE;
	}
	a->mech = mech->text;
	a->has_response = ir != NULL;
	a->response = buf_span(&g->sasl);
	return begin(g);
}

static const struct {
	const char *name;
	enum greet_event (*run)(struct imap_greeter *, struct greet_auth *);
	bool args;
} commands[] = {
	/* clang-format off */
	{ "CAPABILITY",   do_capability,   false },
	{ "NOOP",         do_noop,         false },
	{ "LOGOUT",       do_logout,       false },
	{ "STARTTLS",     do_starttls,     false },
	{ "ID",           do_id,           true },
	{ "LOGIN",        do_login,        true },
	{ "AUTHENTICATE", do_authenticate, true },
	/* clang-format on */
};

static enum greet_event
command(struct imap_greeter *g, struct greet_auth *a)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (g->e.uid || !span_iis(g->e.name, commands[i].name))
			continue;
		if (!commands[i].args && g->e.args != NULL) {
			imapd_bad(&g->e, "It takes no arguments");
			return GREET_MORE;
		}
		return commands[i].run(g, a);
	}
	imapd_bad(&g->e, "Unknown command, or not before login");
	return GREET_MORE;
}

static void
forget_exchange(struct imap_greeter *g)
{
	g->in_exchange = false;
	if (g->sasl.p != NULL)
		wipe(g->sasl.p, g->sasl.cap);
	if (g->e.line.p != NULL)
		wipe(g->e.line.p, g->e.line.cap);
	buf_clear(&g->sasl);
}

/* base64 CRLF, or "*" CRLF to cancel */
static enum greet_event
response(struct imap_greeter *g, struct greet_auth *a)
{
	if (span_is(g->e.text, "*")) {
		tagged(g, buf_span(&g->tag), "BAD Authentication cancelled");
		forget_exchange(g);
		return GREET_CANCEL;
	}
	buf_clear(&g->sasl);
	if (!dec_base64(&g->sasl, g->e.text)) {
		tagged(g, buf_span(&g->tag), "BAD Not base64");
		forget_exchange(g);
		return GREET_CANCEL;
	}
	a->response = buf_span(&g->sasl);
	a->has_response = true;
	return GREET_RESPONSE;
}

static enum greet_event
greet_next(void *p, struct span *in, struct greet_auth *a)
{
	struct imap_greeter *g = p;
	enum greet_event r = GREET_MORE;

	*a = (struct greet_auth){ 0 };
	while (r == GREET_MORE && !g->end) {
		switch (imapd_next(&g->e, in)) {
		case IMAPD_COMMAND:
			r = command(g, a);
			break;
		case IMAPD_LINE:
			r = response(g, a);
			break;
		case IMAPD_MESSAGE:
			imapd_bad(&g->e, "Not before login");
			imapd_refuse(&g->e);
			break;
		case IMAPD_CLOSE:
			g->end = true;
			break;
		case IMAPD_MORE:
			return GREET_MORE;
		case IMAPD_PIECE:
		case IMAPD_END:
		case IMAPD_ABORT:
			break;
		}
	}
	return g->end ? GREET_END : r;
}

static void
greet_challenge(void *p, struct span text)
{
	struct imap_greeter *g = p;

	buf_puts(g->out, "+ ");
	enc_base64(g->out, text);
	buf_puts(g->out, "\r\n");
	imapd_line(&g->e);
}

static void
greet_fail(void *p, enum greet_failure why)
{
	struct imap_greeter *g = p;
	static const char *const texts[] = {
		[GREET_WRONG] =
		    "NO [AUTHENTICATIONFAILED] Authentication failed",
		[GREET_LATER] =
		    "NO [UNAVAILABLE] Temporary failure, try again later",
		[GREET_PRIVACY] = "NO [PRIVACYREQUIRED] A password may only "
				  "be sent inside TLS",
		[GREET_MECH] = "NO [CANNOT] Unsupported mechanism",
		[GREET_SYNTAX] = "BAD Not a valid response",
		[GREET_REFUSED] =
		    "NO [AUTHORIZATIONFAILED] This service is not for you",
		[GREET_FULL] =
		    "NO [LIMIT] Too many sessions of yours, close some",
		[GREET_LIMIT] =
		    "NO [AUTHENTICATIONFAILED] Authentication failed",
	};

	tagged(g, buf_span(&g->tag), texts[why]);
	forget_exchange(g);
	if (why == GREET_LIMIT) {
		buf_puts(g->out, "* BYE Too many failures\r\n");
		g->end = true;
	}
}

static void
greet_tls_started(void *p)
{
	struct imap_greeter *g = p;
	struct buf *out = g->out;

	imapd_free(&g->e);
	imapd_init(&g->e, out, ARENA_MAX);
	buf_clear(&g->tag);
	buf_clear(&g->id);
	g->tls = true;
}

/* tag [LF what ID has told] */
static struct span
greet_state(void *p)
{
	struct imap_greeter *g = p;

	if (g->id.n == 0)
		return buf_span(&g->tag);
	buf_clear(&g->state);
	buf_put(&g->state, buf_span(&g->tag));
	buf_putc(&g->state, '\n');
	buf_put(&g->state, buf_span(&g->id));
	return buf_span(&g->state);
}

static void
greet_bye(void *p, bool timeout)
{
	struct imap_greeter *g = p;

	buf_puts(g->out,
	    timeout ? "* BYE Disconnected for inactivity\r\n"
		    : "* BYE Shutting down, try again\r\n");
}

void
imap_greet_free(void *p)
{
	struct imap_greeter *g = p;

	imapd_free(&g->e);
	buf_free(&g->tag);
	buf_free(&g->id);
	buf_free(&g->state);
	buf_free(&g->sasl);
}

const struct greet_proto imap_greet = {
	.service = "imap",
	.size = sizeof(struct imap_greeter),
	.init = greet_init,
	.next = greet_next,
	.challenge = greet_challenge,
	.fail = greet_fail,
	.tls_started = greet_tls_started,
	.state = greet_state,
	.bye = greet_bye,
};
