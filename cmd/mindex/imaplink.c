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
	char answer[256];
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

/* NUL user NUL password, in base64. */
static void
authenticate(const char *user, const char *password)
{
	struct buf plain, b;

	buf_init(&plain, 4096);
	buf_init(&b, 8192);
	buf_putc(&plain, '\0');
	buf_puts(&plain, user);
	buf_putc(&plain, '\0');
	buf_puts(&plain, password);
	if (link_has("SASL-IR"))
		buf_puts(&b, "AUTHENTICATE PLAIN ");
	enc_base64(&b, buf_span(&plain));
	if (link_has("SASL-IR")) {
		link_run(buf_span(&b));
	} else {
		send(SPAN("AUTHENTICATE PLAIN"));
		if (wait_answer() == IMAPC_CONTINUE) {
			out_put(&ln.out, buf_span(&b));
			out_puts(&ln.out, "\r\n");
			wait_answer();
		}
	}
	wipe(plain.p, plain.n);
	wipe(b.p, b.n);
	buf_free(&plain);
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
log_in(const char *user)
{
	char password[LIMIT_PASSWORD + 1];
	const char *why;

	if (user == NULL)
		die(EXIT_NOPERM, "the server wants a login: user=NAME");
	why = askpass(
	    secret_fd, "password there: ", false, password, sizeof(password));
	if (why != NULL)
		die(EXIT_USAGE, "password: %s", why);
	if (link_has("AUTH=PLAIN"))
		authenticate(user, password);
	else if (!link_has("LOGINDISABLED"))
		login(user, password);
	else
		die(EXIT_UNAVAILABLE, "the server wants no login here: TLS");
	wipe(password, sizeof(password));
	if (!was_ok())
		die(EXIT_NOPERM, "the server refuses the login: %s", ln.answer);
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
link_open(char *const *argv, const char *user)
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
	log_in(user);
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
