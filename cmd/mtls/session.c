/*
 * One connection: the TLS half is sent on its way, and this process
 * becomes the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/deadline.h"
#include "io/env.h"
#include "io/ident.h"
#include "io/in.h"
#include "io/log.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mtls.h"

enum { FACTS_SIZE = 2048, CTL_FD = 3, READ_FD = 4, WRITE_FD = 5, HIGH_FD = 10 };

/* What the TLS half may say of a connection. */
static const char *const fact_names[] = { "SSL_PROTOCOL", "SSL_CIPHER",
	"SSL_CIPHER_USEKEYSIZE", "SSL_TLS_SNI_SERVERNAME" };

static void
put_fact(struct env *e, struct span fact)
{
	struct span name = span_cut(&fact, '=');

	for (size_t i = 0; i < sizeof(fact_names) / sizeof(*fact_names); i++)
		if (span_is(name, fact_names[i]))
			env_set(e, fact_names[i], fact);
}

/* Read NAME=value, NUL, ... up to an empty one.  False: no TLS came. */
static bool
take_facts(struct env *e, int fd)
{
	int64_t deadline = deadline_in(TIME_HANDSHAKE + 5);
	static char buf[FACTS_SIZE];
	struct span left;
	struct in in;

	in_init(&in, fd, buf, sizeof(buf));
	in.deadline = deadline;
	while (in.data.n < 2 || in.data.p[in.data.n - 1] != '\0' ||
	    in.data.p[in.data.n - 2] != '\0')
		if (in_fill(&in) != IN_DATA)
			return false;
	for (left = in.data; left.n > 0;)
		put_fact(e, span_cut(&left, '\0'));
	return true;
}

static void
describe_peer(struct env *e, const struct net_peer *p)
{
	if (p->ipc) {
		env_set(e, "PROTO", SPAN("IPC"));
		if (p->uid >= 0)
			env_setf(e, "IPCREMOTEEUID", "%ld", p->uid);
		if (p->pid >= 0)
			env_setf(e, "IPCREMOTEPID", "%ld", p->pid);
	} else if (p->ip[0] != '\0') {
		env_set(e, "PROTO", SPAN("TCP"));
		env_set(e, "TCPREMOTEIP", span_of(p->ip));
		env_setf(e, "TCPREMOTEPORT", "%u", (unsigned)p->port);
		env_set(e, "TCPLOCALIP", span_of(p->local_ip));
		env_setf(e, "TCPLOCALPORT", "%u", (unsigned)p->local_port);
	}
}

static void
must_dup(int from, int to)
{
	if (dup2(from, to) == -1)
		die_sys(EXIT_TEMP, "dup2");
}

/* A socket pair out of the way of the numbers that programs expect. */
static void
high_pair(int pair[2])
{
	int low[2];

	if (spawn_socketpair(low) == -1)
		die_sys(EXIT_TEMP, "socketpair");
	for (int i = 0; i < 2; i++) {
		pair[i] = fcntl(low[i], F_DUPFD_CLOEXEC, HIGH_FD);
		if (pair[i] == -1)
			die_sys(EXIT_TEMP, "dup");
		close(low[i]);
	}
}

/*
 * Start the TLS half as a grandchild: whoever this process becomes has no
 * child that it does not know.  The first of each pair stays here.
 */
static void
start_half(struct mtls *m, int fd, int data[2], int ctl[2])
{
	pid_t pid = fork();

	if (pid == 0) {
		int net = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

		if (net == -1 || fork() != 0)
			_exit(EXIT_OK);
		close(data[0]);
		close(ctl[0]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		if (fd > STDERR_FILENO)
			close(fd);
		half(m, net, data[1], ctl[1]);
	}
	if (pid == -1)
		die_sys(EXIT_TEMP, "fork");
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	close(data[1]);
	close(ctl[1]);
}

/* -i: nothing is started before the handshake is done. */
static void
begin_implicit(struct mtls *m, int fd, struct env *e)
{
	int data[2], ctl[2];

	high_pair(data);
	high_pair(ctl);
	start_half(m, fd, data, ctl);
	if (fd > STDERR_FILENO)
		close(fd);
	if (!take_facts(e, ctl[0]))
		_exit(EXIT_TEMP); /* the TLS half has said why */
	must_dup(data[0], STDIN_FILENO);
	must_dup(data[0], STDOUT_FILENO);
}

/* -s: UCSPI-TLS, with descriptors of fixed numbers. */
static void
begin_starttls(struct mtls *m, int fd, struct env *e)
{
	int data[2], ctl[2];

	high_pair(data);
	high_pair(ctl);
	start_half(m, fd, data, ctl);
	must_dup(fd, STDIN_FILENO);
	must_dup(fd, STDOUT_FILENO);
	must_dup(ctl[0], CTL_FD);
	must_dup(data[0], READ_FD);
	must_dup(data[0], WRITE_FD);
	env_setf(e, "SSLCTLFD", "%d", CTL_FD);
	env_setf(e, "SSLREADFD", "%d", READ_FD);
	env_setf(e, "SSLWRITEFD", "%d", WRITE_FD);
}

void
session(struct mtls *m, int fd, bool given)
{
	static struct env e;
	struct net_peer peer;
	const char *conn = ident_conn(false);

	log_open(conn);
	net_nodelay(fd);
	env_init(&e);
	if (given ? net_peer_env(fd, &peer) : net_peer(fd, &peer))
		describe_peer(&e, &peer);
	env_set(&e, "MAIL_CONN", span_of(conn));
	switch (m->mode) {
	case MODE_PLAIN:
		must_dup(fd, STDIN_FILENO);
		must_dup(fd, STDOUT_FILENO);
		break;
	case MODE_IMPLICIT:
		begin_implicit(m, fd, &e);
		break;
	case MODE_STARTTLS:
		begin_starttls(m, fd, &e);
		break;
	}
	if (m->become && m->uid != 0)
		env_set(&e, "HOME", SPAN("/"));
	if (m->become && user_become(m->uid, m->gid) == -1)
		die_sys(EXIT_TEMP, "become %ld", (long)m->uid);
	spawn_exec(m->program, env_vector(&e));
	die_sys(EXIT_TEMP, "%s", m->program[0]);
}
