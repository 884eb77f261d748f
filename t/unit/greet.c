/* greet: the dialogue before login, however the input is cut. */
#include "pop3/greet.h"
#include "pop3/capa.h"
#include "smtp/ehlo.h"
#include "smtp/greet.h"
#include "test.h"

#define MORE                                                                   \
	"250-CHUNKING|250-BINARYMIME|250-SMTPUTF8|250-LIMITS MAILMAX=1296 "    \
	"RCPTMAX=1000|"

static void
test_ehlo(void)
{
	struct ehlo_conf c = { .host = "mx.test" };
	struct buf b = { .max = 4096 };

	ehlo_reply(&b, &c);
	check(strcmp(buf_cstr(&b),
		  "250-mx.test\r\n250-PIPELINING\r\n250-SIZE\r\n"
		  "250-8BITMIME\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-"
		  "SMTPUTF8\r\n"
		  "250-LIMITS MAILMAX=1296 RCPTMAX=1000\r\n"
		  "250 ENHANCEDSTATUSCODES\r\n") == 0);
	buf_clear(&b);
	c.size = 1000;
	c.auth = "PLAIN LOGIN";
	c.starttls = true;
	ehlo_reply(&b, &c);
	check(strcmp(buf_cstr(&b),
		  "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
		  "250-8BITMIME\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
		  "250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n"
		  "250-LIMITS MAILMAX=1296 RCPTMAX=1000\r\n250 "
		  "ENHANCEDSTATUSCODES\r\n") == 0);
	buf_clear(&b);
	c = (struct ehlo_conf){ .host = "h", .queue = true };
	ehlo_reply(&b, &c);
	check(span_find(buf_span(&b),
		  SPAN("\r\n250-DSN\r\n250-DELIVERBY\r\n250 ENH")) < b.n);
	buf_clear(&b);
	c.tls = c.submission = true;
	c.now = 1795000000;
	ehlo_reply(&b, &c);
	check(span_find(buf_span(&b),
		  SPAN("\r\n250-REQUIRETLS\r\n"
		       "250-FUTURERELEASE 2592000 2026-12-18T11:06:40Z\r\n")) <
	    b.n);
	buf_free(&b);
}

static void
test_capa(void)
{
	struct capa_conf c = { 0 };
	struct buf b = { .max = 4096 };

	capa_reply(&b, &c);
	check(strstr(buf_cstr(&b), "SASL") == NULL);
	check(strstr(buf_cstr(&b), "STLS") == NULL);
	check(strstr(buf_cstr(&b), "\r\nTOP\r\nUIDL\r\n") != NULL);
	buf_clear(&b);
	c.sasl = "PLAIN LOGIN";
	c.stls = true;
	capa_reply(&b, &c);
	check(strstr(buf_cstr(&b), "\r\nUSER\r\nSASL PLAIN LOGIN\r\n"));
	check(strstr(buf_cstr(&b), "\r\nSTLS\r\n") != NULL);
	buf_free(&b);
}

enum { IN_CLEAR = 1, NO_TLS = 2 }; /* else on TLS */

/*
 * What the monitor does at each event: c challenge, p proved (stop), t TLS
 * has started, or the failures w(rong) l(ater) r(efused) s(yntax)
 * f(ull) and L(imit).
 */
struct talk {
	const struct greet_proto *proto;
	int flags;
	const char *monitor;
	const char *in, *want;
};

