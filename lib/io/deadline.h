/*
 * deadline - absolute points in time after which a wait is given up
 *
 * Milliseconds of the monotonic clock.  A deadline is taken once and
 * passed down, so a peer that drips one byte at a time can't extend it.
 * DEADLINE_NEVER is no deadline.
 */
#ifndef IO_DEADLINE_H
#define IO_DEADLINE_H

#include "base/span.h"

#define DEADLINE_NEVER INT64_MAX

int64_t deadline_now(void);
int64_t deadline_in(int64_t seconds);

/* Milliseconds left, for poll: 0 when past, -1 for never. */
int deadline_left(int64_t deadline);

/* Seconds since 1970, of the wall clock. */
int64_t unix_now(void);

/*
 * Wait until fd is ready for events of poll(2).  0 ready, -1 and errno
 * (ETIMEDOUT at the deadline).
 */
MUST int deadline_wait(int fd, short events, int64_t deadline);

#endif
