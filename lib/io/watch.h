/*
 * watch - be told when files and directories change
 *
 * One descriptor for poll(2), which becomes readable when anything that
 * is watched has changed; what has changed is the caller's to find out.
 * The number of these is limited by user (128 is usual): who is refused
 * has to look from time to time.
 */
#ifndef IO_WATCH_H
#define IO_WATCH_H

#include "base/span.h"

/* A descriptor to close; -1 and errno where there is no such thing. */
MUST int watch_open(void);

/* Names in a directory that come, go or change.  0, or -1 and errno. */
MUST int watch_dir(int watch, const char *path);

/* Bytes of a file.  A file of that name that is made later is not seen. */
MUST int watch_file(int watch, const char *path);

/* Eat what there is to be read; whether there was anything. */
bool watch_drain(int watch);

/* As watch_dir, and also names whose times or mode change. */
MUST int watch_dir_attrs(int watch, const char *path);

/*
 * Eat what there is, and call f for each name that came (`came`) or was
 * changed.  False when some were lost: look at the whole directory.
 */
bool watch_names(
    int watch, void (*f)(void *ctx, const char *name, bool came), void *ctx);

/*
 * Names in a directory, and bytes of its files.  A number by which
 * watch_each names it (the same for the same directory), -1 and errno.
 */
MUST int watch_add(int watch, const char *path);

/* Eat what there is and name where it was, often more than once.  False:
 * something was lost, and anything may have changed. */
MUST bool watch_each(int watch, void (*f)(void *ctx, int number), void *ctx);

#endif
