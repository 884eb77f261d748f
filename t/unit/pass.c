/* pass: descriptors, never more than there is room for */
#include "io/pass.h"

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum { MANY = PASS_FDS + 1 };

static unsigned
count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

/* What pass_send would not: n descriptors with one byte. */
static bool
send_raw(int to, size_t n)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(MANY * sizeof(int))];
	} c = { .head.cmsg_len = CMSG_LEN(n * sizeof(int)) };
	struct iovec v = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &c,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	int fds[MANY] = { 0 };

	c.head.cmsg_level = SOL_SOCKET;
	c.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&c.head), fds, n * sizeof(int));
	return sendmsg(to, &m, 0) == 1;
}

static void
test_many(void)
{
	struct {
		int fds[PASS_FDS], behind;
	} got = { .behind = -7 };
	unsigned before;
	int pair[2];
	char c;

	check(pass_pair(pair) == 0);
	before = count_open();
	check(send_raw(pair[0], MANY));
	check(pass_receive(pair[1], &c, 1, got.fds) == 1 && c == 'x');
	check(got.behind == -7);
	for (size_t i = 0; i < PASS_FDS; i++)
		check(got.fds[i] > STDERR_FILENO && close(got.fds[i]) == 0);
	check(count_open() == before);
	check(send_raw(pair[0], 2));
	check(pass_receive(pair[1], &c, 1, got.fds) == 1);
	check(got.fds[1] != -1 && got.fds[2] == -1);
	close(got.fds[0]);
	close(got.fds[1]);
	check(count_open() == before);
	check(pass_send(pair[0], SPAN("x"), got.fds, MANY) == -1 &&
	    errno == EINVAL);
	close(pair[0]);
	check(pass_receive(pair[1], &c, 1, got.fds) == 0);
	close(pair[1]);
}

int
main(void)
{
	test_many();
	return done();
}
