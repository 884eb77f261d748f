/*
 * spawn - start a program, and what its end means
 *
 * A name without a slash is looked for first in the folder of the running
 * program, then in `bin` of the file `paths`, then in PATH: another package's
 * mpop or mdeliver that stands first in PATH is not run for ours.  No shell is
 * involved.
 */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H

#include <sys/types.h>

#include "base/die.h"
#include "base/span.h"

/*
 * The path of a program into path; false when there is none that can be
 * executed.
 */
MUST bool spawn_find(const char *name, char *path, size_t size);

/* The folder the running program was started from, "" when not known. */
const char *spawn_self_dir(void);

struct spawn {
	char *const *argv;
	char *const *envp; /* NULL: our own */
	int in, out, err;  /* become 0, 1, 2; -1: /dev/null, and for err ours */
	/* further descriptors: keep_from[i] becomes keep_to[i] (3 or more) */
	int keep_from[5], keep_to[5]; /* four for the caller */
	size_t nkeep;
	bool group; /* lead a process group of its own */
	bool user;  /* become uid and gid, with no other groups */
	uid_t uid;
	gid_t gid;
	const char *dir; /* working directory, or NULL */
};

/*
 * Start it; every other descriptor is closed in the child, signals are
 * reset to their defaults and none is blocked.  The pid, or -1 and errno
 * if the program can't be found or started.
 */
MUST pid_t spawn(const struct spawn *);

/*
 * Wait for pid until the deadline.  Returns its wait status; past the
 * deadline its process group (or it alone) gets SIGTERM, after 2 s
 * SIGKILL, and the status is that of the signal.  -1 and errno if there is
 * no such child.
 */
int spawn_wait(pid_t pid, bool group, int64_t deadline);

/*
 * The exit-status contract of transports and filters: 0 is OK; 65, 67,
 * 68, 69, 77 and qmail's 100 are PERM; qmail's 99 is OK (see
 * spawn_dropped); everything else, signals included, is TEMP.
 */
enum verdict spawn_verdict(int wait_status);

/* Whether the status is qmail's 99: take it and drop it. */
bool spawn_dropped(int wait_status);

/*
 * The signal that a program died of, if it tells of a fault and not of a
 * wish to end it; else 0.
 */
int spawn_fault(int wait_status);

/* "exit 75" or "signal 9" into a static buffer, for the log. */
const char *spawn_why(int wait_status);

/* exec in place of ourselves, by the same rules; returns -1 and errno. */
int spawn_exec(char *const *argv, char *const *envp);

/*
 * Orphans below us become our children, where the system knows that
 * (Linux; elsewhere they are init's): survives exec.
 */
void spawn_adopt(void);

/* A pipe or a stream socket pair whose ends are close-on-exec. */
MUST int spawn_pipe(int fd[2]);
MUST int spawn_socketpair(int fd[2]);

#endif
