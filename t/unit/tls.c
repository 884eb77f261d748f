/* Both sides of io/tls, in two processes over a socket pair. */
#include "io/tls.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char dir[] = "/tmp/pneu-tls.XXXXXX";

/* By a shell; whether it ended with 0. */
static bool
shell(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool
make_keys(void)
{
	char command[512];

	if (mkdtemp(dir) == NULL)
		return false;
	snprintf(command, sizeof(command),
	    "cd %s && openssl req -x509 -newkey ec -pkeyopt "
	    "ec_paramgen_curve:P-256 -nodes -keyout k -out c -days 9 "
	    "-subj /CN=a.test -addext subjectAltName=DNS:a.test "
	    "2>/dev/null && cat k c >default.pem",
	    dir);
	return shell(command);
}

/* Answer one line; properly is with close_notify. */
static pid_t
server(int fd, bool properly)
{
	struct tls_ctx *c = tls_server(false, NULL);
	char why[256], b[100];
	struct tls *t;
	size_t n;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (tls_server_load(c, dir, why, sizeof(why)) == -1)
		_exit(1);
	t = tls_accept(c, fd);
	if (tls_handshake(t) != TLS_DONE ||
	    tls_read(t, b, sizeof(b), &n) != TLS_DONE ||
	    tls_write(t, b, n, &n) != TLS_DONE)
		_exit(1);
	if (properly)
		tls_shutdown(t);
	_exit(0);
}

static void
talk(const char *ca, const char *name, bool proved, bool properly)
{
	struct tls_ctx *c = tls_client(ca);
	char b[100];
	struct tls *t;
	int pair[2];
	size_t n;
	pid_t pid;

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	pid = server(pair[1], properly);
	close(pair[1]);
	t = tls_connect(c, pair[0], name);
	check(tls_handshake(t) == TLS_DONE);
	check(tls_verified(t) == proved);
	check(strcmp(tls_version(t), "TLSv1.3") == 0);
	check(tls_bits(t) >= 128);
	check(tls_write(t, "hello\n", 6, &n) == TLS_DONE && n == 6);
	check(tls_read(t, b, sizeof(b), &n) == TLS_DONE && n == 6);
	check(tls_read(t, b, sizeof(b), &n) == (properly ? TLS_EOF : TLS_CUT));
	tls_shutdown(t);
	tls_free(t);
	close(pair[0]);
	check(waitpid(pid, NULL, 0) == pid);
}

int
main(void)
{
	char ca[64], why[256] = "", command[64];
	struct tls_ctx *c = tls_server(false, NULL);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	check(tls_server_load(c, "/nonexistent", why, sizeof(why)) == -1);
	check(why[0] != '\0' && strchr(why, '\n') == NULL);
	check(make_keys());
	snprintf(ca, sizeof(ca), "%s/c", dir);
	talk(ca, "a.test", true, true);
	talk(ca, "b.test", false, true);
	talk(NULL, "a.test", false, false);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	check(shell(command));
	/* contexts last as long as the program */
	failed = done();
	fflush(stdout);
	_exit(failed);
}
