/*
 * sandbox - give up what a process will not need again
 *
 * Irrevocable and inherited by exec.  Where the kernel has no Landlock or
 * no seccomp, the rest still holds.
 */
#ifndef IO_SANDBOX_H
#define IO_SANDBOX_H

#include "base/span.h"

/*
 * No new privileges, no core file, no new process if nproc is set; memory
 * of at most `memory` bytes of address space (0: leave).  0 or -1.
 */
int sandbox_limits(bool no_fork, uint64_t memory);

/*
 * Only what moves bytes between open descriptors: read, write, poll,
 * close, exit, signals, time, memory; no open, socket, exec, fork.  A
 * forbidden call fails with EPERM; what is dangerous kills.
 */
int sandbox_streams(void);

#endif
