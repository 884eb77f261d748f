/*
 * out - buffered bytes to a descriptor
 *
 * Errors are sticky: write freely and check once, at out_flush.  The
 * caller gives the buffer and owns the descriptor.  Works on blocking and
 * non-blocking descriptors; each write waits until the deadline at most.
 */
#ifndef IO_OUT_H
#define IO_OUT_H

#include "base/span.h"

struct out {
	int fd;
	char *buf;
	size_t cap, n;
	int64_t deadline; /* io/deadline.h; DEADLINE_NEVER at out_init */
	int err;          /* the first errno; later output is dropped */
};

void out_init(struct out *, int fd, void *buf, size_t cap);

void out_put(struct out *, struct span);
void out_puts(struct out *, const char *);
void out_putc(struct out *, char);
void out_putu(struct out *, uint64_t);
void out_printf(struct out *, const char *fmt, ...) PRINTF(2, 3); /* 2 KiB */

/* Write what is buffered.  0, or -1 and errno if anything ever failed. */
int out_flush(struct out *);

/* Write all n bytes to fd.  0, or -1 and errno. */
MUST int write_all(int fd, const void *p, size_t n, int64_t deadline);

#endif
