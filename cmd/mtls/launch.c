/*
 * The processes of a connection.  The program is one that waits for it
 * ready, or is executed; the TLS half runs from the start where it has to
 * say something first, else it is forked when the program asks for it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/ready.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mtls.h"

static struct ready ready;

void
launch_prepare(struct mtls *m)
{
	static struct env e;

	if (!ready_due(&ready))
		return;
	env_init(&e);
	if (m->become && m->uid != 0)
		env_set(&e, "HOME", SPAN("/"));
	slots_files(false);
	if (!ready_start(&ready, m->program, &e, m->become, m->uid, m->gid))
		errno = 0; /* it is executed for each connection */
	slots_files(true);
	env_free(&e);
}

int
launch_fd(void)
{
	return ready.pid != 0 ? ready.fd : -1;
}

void
launch_hear(void)
{
	int sig = ready_hear(&ready);

	if (sig > 0)
		listener_fault(sig);
	else if (sig == -1 && ready.useless)
		log_error(ready.path, "is not ready: executed each time");
}

void
launch_end(void)
{
	ready_end(&ready);
	ready.useless = true;
}

static pid_t
fork_half(struct mtls *m, int fd, const char *conn, struct pairs *p)
{
	int keep[] = { fd, p->data[1], p->ctl[1], user_empty_root_fd() };
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	leave_listener(keep, sizeof(keep) / sizeof(*keep));
	log_open(conn);
	session_half(m, fd, p);
}

static pid_t
fork_program(
    struct mtls *m, int fd, const char *conn, int life, struct pairs *p)
{
	int keep[6] = { fd, life };
	size_t n = 2;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (int i = 0; p != NULL && i < 2; i++) {
		keep[n++] = p->data[i];
		keep[n++] = p->ctl[i];
	}
	leave_listener(keep, n);
	session(m, fd, conn, life, p);
}

/* Whether the program that is ready has taken it. */
static bool
hand_over(const struct mtls *m, int fd, const char *conn, int life,
    const struct pairs *p)
{
	static struct env e = { .text.max = LIMIT_ENV_TOTAL };
	struct ready_conn c = { .sock = fd,
		.life = life,
		.ctl = p != NULL ? p->ctl[0] : -1,
		.data = -1,
		.facts = session_facts(m),
		.wait = m->handshake + 5,
		.env = &e };

	if (!ready_serves(&ready))
		return false;
	if (m->mode == MODE_IMPLICIT)
		c.sock = p->data[0];
	if (m->mode == MODE_STARTTLS)
		c.data = p->data[0];
	buf_clear(&e.text);
	e.n = 0;
	session_env(m, &e, conn);
	return ready_send(&ready, &c) == 0;
}

/*
 * Whether its TLS half is to run from the start: it has something to say
 * before the program can be started, or there are not enough descriptors
 * to keep for later what it needs.
 */
static bool
eager(const struct mtls *m)
{
	return session_facts(m) != 0 || slots.nparked >= slots.max_parked;
}

/*
 * Start the halves; in s is then what is to be waited for.  False, and
 * errno, when the program can't be.
 */
static bool
start_halves(
    struct mtls *m, int fd, const char *conn, struct slot *s, struct pairs *p)
{
	int life[2], err;

	if (spawn_pipe(life) == -1)
		return false;
	if (p != NULL && eager(m))
		s->half = fork_half(m, fd, conn, p);
	s->begun = session_facts(m) == 0;
	if (s->half != -1 && !hand_over(m, fd, conn, life[1], p))
		s->pid = fork_program(m, fd, conn, life[1], p);
	err = errno;
	close(life[1]);
	if (s->half != -1 && s->pid != -1) {
		s->life = life[0];
		return true;
	}
	close(life[0]); /* a half that runs sees that it is alone */
	errno = err;
	return false;
}

bool
launch(struct mtls *m, int fd, const char *conn)
{
	struct slot *s = slots_add(conn, &m->peer);
	struct pairs pairs, *p = session_has_half(m) ? &pairs : NULL;
	bool ok;
	int err;

	/* the clients of a proxy are not one */
	if (s != NULL && m->proxied)
		s->group[0] = '\0';
	if (s == NULL || (p != NULL && !pairs_open(p))) {
		err = errno;
		ok = false;
	} else {
		ok = start_halves(m, fd, conn, s, p);
		err = errno;
		if (p != NULL)
			pairs_close(p, 0);
		if (p != NULL && (!ok || s->half != 0))
			pairs_close(p, 1);
	}
	if (ok && p != NULL && s->half == 0)
		slots_park(s, &(struct parked){ fd, p->data[1], p->ctl[1] });
	else
		close(fd);
	if (!ok && s != NULL)
		slots.n--;
	errno = err;
	return ok;
}

void
launch_half(struct mtls *m, struct slot *s)
{
	struct pairs p = { { -1, s->parked.data }, { -1, s->parked.ctl } };
	char c;

	if (recv(s->parked.ctl, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1) {
		m->peer = (struct net_peer){ .uid = -1, .gid = -1, .pid = -1 };
		memcpy(m->peer.ip, s->ip, sizeof(s->ip));
		keys_refresh(m);
		s->half = fork_half(m, s->parked.net, s->conn, &p);
		if (s->half == -1) {
			refuse(m, s->conn, strerror(errno));
			s->half = 0;
		}
	}
	slots_unpark(s);
}
