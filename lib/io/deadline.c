#include "io/deadline.h"

#include <errno.h>
#include <poll.h>

int64_t
deadline_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
deadline_in(int64_t seconds)
{
	return deadline_now() + seconds * 1000;
}

int
deadline_left(int64_t deadline)
{
	int64_t left;

	if (deadline == DEADLINE_NEVER)
		return -1;
	left = deadline - deadline_now();
	if (left <= 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

int64_t
unix_now(void)
{
	return (int64_t)time(NULL);
}

int
deadline_wait(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int r = poll(&p, 1, deadline_left(deadline));

		if (r > 0)
			return 0;
		if (r == 0) {
			if (deadline_left(deadline) != 0)
				continue;
			errno = ETIMEDOUT;
			return -1;
		}
		if (errno != EINTR)
			return -1;
	}
}
