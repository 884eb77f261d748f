/*
 * in - buffered bytes from a descriptor
 *
 * `data` is what was read and not yet used: an engine eats from its
 * front.  in_fill reads more behind it.  An `in` that is tied to an `out`
 * flushes it before a read that would block, so that nobody has to
 * remember to flush.
 */
#ifndef IO_IN_H
#define IO_IN_H

#include <sys/types.h>

#include "base/span.h"
#include "io/out.h"

enum in_result {
	IN_DATA,    /* data has grown */
	IN_EOF,     /* end of file */
	IN_TIMEOUT, /* the deadline is past */
	IN_FULL,    /* the buffer is full of unused data */
	IN_ERROR    /* errno says why; also when the tied out failed */
};

/*
 * What bytes of the descriptor become before they are data.  run takes
 * bytes off *raw: how many it has put at to, 0 when it needs more; -1 and
 * errno.
 */
struct in_filter {
	ssize_t (*run)(void *ctx, struct span *raw, char *to, size_t room);
	void *ctx;
	char *buf;
	size_t cap;
	struct span raw;
	bool more; /* there was no room for all that can be had of it */
};

struct in {
	int fd;
	char *buf;
	size_t cap;
	struct span data;
	struct out *tie;  /* or NULL */
	int64_t deadline; /* DEADLINE_NEVER at in_init */
	bool eof;
	bool no_socket;           /* as a read has shown */
	struct in_filter *filter; /* or NULL */
	size_t used;              /* of buf: what was ever read into */
};

void in_init(struct in *, int fd, void *buf, size_t cap);

/* Wipe what was read, all of it, and forget what is unused. */
void in_wipe(struct in *);

/*
 * Read once.  When it answers IN_DATA, data has at least a byte more; with
 * a filter it may have to be called again for that.
 */
MUST enum in_result in_fill(struct in *);

/*
 * From here on a filter stands in front of it, with a buffer of cap bytes,
 * at least what in has; what was read and not used goes through it.
 */
void in_filter(struct in *, struct in_filter *, char *buf, size_t cap);

/* in_fill has something without waiting for the descriptor. */
bool in_ready(const struct in *);

/* Put bytes in front of everything; false when they do not fit. */
MUST bool in_unread(struct in *, struct span);

/*
 * Take all that is buffered, or what one read gives, as *piece: 1, with a
 * piece that is valid until the next call; 0 at end of file; -1 and errno
 * (ETIMEDOUT at the deadline).
 */
MUST int in_next(struct in *, struct span *piece);

/*
 * Take a line without its LF: 1; 0 at end of file, an unfinished last line
 * counting as a line; -1 and errno (ENOBUFS for a line longer than the
 * buffer).  Valid until the next call.
 */
MUST int in_line(struct in *, struct span *line);

#endif
