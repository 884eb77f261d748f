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
#include "io/deadline.h"
#include "io/env.h"
#include "io/facts.h"
#include "io/log.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mtls.h"

enum { CTL_FD = 3, READ_FD = 4, WRITE_FD = 5, HIGH_FD = 10 };

static void
put_fact(void *e, const char *name, struct span value)
{
	env_set(e, name, value);
}

static void
describe_peer(struct env *e, const struct net_peer *p)
{
	if (p->ipc) {
		env_set(e, "PROTO", SPAN("IPC"));
		if (p->uid >= 0)
			env_setf(e, "IPCREMOTEEUID", "%ld", p->uid);
		if (p->gid >= 0)
			env_setf(e, "IPCREMOTEEGID", "%ld", p->gid);
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

/* Out of the way of the numbers that programs expect. */
static int
lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	if (high == -1)
		die_sys(EXIT_TEMP, "dup");
	return high;
}

static bool
high_pair(int pair[2])
{
	int low[2];

	if (spawn_socketpair(low) == -1)
		return false;
	for (int i = 0; i < 2; i++) {
		pair[i] = fcntl(low[i], F_DUPFD_CLOEXEC, HIGH_FD);
		close(low[i]);
	}
	return pair[0] != -1 && pair[1] != -1;
}

bool
pairs_open(struct pairs *p)
{
	return high_pair(p->data) && high_pair(p->ctl);
}

void
pairs_close(struct pairs *p, int end)
{
	close(p->data[end]);
	close(p->ctl[end]);
}

void
session_half(struct mtls *m, int fd, struct pairs *p)
{
	int net = lift(fd);

	pairs_close(p, 0);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	half(m, net, p->data[1], p->ctl[1]);
}

/*
 * Without a listener the TLS half is a grandchild: whoever this process
 * becomes has no child that it does not know.
 */
static void
start_half(struct mtls *m, int fd, struct pairs *p)
{
	pid_t pid;

	if (!pairs_open(p))
		die_sys(EXIT_TEMP, "socketpair");
	pid = fork();
	if (pid == 0) {
		if (fork() != 0)
			_exit(EXIT_OK);
		session_half(m, fd, p);
	}
	if (pid == -1)
		die_sys(EXIT_TEMP, "fork");
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
}

/*
 * Become who runs the program, before a byte of the peer or of the TLS
 * half is looked at.
 */
static void
become(const struct mtls *m, struct env *e)
{
	if (!m->become)
		return;
	if (m->uid != 0)
		env_set(e, "HOME", SPAN("/"));
	if (user_become(m->uid, m->gid) == -1)
		die_sys(EXIT_TEMP, "become %ld", (long)m->uid);
}

/* -i: nothing is started before the handshake is done. */
static void
begin_implicit(struct mtls *m, int fd, struct env *e, struct pairs *p)
{
	must_dup(p->data[0], STDIN_FILENO);
	must_dup(p->data[0], STDOUT_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	become(m, e);
	/* the TLS half gives up first, and says why */
	if (facts_read(p->ctl[0], FACTS_TLS | FACTS_BINDING,
		deadline_in(m->handshake + 5), put_fact, e) == -1)
		_exit(EXIT_TEMP);
}

/* -s: UCSPI-TLS, with descriptors of fixed numbers. */
static void
begin_starttls(struct mtls *m, int fd, struct env *e, struct pairs *p)
{
	must_dup(fd, STDIN_FILENO);
	must_dup(fd, STDOUT_FILENO);
	must_dup(p->ctl[0], CTL_FD);
	must_dup(p->data[0], READ_FD);
	must_dup(p->data[0], WRITE_FD);
	env_setf(e, "SSLCTLFD", "%d", CTL_FD);
	env_setf(e, "SSLREADFD", "%d", READ_FD);
	env_setf(e, "SSLWRITEFD", "%d", WRITE_FD);
	become(m, e);
}

static void
begin_plain(struct mtls *m, int fd, struct env *e)
{
	if (fd != STDIN_FILENO) {
		must_dup(fd, STDIN_FILENO);
		must_dup(fd, STDOUT_FILENO);
	}
	become(m, e);
}

/* The listener may have ended by now: that changes nothing. */
static void
tell_begun(int life)
{
	if (life == -1)
		return;
	signal(SIGPIPE, SIG_IGN);
	if (write(life, "", 1) == -1)
		errno = 0;
	signal(SIGPIPE, SIG_DFL);
}

void
session(struct mtls *m, int fd, const char *conn, int life, struct pairs *p)
{
	static struct env e;
	struct pairs own;

	log_open(conn);
	net_nodelay(fd);
	net_keepalive(fd);
	if (life != -1)
		life = lift(life);
	env_init(&e);
	describe_peer(&e, &m->peer);
	env_set(&e, "MAIL_CONN", span_of(conn));
	if (m->mode != MODE_PLAIN && p == NULL) {
		p = &own;
		start_half(m, fd, p);
	}
	if (p != NULL)
		pairs_close(p, 1);
	switch (m->mode) {
	case MODE_PLAIN:
		begin_plain(m, fd, &e);
		break;
	case MODE_IMPLICIT:
		begin_implicit(m, fd, &e, p);
		break;
	case MODE_STARTTLS:
		begin_starttls(m, fd, &e, p);
		break;
	}
	tell_begun(life);
	spawn_exec(m->program, env_vector(&e));
	die_sys(EXIT_TEMP, "%s", m->program[0]);
}
