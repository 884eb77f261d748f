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
#include "io/ready.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mtls.h"

enum { HIGH_FD = 10 };

static void
put_fact(void *e, const char *name, struct span value)
{
	env_set(e, name, value);
}

void
session_env(const struct mtls *m, struct env *e, const char *conn)
{
	const struct net_peer *p = &m->peer;

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
	env_set(e, "MAIL_CONN", span_of(conn));
	if (m->mode == MODE_STARTTLS) {
		env_setf(e, "SSLCTLFD", "%d", READY_CTL);
		env_setf(e, "SSLREADFD", "%d", READY_DATA);
		env_setf(e, "SSLWRITEFD", "%d", READY_DATA2);
		env_set(e, "UCSPITLS", SPAN("")); /* some ask for it */
	}
}

bool
session_has_half(const struct mtls *m)
{
	return m->mode != MODE_PLAIN || m->proxied;
}

unsigned
session_facts(const struct mtls *m)
{
	return (m->mode == MODE_IMPLICIT ? FACTS_TLS | FACTS_BINDING : 0) |
	    (m->proxied ? FACTS_PEER : 0);
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

bool
pairs_open(struct pairs *p)
{
	if (spawn_socketpair(p->data) == -1)
		return false;
	if (spawn_socketpair(p->ctl) == 0)
		return true;
	close(p->data[0]);
	close(p->data[1]);
	return false;
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
	int net = lift(fd), data = lift(p->data[1]), ctl = lift(p->ctl[1]);

	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
	pairs_close(p, 1);
	half(m, net, data, ctl);
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
		pairs_close(p, 0);
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

/* What the TLS half has to say first. */
static void
await_facts(struct mtls *m, struct env *e, const struct pairs *p)
{
	unsigned which = session_facts(m);

	/* the TLS half gives up first, and says why */
	if (which != 0 &&
	    facts_read(p->ctl[0], which, deadline_in(m->handshake + 5),
		put_fact, e) == -1)
		_exit(EXIT_TEMP);
}

/*
 * Descriptors of fixed numbers.  With -i the connection itself is the
 * other half's alone.
 */
static void
arrange(const struct mtls *m, int fd, struct pairs *p)
{
	int net = fd;

	if (p != NULL) {
		p->data[0] = lift(p->data[0]);
		p->ctl[0] = lift(p->ctl[0]);
	}
	if (m->mode == MODE_IMPLICIT)
		fd = p->data[0];
	else if (fd != STDIN_FILENO)
		fd = lift(fd);
	if (m->mode == MODE_PLAIN && fd == STDIN_FILENO)
		return;
	must_dup(fd, STDIN_FILENO);
	must_dup(fd, STDOUT_FILENO);
	if (net > STDERR_FILENO)
		close(net);
	if (m->mode != MODE_STARTTLS)
		return;
	must_dup(p->ctl[0], READY_CTL);
	must_dup(p->data[0], READY_DATA);
	must_dup(p->data[0], READY_DATA2);
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
	if (life != -1)
		life = lift(life);
	if (session_has_half(m) && p == NULL) {
		p = &own;
		start_half(m, fd, p);
	}
	if (p != NULL)
		pairs_close(p, 1);
	arrange(m, fd, p);
	env_init(&e);
	session_env(m, &e, conn);
	become(m, &e);
	await_facts(m, &e, p);
	tell_begun(life);
	spawn_exec(m->program, env_vector(&e));
	die_sys(EXIT_TEMP, "%s", m->program[0]);
}
