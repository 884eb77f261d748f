/* session: what one side writes the other reads, and nothing else. */
#include <fcntl.h>
#include <unistd.h>

#include "auth/session.h"
#include "test.h"

static void
announce(int fd)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%d", fd);
	setenv("PNEU_SESSION", digits, 1);
}

static enum session_result
receive_text(struct span text, struct session *s)
{
	int fd[2];

	if (pipe(fd) == -1 || write(fd[1], text.p, text.n) != (ssize_t)text.n)
		return SESSION_NONE;
	close(fd[1]);
	announce(fd[0]);
	return session_receive(s);
}

static void
round_trip(size_t nunread)
{
	static struct session a, b;
	int fd[2];

	a = (struct session){ .login = "alice@example.test",
		.service = "imap",
		.mech = "PLAIN",
		.label = "phone",
		.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384",
		.conn = "01k2abcdefghij",
		.nstate = 5,
		.nunread = nunread };
	memcpy(a.state, "a\0b\nc", 5);
	memset(a.unread, 'x', nunread);
	check(pipe(fd) == 0);
	check(session_send(fd[1], &a) == 0);
	check(fcntl(fd[1], F_GETFD) == -1);
	announce(fd[0]);
	check(session_receive(&b) == SESSION_OK);
	check(getenv("PNEU_SESSION") == NULL);
	check(fcntl(fd[0], F_GETFD) == -1);
	check(strcmp(b.login, a.login) == 0);
	check(strcmp(b.service, a.service) == 0);
	check(strcmp(b.mech, a.mech) == 0);
	check(strcmp(b.label, a.label) == 0);
	check(strcmp(b.tls, a.tls) == 0);
	check(strcmp(b.conn, a.conn) == 0);
	check(b.nstate == 5 && memcmp(b.state, "a\0b\nc", 5) == 0);
	check(b.nunread == nunread && memcmp(a.unread, b.unread, nunread) == 0);
}

static const char good[] = "pneu-session 1\nlogin a@b\nservice smtp\n"
			   "mech \nlabel \ntls \nconn \nstate 2\nunread 3\n"
			   "\nabcde";

static const char *const bad[] = {
	/* clang-format off */
	"",
	"\n",
	"pneu-session 2\nlogin a@b\nservice smtp\nmech \nlabel \ntls \nconn \n"
	    "state 0\nunread 0\n\n",
	"pneu-session 1\nlogin \nservice smtp\nmech \nlabel \ntls \nconn \n"
	    "state 0\nunread 0\n\n",
	"pneu-session 1\nlogin a\nservice 0123456789abcdef\nmech \nlabel \n"
	    "tls \nconn \nstate 0\nunread 0\n\n",
	"pneu-session 1\nlogin a@b\nservice smtp\nmech \nlabel \ntls \nconn \n"
	    "state 1025\nunread 0\n\n",
	/* clang-format on */
};

int
main(void)
{
	static struct session s;
	static struct session odd = { .login = "a\nstate 9" };
	struct span text = span_of(good);
	int fd[2];

	unsetenv("PNEU_SESSION");
	check(session_receive(&s) == SESSION_NONE);
	round_trip(0);
	round_trip(16384);
	check(receive_text(text, &s) == SESSION_OK);
	check(s.nstate == 2 && s.nunread == 3);
	check(memcmp(s.state, "ab", 2) == 0 && memcmp(s.unread, "cde", 3) == 0);
	for (size_t n = 0; n < text.n; n++)
		check(
		    receive_text((struct span){ good, n }, &s) == SESSION_BAD);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(receive_text(span_of(bad[i]), &s) == SESSION_BAD);
	check(s.login[0] == '\0');

	setenv("PNEU_SESSION", "0x3", 1);
	check(session_receive(&s) == SESSION_BAD);
	setenv("PNEU_SESSION", "0", 1);
	check(session_receive(&s) == SESSION_BAD);
	announce(open("/dev/null", O_RDONLY));
	check(session_receive(&s) == SESSION_BAD);

	/* no value can make a line, and a full pipe is no wait for ever */
	check(pipe(fd) == 0);
	check(session_send(fd[1], &odd) == -1);
	close(fd[0]);
	check(pipe(fd) == 0);
	odd = (struct session){ .login = "a", .nunread = sizeof(odd.unread) };
	check(session_send(fd[1], &odd) == -1);
	return done();
}
