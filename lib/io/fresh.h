/*
 * fresh - what a file on another machine is now
 *
 * Clients of network file systems remember sizes, times and names for
 * seconds (NFS: 3 to 60, FUSE: 1), and what is written goes when they like
 * to, so a lock alone does not say what another node did under it.  These
 * ask the server.  On a local file system they cost what stat does.
 */
#ifndef IO_FRESH_H
#define IO_FRESH_H

#include <stdint.h>

#include "base/die.h"

struct fresh {
	uint64_t ino, size;
	int64_t mtime_ns, ctime_ns;
	unsigned nlink;
};

/*
 * As fstatat, "" being dirfd itself, but from the server.  0, or -1 and
 * errno; a file that another node has removed is ESTALE or ENOENT, or has
 * no link.
 */
MUST int fresh_stat(int dirfd, const char *name, struct fresh *);

/*
 * Set its times, so that what stands between asks the server whether it
 * likes to or not; fresh_stat knows the answer.  For a file that is open to
 * be written.  0, or -1 and errno as above.
 */
MUST int fresh_touch(int fd);

/*
 * The next look at this name, of a file that others replace by rename,
 * leads to the one that is there now.  Nothing is changed, and on a local
 * file system nothing is done.
 */
void fresh_name(int dirfd, const char *name);

/*
 * What was written is with the server, where others see it; that it is on
 * disk is for fsync.  0, or -1 and errno: some of it may not be.
 */
MUST int fresh_flush(int fd);

#endif
