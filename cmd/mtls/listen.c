/*
 * The listener: it accepts, counts and forks, and reads no byte from the
 * network.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/spawn.h"
#include "mtls.h"

enum { SOCKETS_MAX = 32, RENEW = 3600, FULL_NUM = 7, FULL_DEN = 8 };

/* A connection that lasts. */
struct slot {
	pid_t pid;
	int starting; /* a pipe that closes when its program starts; or -1 */
	char ip[NET_IP_SIZE];
};

static struct {
	int fds[SOCKETS_MAX];
	int n;
	struct slot *slots;
	size_t nslots, max, max_address;
	int wake[2]; /* signals write here */
	int64_t renew_at;
	bool renew; /* a child died of a fault */
} li;

static volatile sig_atomic_t stopping;

static void
on_signal(int sig)
{
	int err = errno;

	if (sig == SIGTERM || sig == SIGINT)
		stopping = 1;
	if (write(li.wake[1], "", 1) == -1)
		errno = err; /* full: it is awake already */
	errno = err;
}

static void
catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (spawn_pipe(li.wake) == -1)
		die_sys(EXIT_TEMP, "pipe");
	fs_nonblock(li.wake[0], true);
	fs_nonblock(li.wake[1], true);
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGHUP, SIG_IGN);
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

static void
open_sockets(const struct mtls *m, char *const *addrs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct net_addr a;
		int got;

		if (!net_parse(addrs[i], &a))
			die(EXIT_USAGE, "-l %s: not an address", addrs[i]);
		got = net_listen(&a, li.fds + li.n, SOCKETS_MAX - li.n);
		if (got == -1)
			die_sys(EXIT_TEMP, "listen on %s", addrs[i]);
		for (int k = li.n; k < li.n + got; k++)
			announce(
			    m, li.fds[k], a.kind == NET_UNIX ? a.host : NULL);
		li.n += got;
	}
}

static void
free_slot(size_t i)
{
	if (li.slots[i].starting != -1)
		close(li.slots[i].starting);
	li.slots[i] = li.slots[--li.nslots];
}

static bool
is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL ||
	    sig == SIGFPE || sig == SIGABRT || sig == SIGSYS;
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && is_fault(WTERMSIG(status))) {
			log_error("a connection", spawn_why(status));
			li.renew = true;
		}
		for (size_t i = 0; i < li.nslots; i++)
			if (li.slots[i].pid == pid) {
				free_slot(i);
				break;
			}
	}
}

static size_t
of_address(const char *ip)
{
	size_t n = 0;

	for (size_t i = 0; i < li.nslots; i++)
		n += strcmp(li.slots[i].ip, ip) == 0;
	return n;
}

/*
 * End the oldest connection (of this address, unless NULL) whose program
 * has not started: a silent handshake does not hold a slot.
 */
static bool
end_a_handshake(const char *ip)
{
	struct slot *oldest = NULL;

	for (size_t i = 0; i < li.nslots; i++) {
		struct slot *s = &li.slots[i];

		if (s->starting != -1 &&
		    (ip == NULL || strcmp(s->ip, ip) == 0) &&
		    (oldest == NULL || s->pid < oldest->pid))
			oldest = s;
	}
	if (oldest == NULL)
		return false;
	kill(oldest->pid, SIGKILL);
	close(oldest->starting);
	oldest->starting = -1;
	/* its slot is free now; its end is reaped without one */
	free_slot((size_t)(oldest - li.slots));
	return true;
}

/* Refuse some at random from seven eighths on, and all when full. */
static bool
drops_at_random(void)
{
	size_t start = li.max * FULL_NUM / FULL_DEN;
	uint32_t dice;

	if (li.nslots < start || li.max == start)
		return false;
	fs_random(&dice, sizeof(dice));
	return dice % (li.max - start) < li.nslots - start;
}

static const char *
refusal(const struct net_peer *p)
{
	if (p->ip[0] != '\0' && of_address(p->ip) >= li.max_address &&
	    !end_a_handshake(p->ip))
		return "too many connections of this address";
	if ((li.nslots >= li.max || drops_at_random()) &&
	    !end_a_handshake(NULL))
		return "too many connections";
	return NULL;
}

_Noreturn static void
child(struct mtls *m, int fd, int starting)
{
	sigset_t none;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; i < li.n; i++)
		close(li.fds[i]);
	for (size_t i = 0; i < li.nslots; i++)
		if (li.slots[i].starting != -1)
			close(li.slots[i].starting);
	close(li.wake[0]);
	close(li.wake[1]);
	/* closed by the exec of the program, or by our end */
	if (fcntl(starting, F_SETFD, FD_CLOEXEC) == -1)
		_exit(EXIT_TEMP);
	session(m, fd, false);
}

static void
serve(struct mtls *m, int fd)
{
	struct net_peer peer = { 0 };
	struct logline l;
	const char *why;
	int starting[2];
	pid_t pid;

	net_peer(fd, &peer);
	why = refusal(&peer);
	if (why == NULL && spawn_pipe(starting) == -1)
		why = strerror(errno);
	if (why != NULL) {
		log_begin(&l, "refuse");
		log_str(&l, "peer", peer.ip);
		log_str(&l, "svc", m->service);
		log_str(&l, "why", why);
		log_end(&l);
		close(fd);
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(starting[0]);
		child(m, fd, starting[1]);
	}
	close(fd);
	close(starting[1]);
	if (pid == -1) {
		log_error("fork", NULL);
		close(starting[0]);
		return;
	}
	li.slots[li.nslots] =
	    (struct slot){ .pid = pid, .starting = starting[0] };
	memcpy(li.slots[li.nslots++].ip, peer.ip, sizeof(peer.ip));
}

