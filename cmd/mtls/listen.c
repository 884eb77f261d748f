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

void
listener_fault(int sig)
{
	log_error("a connection", spawn_why(sig));
	li.fault = true;
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (spawn_fault(status) != 0)
			listener_fault(spawn_fault(status));
		slots_reaped(pid);
	}
}

void
leave_listener(int *keep, size_t n)
{
	for (size_t i = 0; i < sizeof(caught) / sizeof(*caught); i++)
		signal(caught[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	slots_files(false);
	fs_close_others(keep, n);
}

static void
serve(struct mtls *m, int fd)
{
	const char *conn = ident_conn(false), *why;

	if (!net_peer(fd, &m->peer) ||
	    (!m->peer.ipc && m->peer.ip[0] == '\0')) {
		close(fd); /* it has gone already */
		return;
	}
	why = proxy_look(m);
	if (why == NULL)
		why = slots_refuse(m, &m->peer);
	if (why != NULL) {
		close(fd);
	} else {
		net_nodelay(fd);
		net_keepalive(fd);
		launch_prepare(m);
		if (!launch(m, fd, conn))
			why = strerror(errno);
	}
	if (why != NULL)
		refuse(m, conn, why);
}

static void
accept_some(struct mtls *m, int sock)
{
	for (int i = 0; i < AT_ONCE && !stopping; i++) {
		int fd = net_accept(sock);

		if (fd == -1) {
			li.paused = errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS;
			if (li.paused)
				log_error("accept", NULL);
			return;
		}
		keys_refresh(m);
		serve(m, fd);
		reap();
	}
}

/*
 * Wait for anything, and see to all but new connections.  What was asked
 * of poll is in p, first the sockets.
 */
static void
await(struct mtls *m, struct pollfd *p)
{
	size_t n = 0, first;
	int timeout = li.paused ? PAUSE : deadline_left(li.renew_at);

	for (int i = 0; i < li.n; i++)
		p[n++] = (struct pollfd){ .fd = li.paused ? -1 : li.fds[i],
			.events = POLLIN };
	p[n++] = (struct pollfd){ .fd = li.wake[0], .events = POLLIN };
	p[n++] = (struct pollfd){ .fd = launch_fd(), .events = POLLIN };
	first = n;
	n += slots_poll(p + n);
	li.paused = false;
	if (poll(p, n, timeout) == -1) {
		if (errno != EINTR)
			die_sys(EXIT_OSERR, "poll");
		for (int i = 0; i < li.n; i++)
			p[i].fd = -1;
		return;
	}
	if (p[first - 1].revents != 0)
		launch_hear();
	for (size_t i = first; i < n; i++)
		if (p[i].revents != 0)
			slots_heard(m, p[i].fd);
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
		await(m, p);
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

/*
 * Connections may yet ask for TLS when the listener has ended: a child is
 * there for them, and ends with the last.  The sockets are closed before, so
 * that who waits for the listener finds its ports free.
 */
static void
see_off(struct mtls *m, struct pollfd *p)
{
	for (int i = 0; i < li.n; i++)
		close(li.fds[i]);
	li.n = 0;
	if (slots.nparked == 0 || fork() != 0)
		return;
	launch_end();
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	li.renew_at = DEADLINE_NEVER;
	while (slots.nparked > 0) {
		reap();
		await(m, p);
	}
	_exit(EXIT_OK);
}

void
listener(struct mtls *m, char *const *addrs, size_t n, char *const *argv)
{
	struct pollfd *p;

	slots_init();
	p = die_calloc(slots.max + SOCKETS_MAX + 2, sizeof(*p));
	li.renew_at = deadline_in(RENEW);
	if (m->mode != MODE_PLAIN) {
		keys_load(m);
		tls_server_warm(m->ctx);
	}
	if (!m->no_half && user_prepare_empty_root() == -1)
		die_sys(EXIT_TEMP, "an empty root");
	spawn_adopt();
	catch_signals();
	li.n = renewed(li.fds);
	if (li.n == 0)
		open_sockets(m, addrs, n);
	log_open(NULL);
	launch_prepare(m);
	loop(m, argv, p);
	see_off(m, p);
	free(p);
}
