/*
 * stop - SIGTERM asks a session to end where it can
 *
 * A session finishes what it does, then waits for input with stop_wait,
 * which a SIGTERM ends, whenever it comes.  Elsewhere the signal
 * interrupts nothing.
 */
#ifndef IO_STOP_H
#define IO_STOP_H

#include <stdint.h>

#include "base/span.h"

/* Catch SIGTERM from now on.  What is exec'd does not. */
void stop_init(void);

/*
 * Wait until fd can be read: 0, also when it is better to try a read; 1
 * when the process was asked to end; -1 and ETIMEDOUT at the deadline.
 * An fd of -1 is none: a pause.
 */
MUST int stop_wait(int fd, int64_t deadline);

/*
 * For a poll of one's own: can be read once the process was asked to end.
 * -1 before stop_init, which poll passes over.
 */
int stop_fd(void);

#endif