static const struct talk talks[] = {
	/* clang-format off */
	/* SMTP: the greeting, names, what is refused before a login */
	{ &smtp_greet, 0, "", "EHLO a.test\r\nNOOP x\r\nRSET\r\nVRFY b\r\n"
	    "HELP\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nBLAH\r\n"
	    "EHLO\r\nVRFY\r\nSTARTTLS\r\nquit\r\nNOOP\r\n",
	    "220 mx ESMTP|250-mx|250-PIPELINING|250-SIZE 99|250-8BITMIME|"
	    "250-AUTH PLAIN LOGIN|" MORE "250 ENHANCEDSTATUSCODES|250 2.0.0 Ok|"
	    "250 2.0.0 Ok|252 2.5.0 Send it and see|"
	    "214 2.0.0 EHLO, STARTTLS, AUTH, then mail|"
	    "530 5.7.0 Authentication required|"
	    "530 5.7.0 Authentication required|"
	    "530 5.7.0 Authentication required|500 5.5.1 No such command|"
	    "501 5.5.4 EHLO needs a name|501 5.5.4 VRFY needs an address|"
	    "503 5.5.1 TLS is active already|221 2.0.0 Bye|<end>" },
	{ &smtp_greet, IN_CLEAR, "t", "EHLO a\r\nAUTH PLAIN AGEAYg==\r\n"
	    "MAIL FROM:<>\r\nSTARTTLS x\r\nSTARTTLS\r\n"
	    "AUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n",
	    "220 mx ESMTP|250-mx|250-PIPELINING|250-SIZE 99|250-8BITMIME|"
	    "250-STARTTLS|" MORE "250 ENHANCEDSTATUSCODES|"
	    "538 5.7.11 Encryption is required for that|"
	    "530 5.7.0 Must issue STARTTLS first|"
	    "501 5.5.4 STARTTLS takes no argument|220 2.0.0 Go ahead|<tls>"
	    "503 5.5.1 Say EHLO first|503 5.5.1 TLS is active already|" },
	{ &smtp_greet, IN_CLEAR | NO_TLS, "", "STARTTLS\r\nMAIL\r\n",
	    "220 mx ESMTP|502 5.5.1 TLS is not offered here|"
	    "530 5.7.0 Authentication required|" },
	/* the octets of a chunk are no commands: the session ends */
	{ &smtp_greet, 0, "", "BDAT 6\r\nQUIT\r\nNOOP\r\n",
	    "220 mx ESMTP|530 5.7.0 Authentication required|<end>" },
	/* SMTP: AUTH */
	{ &smtp_greet, 0, "p", "HELO a.test\nAUTH plain AGEAYg==\nMAIL",
	    "220 mx ESMTP|250 mx|<auth plain:.a.b><HELO a.test><left MAIL>" },
	{ &smtp_greet, 0, "cp", "EHLO a\r\nAUTH PLAIN\r\nAGEAYg==\r\n",
	    "220 mx ESMTP|250-mx|250-PIPELINING|250-SIZE 99|250-8BITMIME|"
	    "250-AUTH PLAIN LOGIN|" MORE "250 ENHANCEDSTATUSCODES|<auth PLAIN>"
	    "334 QTo=|<response .a.b><EHLO a><left >" },
	{ &smtp_greet, 0, "wlrscc", "HELO a b\r\nAUTH PLAIN =\r\n"
	    "AUTH PLAIN AA==\r\nAUTH LOGIN AA==\r\nAUTH LOGIN AA==\r\n"
	    "AUTH LOGIN\r\n*\r\nAUTH LOGIN\r\n###\r\nAUTH X\r\nAUTH\r\n"
	    "AUTH PLAIN ###\r\nAUTH PLAIN * \r\n",
	    "220 mx ESMTP|250 mx|<auth PLAIN:>535 5.7.8 Authentication failed|"
	    "<auth PLAIN:.>454 4.7.0 Can't tell now, try again later|"
	    "<auth LOGIN:.>535 5.7.8 Not allowed to send mail here|"
	    "<auth LOGIN:.>501 5.5.2 Malformed response|<auth LOGIN>"
	    "334 QTo=|501 5.7.0 Authentication cancelled|<cancel>"
	    "<auth LOGIN>334 QTo=|501 5.5.2 Cannot decode that|"
	    "504 5.5.4 No such mechanism|501 5.5.4 AUTH needs a mechanism|"
	    "501 5.5.2 Cannot decode that|501 5.5.2 Cannot decode that|" },
	{ &smtp_greet, 0, "L", "HELO a\r\nAUTH PLAIN =\r\nNOOP\r\n",
	    "220 mx ESMTP|250 mx|<auth PLAIN:>535 5.7.8 Authentication failed|"
	    "421 4.7.0 Too many failures|<end>" },
	{ &smtp_greet, 0, "f", "HELO a\r\nAUTH PLAIN =\r\nNOOP\r\n",
	    "220 mx ESMTP|250 mx|<auth PLAIN:>"
	    "454 4.7.0 Too many sessions of yours, close some|250 2.0.0 Ok|" },
	{ &smtp_greet, 0, "", "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\n"
	    "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\n\001\r\n\r\nNOOP\r\n",
	    "220 mx ESMTP|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.1 No such command|"
	    "500 5.5.1 No such command|500 5.5.2 Not a line of text|"
	    "500 5.5.1 No such command|421 4.7.0 Too many errors|<end>" },
	/* POP3 */
	{ &pop3_greet, 0, "p", "capa\r\nNOOP\r\nUSER  a@b.test \r\n"
	    "PASS  x y \r\nSTAT\r\n",
	    "+OK mx POP3 ready|+OK Capabilities follow|TOP|UIDL|PIPELINING|"
	    "RESP-CODES|AUTH-RESP-CODE|EXPIRE NEVER|UTF8|LANG|USER|SASL PLAIN LOGIN|"
	    "IMPLEMENTATION pneu|.|-ERR not a command before the login|+OK|"
	    "<auth PLAIN:.a@b.test. x y ><><left STAT\r\n>" },
	{ &pop3_greet, IN_CLEAR, "t", "USER a\r\nPASS b\r\nAUTH PLAIN\r\n"
	    "AUTH\r\nSTLS x\r\nSTLS\r\nSTLS\r\nPASS x\r\n",
	    "+OK mx POP3 ready|-ERR a password may come only inside TLS|"
	    "-ERR a password may come only inside TLS|"
	    "-ERR a password may come only inside TLS|+OK|.|"
	    "-ERR STLS takes no argument|+OK go ahead|<tls>"
	    "-ERR TLS is active already|-ERR say USER first|" },
	{ &pop3_greet, 0, "wlrsccL", "USER a\r\nPASS b\r\nPASS b\r\n"
	    "USER a\r\nPASS b\r\nAUTH PLAIN =\r\nAUTH LOGIN YQ==\r\nAUTH\r\n"
	    "AUTH PLAIN\r\n*\r\nAUTH PLAIN\r\n#\r\nAUTH GSSAPI\r\n"
	    "AUTH PLAIN =\r\nQUIT\r\n",
	    "+OK mx POP3 ready|+OK|<auth PLAIN:.a.b>"
	    "-ERR [AUTH] authentication failed|-ERR say USER first|+OK|"
	    "<auth PLAIN:.a.b>-ERR [SYS/TEMP] can't tell now, try again later|"
	    "<auth PLAIN:>-ERR [AUTH] not allowed to read mail here|"
	    "<auth LOGIN:a>-ERR malformed response|+OK|PLAIN|LOGIN|.|"
	    "<auth PLAIN>+ QTo=|-ERR authentication cancelled|<cancel>"
	    "<auth PLAIN>+ QTo=|-ERR cannot decode that|"
	    "-ERR no such mechanism|<auth PLAIN:>"
	    "-ERR [AUTH] authentication failed too often|<end>" },
	{ &pop3_greet, 0, "f", "USER a\r\nPASS b\r\nQUIT\r\n",
	    "+OK mx POP3 ready|+OK|<auth PLAIN:.a.b>"
	    "-ERR [IN-USE] too many sessions of yours, close some|+OK bye|"
	    "<end>" },
	{ &pop3_greet, NO_TLS, "", "USER \r\nSTLS\r\n\r\nQUIT\r\nQUIT\r\n",
	    "+OK mx POP3 ready|-ERR not a name|-ERR TLS is active already|"
	    "-ERR not a line of text|+OK bye|<end>" },
	/* clang-format on */
};

