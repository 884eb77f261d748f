/*
 * ahead - files that are opened and read before their turn comes
 *
 * Who reads the files of a folder one after another names a few in advance.
 * A thread opens these and reads their fronts meanwhile, since the system's
 * part takes as long as a look at what is in them, and on a disk or a
 * network is mostly waiting.  Who waits for it reads with it.
 *
 * The thread touches nothing but the memory that is made here, and no signal
 * goes to it.  What could not be had ahead (no thread, a file that was
 * renamed or is empty) is left to the caller, who opens it as if nothing had
 * been asked.
 */
#ifndef IO_AHEAD_H
#define IO_AHEAD_H

#include "base/limits.h"
#include "base/span.h"

enum { AHEAD_PATH = 512 };

enum ahead_want {
	AHEAD_HEAD, /* to the first empty line; a page is read */
	AHEAD_ALL   /* to the end; LIMIT_AHEAD_FRONT bytes are read */
};

/* A file that was read. */
struct ahead_file {
	struct span front; /* its first bytes */
	int fd;            /* behind these; -1: they are all that was wanted */
	bool ended;        /* they are all of it */
	uint64_t size;     /* of the file */
};

struct ahead;

/*
 * Start the thread.  dirfd stays the caller's and must outlive it.  NULL
 * when it, or so many descriptors, can't be had.
 */
struct ahead *ahead_begin(int dirfd, enum ahead_want);

/* Wait for what is being read, and forget it.  NULL is none.  Keeps errno. */
void ahead_end(struct ahead *);

/*
 * Files are asked for in batches of LIMIT_AHEAD: ask while there is room,
 * which is so when the batch before is being taken from, and then go.  The
 * name, below dirfd, is shorter than AHEAD_PATH, and the tag by which the
 * file is taken is greater than those before.
 */
size_t ahead_room(const struct ahead *);
void ahead_ask(struct ahead *, uint32_t tag, const char *name);
void ahead_go(struct ahead *);

/*
 * Wait for the file with this tag, passing over those with lesser ones.
 * True, with the front valid until the next call and fd the caller's; false
 * when it was not asked for, or could not be read.
 */
MUST bool ahead_take(struct ahead *, uint32_t tag, struct ahead_file *);

#endif
