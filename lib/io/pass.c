#include "io/pass.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int
pass_pair(int fd[2])
{
	int size = 2 * PASS_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(PASS_FDS * sizeof(int))];
};

int
pass_send(int fd, struct span s, const int *fds, size_t nfds)
{
	struct iovec v = { (void *)(uintptr_t)s.p, s.n };
	union control c = { .head.cmsg_len = CMSG_LEN(nfds * sizeof(int)) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	if (nfds > PASS_FDS) {
		errno = EINVAL;
		return -1;
	}
	if (nfds > 0) {
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&c.head), fds, nfds * sizeof(int));
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/* There may be one more than asked for: control data is padded. */
static size_t
take_fds(const struct cmsghdr *h, int fds[PASS_FDS], size_t have)
{
	size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
		if (have < PASS_FDS)
			fds[have++] = fd;
		else
			close(fd);
	}
	return have;
}

ssize_t
pass_receive(int fd, void *p, size_t max, int fds[PASS_FDS])
{
	struct iovec v = { p, max };
	union control c;
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &c,
		.msg_controllen = sizeof(c) };
	size_t have = 0;
	ssize_t n;

	for (int i = 0; i < PASS_FDS; i++)
		fds[i] = -1;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h != NULL;
	     h = CMSG_NXTHDR(&m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
			have = take_fds(h, fds, have);
	return n;
}