/* Append s, with NUL as a dot. */
static void
put_text(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, s.p[i] == '\0' ? '.' : s.p[i]);
}

/* Move what the engine said, with line ends as bars. */
static void
put_said(struct buf *b, struct buf *out)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] == '\n')
			buf_putc(b, '|');
		else if (out->p[i] != '\r')
			buf_putc(b, out->p[i]);
	buf_clear(out);
}

static void
put_event(struct buf *b, enum greet_event e, const struct greet_auth *a)
{
	if (e == GREET_AUTH) {
		buf_puts(b, "<auth ");
		put_text(b, a->mech);
		if (a->has_response)
			buf_puts(b, ":");
	} else if (e == GREET_RESPONSE) {
		buf_puts(b, "<response ");
	}
	if (a->has_response)
		put_text(b, a->response);
	buf_puts(b, ">");
}

/* What the monitor does; false when the engine is not asked again. */
static bool
act(char what, const struct greet_proto *proto, void *engine,
    struct greet_conf *conf)
{
	static const char letters[] = "wl__srfL";

	switch (what) {
	case 'c':
		proto->challenge(engine, SPAN("A:"));
		return true;
	case 't':
		conf->tls_active = conf->plain_ok = true;
		proto->tls_started(engine);
		return true;
	case 'p':
		return false;
	default:
		proto->fail(engine,
		    (enum greet_failure)(strchr(letters, what) - letters));
		return true;
	}
}

