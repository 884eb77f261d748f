#include "io/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/fs.h"

enum { BACKLOG = 1024, PATIENCE_EACH = 30 };

static bool
parse_port(struct span s, uint16_t *port)
{
	uint32_t p;

	if (!num_u32(s, &p) || p > 65535)
		return false;
	*port = (uint16_t)p;
	return true;
}

/* HOST:PORT / [V6]:PORT / :PORT / unix:PATH / fd:N */
bool
net_parse(const char *text, struct net_addr *a)
{
	struct span s = span_of(text), host;
	size_t colon = span_rchr(s, ':');
	uint32_t fd;

	*a = (struct net_addr){ .fd = -1 };
	if (span_starts(s, "unix:")) {
		a->kind = NET_UNIX;
		span_take(&s, 5);
		return s.n > 0 && span_cstr(s, a->host, sizeof(a->host));
	}
	if (span_starts(s, "fd:")) {
		a->kind = NET_FD;
		span_take(&s, 3);
		if (!num_u32(s, &fd) || fd > INT32_MAX)
			return false;
		a->fd = (int)fd;
		return true;
	}
	a->kind = NET_TCP;
	if (colon == s.n ||
	    !parse_port(
		(struct span){ s.p + colon + 1, s.n - colon - 1 }, &a->port))
		return false;
	host = (struct span){ s.p, colon };
	if (host.n > 0 && *host.p == '[') {
		if (host.n < 3 || host.p[host.n - 1] != ']')
			return false;
		host = (struct span){ host.p + 1, host.n - 2 };
	} else if (span_chr(host, ':') != host.n) {
		return false; /* a v6 address wants its brackets */
	}
	return span_cstr(host, a->host, sizeof(a->host));
}

static struct addrinfo *
resolve(const struct net_addr *a, int flags, int *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", (unsigned)a->port);
	*err = getaddrinfo(
	    a->host[0] == '\0' ? NULL : a->host, port, &hints, &list);
	return *err == 0 ? list : NULL;
}

static int
listen_one(const struct addrinfo *ai)
{
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	fs_close(fd);
	return -1;
}

static int
listen_tcp(const struct net_addr *a, int *fds, int max)
{
	int n = 0, gai, err = EADDRNOTAVAIL;
	struct addrinfo *list = resolve(a, AI_PASSIVE, &gai);

	for (struct addrinfo *ai = list; ai != NULL && n < max;
	     ai = ai->ai_next) {
		fds[n] = listen_one(ai);
		if (fds[n] != -1)
			n++;
		else if (errno != EAFNOSUPPORT)
			err = errno;
	}
	if (list != NULL)
		freeaddrinfo(list);
	/* with one of two families in use by another, do not half serve */
	if (n > 0 && err == EADDRINUSE) {
		while (n > 0)
			close(fds[--n]);
	}
	errno = err;
	return n > 0 ? n : -1;
}

static bool
unix_name(const struct net_addr *a, struct sockaddr_un *un)
{
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(a->host) >= sizeof(un->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(un->sun_path, a->host, strlen(a->host));
	return true;
}

static int
connect_unix(const struct net_addr *a)
{
	struct sockaddr_un un;
	int fd;

	if (!unix_name(a, &un))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	fs_close(fd);
	return -1;
}

static int
listen_unix(const struct net_addr *a, int *fds)
{
	struct sockaddr_un un;
	struct stat st;

	if (!unix_name(a, &un))
		return -1;
	fds[0] = connect_unix(a);
	if (fds[0] != -1) {
		close(fds[0]);
		errno = EADDRINUSE;
		return -1;
	}
	if (lstat(a->host, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(a->host);
	fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fds[0] == -1)
		return -1;
	if (bind(fds[0], (struct sockaddr *)&un, sizeof(un)) == 0 &&
	    chmod(a->host, 0666) == 0 && listen(fds[0], BACKLOG) == 0)
		return 1;
	fs_close(fds[0]);
	return -1;
}

static bool
is_listening(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == -1)
		return false;
	errno = EINVAL;
	return on != 0;
}

int
net_listen(const struct net_addr *a, int *fds, int max)
{
	switch (a->kind) {
	case NET_TCP:
		return listen_tcp(a, fds, max);
	case NET_UNIX:
		return listen_unix(a, fds);
	case NET_FD:
		if (!is_listening(a->fd) || fs_cloexec(a->fd, true) == -1 ||
		    fs_nonblock(a->fd, true) == -1)
			return -1;
		fds[0] = a->fd;
		return 1;
	}
	return -1;
}

int
net_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

uint16_t
net_port(int fd)
{
	struct net_peer p;

	return net_peer(fd, &p) ? p.local_port : 0;
}

static int
connect_one(const struct addrinfo *ai, int64_t deadline)
{
	int64_t each = deadline_in(PATIENCE_EACH);
	socklen_t len = sizeof(int);
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd == -1)
		return -1;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1) {
		err = errno;
		if (err == EINPROGRESS) {
			if (deadline_wait(fd, POLLOUT,
				each < deadline ? each : deadline) == -1)
				err = errno;
			else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err,
				     &len) == -1)
				err = errno;
		}
	}
	if (err == 0) {
		fs_nonblock(fd, false);
		net_nodelay(fd);
		return fd;
	}
	close(fd);
	errno = err;
	return -1;
}

