/*
 * The listener: it accepts, counts and forks, and reads no byte from the
 * network.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mtls.h"

enum { RENEW = 3600, AT_ONCE = 64, PAUSE = 100 };

static struct {
	int fds[SOCKETS_MAX];
	int n;
	int wake[2]; /* signals write here */
	int64_t renew_at;
	bool paused; /* out of descriptors or memory */
	bool fault;  /* a child died of one */
} li;

static volatile sig_atomic_t stopping, hup;

static void
on_signal(int sig)
{
	int err = errno;

	if (sig == SIGTERM || sig == SIGINT)
		stopping = 1;
	if (sig == SIGHUP)
		hup = 1;
	if (write(li.wake[1], "", 1) == -1)
		errno = err; /* full: it is awake already */
	errno = err;
}

static const int caught[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (spawn_pipe(li.wake) == -1)
		die_sys(EXIT_TEMP, "pipe");
	fs_nonblock(li.wake[0], true);
	fs_nonblock(li.wake[1], true);
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		sigaction(caught[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void
announce(const struct mtls *m, int fd, const char *path)
{
	struct logline l;

	log_begin(&l, "listen");
	log_str(&l, "svc", m->service);
	if (path != NULL)
		log_str(&l, "host", path);
	else
		log_num(&l, "port", net_port(fd));
	log_end(&l);
}

/* All of them, before one is announced. */
static void
open_sockets(const struct mtls *m, char *const *addrs, size_t n)
{
	const char *path[SOCKETS_MAX] = { NULL };
	static struct net_addr a[SOCKETS_MAX];

	for (size_t i = 0; i < n; i++)
		if (!net_parse(addrs[i], &a[i]))
			die(EXIT_USAGE, "-l %s: not an address", addrs[i]);
	for (size_t i = 0; i < n; i++) {
		int got = net_listen(&a[i], li.fds + li.n, SOCKETS_MAX - li.n);

		if (got == -1)
			die_sys(EXIT_TEMP, "listen on %s", addrs[i]);
		if (a[i].kind == NET_UNIX)
			path[li.n] = a[i].host;
		li.n += got;
	}
	for (int i = 0; i < li.n; i++)
		announce(m, li.fds[i], path[i]);
}

static bool
is_fault(int status)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
		SIGSYS, SIGTRAP };

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == faults[i])
			return true;
	return false;
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (is_fault(status)) {
			log_error("a connection", spawn_why(status));
			li.fault = true;
		}
		slots_reaped(pid);
	}
}

