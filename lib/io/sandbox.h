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

/* The same, and what opens, makes, renames and removes files. */
int sandbox_files(void);

/*
 * The same, and what makes and removes folders and watches them; and
 * threads, but no process.
 */
int sandbox_folders(void);

/* Whether the kernel keeps to such lists; else limits must do. */
bool sandbox_has_calls(void);

/* What may still be done with a folder and all below it, or with a file. */
enum sandbox_right {
	SANDBOX_READ = 1,    /* read files */
	SANDBOX_LIST = 2,    /* read folders */
	SANDBOX_WRITE = 4,   /* write files that are there */
	SANDBOX_MAKE = 8,    /* make, rename and remove files */
	SANDBOX_FOLDERS = 16 /* and folders */
};

struct sandbox_path {
	const char *path; /* one that is not there stays out of reach */
	unsigned rights;
};

/*
 * Everything else in the file system is out of reach from here on, where
 * the kernel has Landlock with renames between folders (5.19); and so are TCP
 * connections and signals to others, where it knows how.  What is open stays
 * open.  0, or -1 and errno.
 */
int sandbox_paths(const struct sandbox_path *, size_t n);

/* Whether the kernel has Landlock, switched on. */
bool sandbox_has_paths(void);

#endif