int
net_connect(const struct net_addr *a, int64_t deadline, bool *temp)
{
	struct addrinfo *list;
	int fd = -1, gai, err;

	*temp = true;
	if (a->kind == NET_FD)
		return fcntl(a->fd, F_DUPFD_CLOEXEC, 3);
	if (a->kind == NET_UNIX)
		return connect_unix(a);
	list = resolve(a, 0, &gai);
	if (list == NULL) {
		*temp = gai != EAI_NONAME;
		errno = EHOSTUNREACH;
		return -1;
	}
	for (struct addrinfo *ai = list; ai != NULL && fd == -1;
	     ai = ai->ai_next)
		fd = connect_one(ai, deadline);
	err = errno;
	freeaddrinfo(list);
	errno = err;
	return fd;
}

static void
put_ip(const struct sockaddr_storage *ss, char *ip, uint16_t *port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

	ip[0] = '\0';
	*port = 0;
	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, ip, NET_IP_SIZE);
		*port = ntohs(v4->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, ip,
			    NET_IP_SIZE);
		else
			inet_ntop(AF_INET6, &v6->sin6_addr, ip, NET_IP_SIZE);
		*port = ntohs(v6->sin6_port);
	}
}

bool
net_peer(int fd, struct net_peer *p)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	struct ucred who;
	socklen_t wlen = sizeof(who);

	*p = (struct net_peer){ .uid = -1, .gid = -1, .pid = -1 };
	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return false;
	put_ip(&ss, p->local_ip, &p->local_port);
	p->ipc = ss.ss_family == AF_UNIX;
	if (p->ipc &&
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &wlen) == 0) {
		p->uid = (long)who.uid;
		p->gid = (long)who.gid;
		p->pid = (long)who.pid;
	}
	len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len) == 0)
		put_ip(&ss, p->ip, &p->port);
	return true;
}

/* An address from the environment, in its usual spelling. */
static bool
env_ip(const char *name, char *ip)
{
	const char *v = getenv(name);
	unsigned char bytes[16];

	if (v == NULL || strlen(v) >= NET_IP_SIZE ||
	    (inet_pton(AF_INET, v, bytes) != 1 &&
		inet_pton(AF_INET6, v, bytes) != 1))
		return false;
	snprintf(ip, NET_IP_SIZE, "%s",
	    span_istarts(span_of(v), "::ffff:") && strchr(v, '.') != NULL
		? v + 7
		: v);
	return true;
}

static void
env_num(const char *name, uint64_t max, uint64_t *v)
{
	const char *s = getenv(name);

	if (s != NULL)
		*v = num_or(span_of(s), max, *v);
}

/* An account or process, -1 when not known. */
static long
env_id(const char *name)
{
	uint64_t v = UINT32_MAX;

	env_num(name, UINT32_MAX, &v);
	return v == UINT32_MAX ? -1 : (long)v;
}

/* The socket is asked for what the launcher did not say. */
static void
tcp_env(int fd, struct net_peer *p)
{
	uint64_t v = 0;

	env_num("TCPREMOTEPORT", 65535, &v);
	p->port = (uint16_t)v;
	v = 0;
	if (env_ip("TCPLOCALIP", p->local_ip)) {
		env_num("TCPLOCALPORT", 65535, &v);
		p->local_port = (uint16_t)v;
	} else {
		struct net_peer socket;

		if (net_peer(fd, &socket)) {
			memcpy(p->local_ip, socket.local_ip, NET_IP_SIZE);
			p->local_port = socket.local_port;
		}
	}
}

bool
net_peer_env(int fd, struct net_peer *p)
{
	const char *proto = getenv("PROTO");

	*p = (struct net_peer){ .uid = -1, .gid = -1, .pid = -1 };
	if (proto != NULL && strncmp(proto, "TCP", 3) == 0 &&
	    env_ip("TCPREMOTEIP", p->ip)) {
		tcp_env(fd, p);
		return true;
	}
	if (proto != NULL && strcmp(proto, "IPC") == 0) {
		*p = (struct net_peer){ .ipc = true };
		p->uid = env_id("IPCREMOTEEUID");
		p->gid = env_id("IPCREMOTEEGID");
		p->pid = env_id("IPCREMOTEPID");
		return true;
	}
	return net_peer(fd, p);
}

void
net_peer_group(const struct net_peer *p, char group[NET_IP_SIZE])
{
	unsigned char v6[16];

	if (p->ipc && p->uid >= 0) {
		snprintf(group, NET_IP_SIZE, "uid:%ld", p->uid);
	} else if (inet_pton(AF_INET6, p->ip, v6) == 1) {
		memset(v6 + 8, 0, 8);
		inet_ntop(AF_INET6, v6, group, NET_IP_SIZE);
	} else {
		snprintf(group, NET_IP_SIZE, "%s", p->ip);
	}
}

bool
net_is_loopback(const struct net_peer *p)
{
	return p->ipc || strncmp(p->ip, "127.", 4) == 0 ||
	    strcmp(p->ip, "::1") == 0;
}

void
net_nodelay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void
net_keepalive(int fd)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}
