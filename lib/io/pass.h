/*
 * pass - packets with descriptors, between two processes of ours
 */
#ifndef IO_PASS_H
#define IO_PASS_H

#include <sys/types.h>

#include "base/span.h"

enum { PASS_FDS = 5, PASS_MAX = 180000 };

/* Two ends that keep packets whole, close-on-exec. */
MUST int pass_pair(int fd[2]);

/* Send a packet and nfds descriptors.  0, or -1 and errno. */
MUST int pass_send(int fd, struct span, const int *fds, size_t nfds);

/*
 * Receive a packet: its length, 0 when the other end has closed, -1 and
 * errno.  fds gets PASS_FDS descriptors (close-on-exec), -1 where there is
 * none.
 */
MUST ssize_t pass_receive(int fd, void *p, size_t n, int fds[PASS_FDS]);

#endif
