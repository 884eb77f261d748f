/*
 * fs - files that survive a power cut, locks, names
 */
#ifndef IO_FS_H
#define IO_FS_H

#include <dirent.h>
#include <sys/types.h>

#include "base/buf.h"

/* Close it, unless it is -1.  Keeps errno. */
void fs_close(int fd);

/* Open a directory (close-on-exec) by its path, or below dirfd; -1, errno. */
MUST int fs_open_dir(const char *path);
MUST int fs_open_dir_at(int dirfd, const char *name);

/* To list it: closedir is the caller's.  NULL and errno. */
DIR *fs_list_dir(int dirfd, const char *name);

/* Whether what stands at the path is this open file. */
bool fs_is_at(int fd, const char *path);

/* Write all of it at that place.  0, or -1 and errno. */
MUST int fs_write_at(int fd, struct span, off_t at);

/* fsync the directory dirfd, "" or "." for itself.  0, or -1 and errno. */
MUST int fs_sync_dir(int dirfd, const char *name);

/*
 * Replace name in dirfd by the bytes: written to a temporary name, synced,
 * renamed, directory synced.  0, or -1 and errno, with nothing left
 * behind.
 */
MUST int fs_replace(int dirfd, const char *name, struct span, mode_t mode);

/* Read a whole file into b, up to b's bound (EFBIG).  0, or -1 and errno. */
MUST int fs_read(int dirfd, const char *name, struct buf *b);

/*
 * A file without a name in the directory, read and written, close-on-exec:
 * whatever ends the process, it is gone with it, where the file system can
 * make such a file at once.  The descriptor, or -1 and errno.
 */
MUST int fs_unnamed(const char *dir);

/* mkdir, with the parents, each synced; 0 also when it exists. */
MUST int fs_mkdirs(const char *path, mode_t mode);

/* Remove a directory and all in it.  0, or -1 and errno. */
MUST int fs_remove_tree(int dirfd, const char *name);

/* mtime in nanoseconds of a file below dirfd; -1 and errno. */
int64_t fs_mtime_ns(int dirfd, const char *name);

/*
 * The clock in nanoseconds that gives files below this one their times:
 * that of another machine on a network file system, where fd, a file that
 * may be touched, is asked.  -1: the clock of this one.
 */
int64_t fs_clock_ns(int fd);

/* Set mtime and atime of an open file, seconds. */
MUST int fs_touch(int fd, int64_t t);

/*
 * Lock a whole open file, by fcntl, OFD where there is such a thing, so
 * that closing another descriptor of it does not unlock.  Waits until the
 * deadline: 0; -1 and EAGAIN when another has it.  A deadline of 0 tries
 * once.
 */
MUST int fs_lock(int fd, bool exclusive, int64_t deadline);
void fs_unlock(int fd); /* keeps errno */

/*
 * Lock one byte, there in the file or not, until the descriptor is closed
 * everywhere.  Tries once: 0; -1 and EAGAIN when another has it.
 */
MUST int fs_lock_byte(int fd, off_t at);

/* Fill with random bytes of the kernel; dies when there are none. */
void fs_random(void *p, size_t n);

/* Free bytes of the file system that holds fd; UINT64_MAX if not known. */
uint64_t fs_free_bytes(int fd);

/* The path behind links.  False when there is none, or it does not fit. */
MUST bool fs_real(const char *path, char *to, size_t size);

/*
 * Close every descriptor above 2 but those n of keep, which get sorted;
 * -1 in it is none.  What a launcher left open is nobody's business here.
 */
void fs_close_others(int *keep, size_t n);

/*
 * Whether it is a regular file, or a link to one: the system says so in
 * passing, or it is asked.
 */
bool fs_is_regular(int dirfd, const struct dirent *);

/*
 * Whether the file lies on another machine, where it may change or shrink
 * under a mapping.
 */
bool fs_is_remote(int fd);

/* Close on exec, non-blocking, as wanted.  0 or -1. */
int fs_cloexec(int fd, bool on);
int fs_nonblock(int fd, bool on);

#endif
