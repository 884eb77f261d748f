#include "imaplink.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/enc.h"
#include "io/askpass.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/spawn.h"
#include "mindex.h"

static struct {
	struct imapc c;
	struct in in;
	struct out out;
	pid_t pid;
	unsigned tag;
	bool preauth;
	struct buf capa; /* " A B " */
	char in_buf[65536], out_buf[4096];
	char answer[256], reason[256];
} ln;

void (*link_untagged)(struct span text);
void (*link_body)(struct span piece);

const char *
link_answer(void)
{
	return ln.answer;
}

static void
keep_answer(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < sizeof(ln.answer) - 1; i++)
		ln.answer[n++] = is_print(text.p[i]) ? text.p[i] : '?';
	ln.answer[n] = '\0';
}

static void
keep_capa(struct span text)
{
	buf_clear(&ln.capa);
	buf_putc(&ln.capa, ' ');
	buf_put(&ln.capa, text);
	buf_putc(&ln.capa, ' ');
}

bool
link_has(const char *capability)
{
	struct span s = buf_span(&ln.capa), word;

	while ((word = span_word(&s)).n > 0)
		if (span_iis(word, capability))
			return true;
	return false;
}

/* The next event that is no text of a message. */
static enum imapc_event
next(void)
{
	struct span piece;
	enum imapc_event e;

	for (;;) {
		e = imapc_next(&ln.c, &ln.in.data, &piece);
		if (e == IMAPC_BODY && link_body != NULL)
			link_body(piece);
		if (e == IMAPC_BAD)
			die(EXIT_PROTOCOL, "the server does not speak IMAP");
		if (e != IMAPC_MORE && e != IMAPC_BODY)
			return e;
		if (e == IMAPC_BODY)
			continue;
		ln.in.deadline = deadline_in(TIME_IMPORT);
		switch (in_fill(&ln.in)) {
		case IN_DATA:
			break;
		case IN_EOF:
			die(EXIT_TEMP, "the server has gone%s%s",
			    *ln.answer != '\0' ? ": " : "", ln.answer);
		case IN_TIMEOUT:
			die(EXIT_TEMP, "the server says nothing");
		case IN_FULL:
		case IN_ERROR:
			die_sys(EXIT_TEMP, "the server");
		}
	}
}

static void
untagged(struct span text)
{
	struct span rest = text, word = span_word(&rest);

	if (span_iis(word, "CAPABILITY"))
		keep_capa(rest);
	else if (span_iis(word, "BYE"))
		keep_answer(text);
	if (link_untagged != NULL)
		link_untagged(text);
}

static void
send(struct span command)
{
	ln.out.deadline = deadline_in(TIME_IMPORT);
	out_printf(&ln.out, "p%u ", ++ln.tag);
	out_put(&ln.out, command);
	out_puts(&ln.out, "\r\n");
}

/* The answer to the command; or a "+", if one is wanted. */
static enum imapc_event
wait_answer(void)
{
	char tag[16];
	struct span text;

	snprintf(tag, sizeof(tag), "p%u", ln.tag);
	for (;;)
		switch (next()) {
		case IMAPC_UNTAGGED:
			untagged(ln.c.text);
			break;
		case IMAPC_TAGGED:
			text = ln.c.text;
			if (!span_is(span_word(&text), tag))
				break;
			keep_answer(span_trim(text));
			return IMAPC_TAGGED;
		case IMAPC_CONTINUE:
			return IMAPC_CONTINUE;
		case IMAPC_MORE:
		case IMAPC_BODY:
		case IMAPC_BAD:
			break;
		}
}

static bool
was_ok(void)
{
	return span_istarts(span_of(ln.answer), "OK");
}

bool
link_run(struct span command)
{
	send(command);
	if (wait_answer() == IMAPC_CONTINUE)
		die(EXIT_PROTOCOL, "the server waits for more");
	return was_ok();
}

bool
link_runf(const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return link_run(span_of(text));
}

/* Why a token is no good, which only this says: base64 of JSON. */
static void
keep_reason(struct span text)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, 4096);
	if (dec_base64(&b, span_trim(text)))
		for (; n < b.n && n < sizeof(ln.reason) - 1; n++)
			ln.reason[n] = is_print(b.p[n]) ? b.p[n] : '?';
	ln.reason[n] = '\0';
	buf_free(&b);
}

static void
send_line(struct span line)
{
	ln.out.deadline = deadline_in(TIME_IMPORT);
	out_put(&ln.out, line);
	out_puts(&ln.out, "\r\n");
}

/*
 * AUTHENTICATE by one message (RFC 9051, section 6.2.2; RFC 4959).  A
 * challenge behind it is an error that wants an answer before it is told.
 */
static void
authenticate(const char *mech, struct span message, const char *answer)
{
	struct buf b;
	size_t at;
	enum imapc_event e;

	buf_init(&b, LIMIT_TOKEN * 2);
	buf_printf(&b, "AUTHENTICATE %s ", mech);
	at = b.n;
	enc_base64(&b, message);
	if (link_has("SASL-IR")) {
		send(buf_span(&b));
		e = wait_answer();
	} else {
		send((struct span){ b.p, at - 1 });
		if ((e = wait_answer()) == IMAPC_CONTINUE) {
			send_line((struct span){ b.p + at, b.n - at });
			e = wait_answer();
		}
	}
	wipe(b.p, b.n);
	buf_free(&b);
	if (e == IMAPC_TAGGED)
		return;
	keep_reason(ln.c.text);
	send_line(span_of(answer));
	if (wait_answer() == IMAPC_CONTINUE)
		die(EXIT_PROTOCOL, "the server waits for more");
}

