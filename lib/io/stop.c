#include "io/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "io/deadline.h"

static int stop_pipe[2] = { -1, -1 };

/* What is in the pipe stays there: a wait that comes later ends too. */
static void
on_term(int sig)
{
	int err = errno;

	(void)sig;
	if (write(stop_pipe[1], "", 1) == -1)
		errno = err;
	errno = err;
}

void
stop_init(void)
{
	struct sigaction sa = { .sa_handler = on_term, .sa_flags = SA_RESTART };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
}

int
stop_wait(int fd, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = stop_pipe[0], .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int r;

	do {
		r = poll(p, 2, deadline_left(deadline));
	} while (r == -1 && errno == EINTR);
	if (r == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	return r > 0 && p[0].revents != 0 ? 1 : 0;
}

int
stop_fd(void)
{
	return stop_pipe[0];
}