static void
put_proved(struct buf *b, struct span state, struct span left)
{
	buf_puts(b, "<");
	put_text(b, state);
	buf_puts(b, "><left ");
	put_text(b, left);
	buf_puts(b, ">");
}

/* All of a talk, the input in pieces of step bytes. */
static void
run(const struct talk *t, size_t step)
{
	static _Alignas(max_align_t) char engine[GREET_SIZE_MAX];
	struct greet_conf conf = { .host = "mx",
		.mechs = "PLAIN LOGIN",
		.tls_offered = !(t->flags & NO_TLS),
		.tls_active = !(t->flags & IN_CLEAR),
		.plain_ok = !(t->flags & IN_CLEAR),
		.size = 99 };
	struct buf out = { .max = 16384 }, got = { .max = 16384 };
	const char *monitor = t->monitor;
	struct span all = span_of(t->in), in = { all.p, 0 };
	struct greet_auth a;
	bool on = true;

	check(t->proto->size <= sizeof(engine));
	t->proto->init(engine, &out, &conf);
	while (on) {
		enum greet_event e = (a = (struct greet_auth){ 0 },
		    t->proto->next(engine, &in, &a));
		size_t left = all.n - (size_t)(in.p + in.n - all.p);

		put_said(&got, &out);
		if (e == GREET_MORE) {
			if (left == 0)
				break;
			in.n += left < step ? left : step;
			continue;
		}
		if (e == GREET_END) {
			buf_puts(&got, "<end>");
			break;
		}
		if (e == GREET_CANCEL) {
			buf_puts(&got, "<cancel>");
			continue;
		}
		if (e == GREET_TLS)
			buf_puts(&got, "<tls>");
		else
			put_event(&got, e, &a);
		on = act(*monitor++, t->proto, engine, &conf);
		in.n += on ? 0 : left;
	}
	if (!on)
		put_proved(&got, t->proto->state(engine), in);
	put_said(&got, &out);
	check(strcmp(buf_cstr(&got), t->want) == 0);
	if (step == 1 && strcmp(buf_cstr(&got), t->want) != 0)
		printf("got  %s\nwant %s\n", buf_cstr(&got), t->want);
	buf_free(&got);
	buf_free(&out);
}

/* A response line of 12288 bytes passes; one more byte does not. */
static void
test_long(const struct greet_proto *proto, const char *prefix, size_t n,
    enum greet_event want)
{
	static _Alignas(max_align_t) char engine[GREET_SIZE_MAX];
	static const struct greet_conf conf = {
		.host = "mx", .mechs = "PLAIN", .plain_ok = true
	};
	struct buf in = { .max = 32768 }, out = { .max = 4096 };
	struct greet_auth a;
	struct span s;

	buf_puts(&in, prefix);
	for (size_t i = 0; i < n; i++)
		buf_putc(&in, 'A');
	buf_puts(&in, "\r\n");
	s = buf_span(&in);
	proto->init(engine, &out, &conf);
	check(proto->next(engine, &s, &a) == want);
	check(s.n == 0);
	if (want == GREET_AUTH)
		check(a.response.n == n / 4 * 3);
	buf_free(&in);
	buf_free(&out);
}

int
main(void)
{
	test_ehlo();
	test_capa();
	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		for (size_t step = 1; step <= 16; step++)
			run(&talks[i], step);
	test_long(&smtp_greet, "HELO a\r\nAUTH PLAIN ", 8000, GREET_AUTH);
	test_long(&smtp_greet, "HELO a\r\nAUTH PLAIN ", 12288, GREET_MORE);
	test_long(&smtp_greet, "HELO a\r\nAUTH PLAIN ", 30000, GREET_MORE);
	test_long(&smtp_greet, "HELO ", 3000, GREET_MORE);
	test_long(&pop3_greet, "AUTH PLAIN ", 8000, GREET_AUTH);
	test_long(&pop3_greet, "USER ", 600, GREET_MORE);
	test_long(&pop3_greet, "AUTH PLAIN ", 30000, GREET_MORE);
	return done();
}