/* NUL user NUL password */
static void
plain(const char *user, const char *password)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_putc(&b, '\0');
	buf_puts(&b, user);
	buf_putc(&b, '\0');
	buf_puts(&b, password);
	authenticate("PLAIN", buf_span(&b), "*");
	wipe(b.p, b.n);
	buf_free(&b);
}

/* RFC 7628, section 3.1; RFC 5801, section 4: a saslname */
static void
oauthbearer(const char *user, const char *token)
{
	struct buf b;

	buf_init(&b, LIMIT_TOKEN + 4096);
	buf_puts(&b, "n,a=");
	for (; *user != '\0'; user++)
		if (*user == ',' || *user == '=')
			buf_puts(&b, *user == ',' ? "=2C" : "=3D");
		else
			buf_putc(&b, *user);
	buf_printf(&b, ",\1auth=Bearer %s\1\1", token);
	authenticate("OAUTHBEARER", buf_span(&b), "AQ==");
	wipe(b.p, b.n);
	buf_free(&b);
}

static void
xoauth2(const char *user, const char *token)
{
	struct buf b;

	buf_init(&b, LIMIT_TOKEN + 4096);
	buf_printf(&b, "user=%s\1auth=Bearer %s\1\1", user, token);
	authenticate("XOAUTH2", buf_span(&b), "");
	wipe(b.p, b.n);
	buf_free(&b);
}

static void
login(const char *user, const char *password)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_puts(&b, "LOGIN ");
	if (!imapc_put_quoted(&b, span_of(user)) || !buf_putc(&b, ' ') ||
	    !imapc_put_quoted(&b, span_of(password)))
		die(EXIT_UNAVAILABLE, "the server can't be told this password");
	link_run(buf_span(&b));
	wipe(b.p, b.n);
	buf_free(&b);
}

static void
ask_secret(const char *prompt, char *to, size_t size)
{
	const char *why = askpass(secret_fd, prompt, false, to, size);

	if (why != NULL)
		die(EXIT_USAGE, "%.*s: %s", (int)strcspn(prompt, " "), prompt,
		    why);
}

static void
log_in_password(const char *user)
{
	char password[LIMIT_PASSWORD + 1];

	ask_secret("password there: ", password, sizeof(password));
	if (link_has("AUTH=PLAIN"))
		plain(user, password);
	else if (!link_has("LOGINDISABLED"))
		login(user, password);
	else
		die(EXIT_UNAVAILABLE, "the server wants no login here: TLS");
	wipe(password, sizeof(password));
}

static void
log_in_token(const char *user)
{
	char token[LIMIT_TOKEN + 1];

	ask_secret("token there: ", token, sizeof(token));
	if (strchr(token, ' ') != NULL)
		die(EXIT_USAGE, "token: it has a blank");
	if (link_has("AUTH=OAUTHBEARER"))
		oauthbearer(user, token);
	else if (link_has("AUTH=XOAUTH2"))
		xoauth2(user, token);
	else
		die(EXIT_UNAVAILABLE, "the server takes no token here");
	wipe(token, sizeof(token));
}

static void
log_in(const char *user, bool by_token)
{
	if (user == NULL)
		die(EXIT_NOPERM, "the server wants a login: user=NAME");
	if (by_token)
		log_in_token(user);
	else
		log_in_password(user);
	if (!was_ok())
		die(EXIT_NOPERM, "the server refuses the login: %s%s%s",
		    ln.answer, *ln.reason != '\0' ? ": " : "", ln.reason);
}

static void
start(char *const *argv)
{
	struct spawn s = { .argv = argv, .err = STDERR_FILENO };
	int to[2], from[2];

	if (spawn_pipe(to) == -1 || spawn_pipe(from) == -1)
		die_sys(EXIT_TEMP, "pipe");
	s.in = to[0];
	s.out = from[1];
	if ((ln.pid = spawn(&s)) == -1)
		die_sys(EXIT_UNAVAILABLE, "%s", argv[0]);
	close(to[0]);
	close(from[1]);
	imapc_init(&ln.c);
	buf_init(&ln.capa, 16384);
	out_init(&ln.out, to[1], ln.out_buf, sizeof(ln.out_buf));
	in_init(&ln.in, from[0], ln.in_buf, sizeof(ln.in_buf));
	ln.in.tie = &ln.out;
}

void
link_open(char *const *argv, const char *user, bool by_token)
{
	start(argv);
	if (next() != IMAPC_UNTAGGED)
		die(EXIT_PROTOCOL, "the server does not greet");
	keep_answer(ln.c.text);
	ln.preauth = span_istarts(ln.c.text, "PREAUTH");
	if (!ln.preauth && !was_ok())
		die(EXIT_TEMP, "the server says %s", ln.answer);
	if (!link_run(SPAN("CAPABILITY")))
		die(EXIT_PROTOCOL, "the server says %s", ln.answer);
	if (ln.preauth)
		return;
	log_in(user, by_token);
	link_run(SPAN("CAPABILITY"));
}

void
link_close(void)
{
	link_untagged = NULL;
	link_run(SPAN("LOGOUT"));
	close(ln.out.fd);
	close(ln.in.fd);
	spawn_wait(ln.pid, false, deadline_in(5));
	imapc_free(&ln.c);
	buf_free(&ln.capa);
}