/* In a child: nothing of the listener's is left. */
static void
leave_listener(void)
{
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		signal(caught[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	slots_files(false);
	for (int i = 0; i < li.n; i++)
		close(li.fds[i]);
	for (size_t i = 0; i < slots.n; i++)
		if (slots.slot[i].life != -1)
			close(slots.slot[i].life);
	close(li.wake[0]);
	close(li.wake[1]);
}

/*
 * Fork the halves of a connection, both as children of the listener: the
 * pid of the program's, or -1 and errno.  In the children life[1] stays
 * open as long as they live.
 */
static pid_t
fork_halves(struct mtls *m, int fd, const char *conn, const int life[2])
{
	bool both = m->mode != MODE_PLAIN;
	struct pairs pairs;
	pid_t pid;
	int err;

	if (both && !pairs_open(&pairs))
		return -1;
	if (both && fork() == 0) {
		close(life[0]);
		leave_listener();
		log_open(conn);
		session_half(m, fd, &pairs);
	}
	pid = fork();
	if (pid == 0) {
		close(life[0]);
		leave_listener();
		session(m, fd, conn, life[1], both ? &pairs : NULL);
	}
	err = errno;
	if (both) {
		pairs_close(&pairs, 0);
		pairs_close(&pairs, 1);
	}
	errno = err;
	return pid;
}

/* Fork a child for fd; false, and errno, when there can't be one. */
static bool
start(struct mtls *m, int fd, const char *conn)
{
	char group[NET_IP_SIZE];
	struct slot *s;
	int life[2], err;
	pid_t pid;

	if (spawn_pipe(life) == -1)
		return false;
	pid = fork_halves(m, fd, conn, life);
	err = errno;
	close(life[1]);
	if (pid != -1) {
		net_peer_group(&m->peer, group);
		s = slots_add(pid, life[0], conn, group);
		if (s != NULL)
			memcpy(s->ip, m->peer.ip, sizeof(s->ip));
		return true;
	}
	close(life[0]);
	errno = err;
	return false;
}

static void
serve(struct mtls *m, int fd)
{
	const char *conn = ident_conn(false), *why;

	if (!net_peer(fd, &m->peer))
		m->peer = (struct net_peer){ 0 };
	why = slots_refuse(m, &m->peer);
	if (why == NULL && !start(m, fd, conn))
		why = strerror(errno);
	if (why != NULL)
		refuse(m, conn, why);
	close(fd);
}

static void
accept_some(struct mtls *m, int sock)
{
	for (int i = 0; i < AT_ONCE && !stopping; i++) {
		int fd = accept(sock, NULL, NULL);

		if (fd == -1) {
			li.paused = errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS;
			if (li.paused)
				log_error("accept", NULL);
			return;
		}
		fs_cloexec(fd, true);
		fs_nonblock(fd, false);
		keys_refresh(m);
		serve(m, fd);
		reap();
	}
}

/* Wait for anything; what was asked of poll is in p, first the sockets. */
static void
await(struct pollfd *p)
{
	size_t n = 0;
	int timeout = li.paused ? PAUSE : deadline_left(li.renew_at);

	for (int i = 0; i < li.n; i++)
		p[n++] = (struct pollfd){ .fd = li.paused ? -1 : li.fds[i],
			.events = POLLIN };
	p[n++] = (struct pollfd){ .fd = li.wake[0], .events = POLLIN };
	for (size_t i = 0; i < slots.n; i++)
		if (slots.slot[i].life != -1)
			p[n++] = (struct pollfd){ .fd = slots.slot[i].life,
				.events = POLLIN };
	li.paused = false;
	if (poll(p, n, timeout) == -1) {
		if (errno != EINTR)
			die_sys(EXIT_OSERR, "poll");
		return;
	}
	for (size_t i = (size_t)li.n + 1; i < n; i++)
		if (p[i].revents != 0)
			slots_alive(p[i].fd);
	for (int i = 0; i < li.n; i++)
		if (p[i].revents == 0)
			p[i].fd = -1;
}

static void
loop(struct mtls *m, char *const *argv, struct pollfd *p)
{
	char waste[64];

	while (!stopping) {
		reap();
		await(p);
		while (read(li.wake[0], waste, sizeof(waste)) > 0)
			continue;
		reap();
		for (int i = 0; i < li.n && !stopping; i++)
			if (p[i].fd != -1 && p[i].revents != 0)
				accept_some(m, li.fds[i]);
		if (stopping ||
		    (!li.fault && !hup && deadline_left(li.renew_at) > 0))
			continue;
		li.fault = false;
		hup = 0;
		li.renew_at = deadline_in(RENEW);
		renew(m, li.fds, li.n, argv);
	}
}

void
listener(struct mtls *m, char *const *addrs, size_t n, char *const *argv)
{
	struct pollfd *p;

	slots_init();
	p = calloc(slots.max + SOCKETS_MAX + 1, sizeof(*p));
	if (p == NULL)
		die_memory();
	li.renew_at = deadline_in(RENEW);
	if (m->mode != MODE_PLAIN)
		keys_load(m);
	if (m->mode != MODE_PLAIN && user_prepare_empty_root() == -1)
		die_sys(EXIT_TEMP, "an empty root");
	spawn_adopt();
	catch_signals();
	li.n = renewed(li.fds);
	if (li.n == 0)
		open_sockets(m, addrs, n);
	log_open(NULL);
	loop(m, argv, p);
	free(p);
}