static void
accept_all(struct mtls *m, int sock)
{
	for (int i = 0; i < 64 && !stopping; i++) {
		int fd = accept(sock, NULL, NULL);

		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS)
				log_error("accept", NULL);
			return;
		}
		fs_cloexec(fd, true);
		fs_nonblock(fd, false);
		if (m->ctx != NULL)
			keys_refresh(m);
		serve(m, fd);
		reap();
	}
}

/* Sockets and connections that are handed over: "l FD" and "s PID IP". */
static void
renew(char *const *argv)
{
	static struct buf state = { .max = 1 << 20 };
	char path[LIMIT_PATH];

	li.renew = false;
	li.renew_at = deadline_in(RENEW);
	buf_clear(&state);
	for (int i = 0; i < li.n; i++)
		buf_printf(&state, "%sl%d", i > 0 ? "," : "", li.fds[i]);
	for (size_t i = 0; i < li.nslots; i++)
		buf_printf(
		    &state, ",s%ld %s", (long)li.slots[i].pid, li.slots[i].ip);
	if (state.over || state.n > 100000 ||
	    !spawn_find("mtls", path, sizeof(path)))
		return; /* too many to hand over now */
	if (setenv("PNEU_MTLS_STATE", buf_cstr(&state), 1) == -1)
		return;
	for (int i = 0; i < li.n; i++)
		fs_cloexec(li.fds[i], false);
	execv(path, argv);
	log_error(path, NULL);
	unsetenv("PNEU_MTLS_STATE");
	for (int i = 0; i < li.n; i++)
		fs_cloexec(li.fds[i], true);
}

static bool
take_over(void)
{
	struct span s = span_of(getenv("PNEU_MTLS_STATE"));

	if (s.n == 0)
		return false;
	while (s.n > 0) {
		struct span one = span_cut(&s, ','), pid;
		char kind = one.n > 0 ? *one.p : '\0';
		uint32_t n;

		if (one.n > 0)
			span_take(&one, 1);
		pid = span_cut(&one, ' ');
		if (!num_u32(pid, &n))
			continue;
		if (kind == 'l' && li.n < SOCKETS_MAX) {
			li.fds[li.n] = (int)n;
			fs_cloexec(li.fds[li.n++], true);
		} else if (kind == 's' && li.nslots < li.max) {
			struct slot *slot = &li.slots[li.nslots++];

			*slot =
			    (struct slot){ .pid = (pid_t)n, .starting = -1 };
			if (!span_cstr(one, slot->ip, sizeof(slot->ip)))
				slot->ip[0] = '\0';
		}
	}
	unsetenv("PNEU_MTLS_STATE");
	return li.n > 0;
}

/* Those whose pipe has closed have started. */
static void
note_started(const struct pollfd *p, size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; p[k].revents != 0 && i < li.nslots; i++)
			if (li.slots[i].starting == p[k].fd) {
				close(p[k].fd);
				li.slots[i].starting = -1;
				break;
			}
}

static void
loop(struct mtls *m, char *const *argv, struct pollfd *p)
{
	char waste[64];

	while (!stopping) {
		size_t n = 0, first;

		p[n++] = (struct pollfd){ .fd = li.wake[0], .events = POLLIN };
		for (int i = 0; i < li.n; i++)
			p[n++] = (struct pollfd){ .fd = li.fds[i],
				.events = POLLIN };
		first = n;
		for (size_t i = 0; i < li.nslots; i++)
			if (li.slots[i].starting != -1)
				p[n++] =
				    (struct pollfd){ .fd =
							 li.slots[i].starting };
		if (poll(p, n, deadline_left(li.renew_at)) == -1 &&
		    errno != EINTR)
			die_sys(EXIT_OSERR, "poll");
		while (read(li.wake[0], waste, sizeof(waste)) > 0)
			continue;
		reap();
		note_started(p + first, n - first);
		for (int i = 0; i < li.n && !stopping; i++)
			if (p[1 + i].revents != 0)
				accept_all(m, li.fds[i]);
		if (!stopping && (li.renew || deadline_left(li.renew_at) == 0))
			renew(argv);
	}
}

void
listener(struct mtls *m, char *const *addrs, size_t n, char *const *argv)
{
	struct pollfd *p;

	li.max =
	    conf_limit("connections", LIMIT_CONNECTIONS_MAX, LIMIT_CONNECTIONS);
	li.max_address = conf_limit("connections-per-address",
	    LIMIT_CONNECTIONS_MAX, LIMIT_CONNECTIONS_ADDRESS);
	if (li.max == 0)
		li.max = 1;
	li.slots = calloc(li.max, sizeof(*li.slots));
	p = calloc(li.max + SOCKETS_MAX + 1, sizeof(*p));
	if (li.slots == NULL || p == NULL)
		die_memory();
	li.renew_at = deadline_in(RENEW);
	if (m->mode != MODE_PLAIN)
		keys_load(m);
	catch_signals();
	if (!take_over())
		open_sockets(m, addrs, n);
	loop(m, argv, p);
	for (int i = 0; i < li.n; i++)
		close(li.fds[i]);
	free(p);
}
