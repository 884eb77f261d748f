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

/*
 * What bytes become before they are written.  run takes all of *s, in one
 * call or more, until it has put less than room; with flush, nothing stays
 * inside.
 */
struct out_filter {
	size_t (*run)(
	    void *ctx, struct span *s, bool flush, char *to, size_t room);
	void *ctx;
	bool inside; /* there may be something that is not flushed */
	bool busy;   /* it runs: a handler of a signal keeps away */
};

struct out {
	int fd;
	char *buf;
	size_t cap, n;
	int64_t deadline; /* io/deadline.h; DEADLINE_NEVER at out_init */
	int err;          /* the first errno; later output is dropped */
	struct out_filter *filter; /* or NULL */
};

void out_init(struct out *, int fd, void *buf, size_t cap);

void out_put_slow(struct out *, struct span); /* of out_put */
void out_putu(struct out *, uint64_t);
void out_printf(struct out *, const char *fmt, ...) PRINTF(2, 3); /* 2 KiB */

/* Inline, since an answer to FETCH is made of many of them. */
static inline void
out_put(struct out *o, struct span s)
{
	if (s.n >= o->cap - o->n) {
		out_put_slow(o, s);
	} else if (s.n > 0) {
		memcpy(o->buf + o->n, s.p, s.n);
		o->n += s.n;
	}
}

static inline void
out_puts(struct out *o, const char *s)
{
	out_put(o, (struct span){ s, s == NULL ? 0 : strlen(s) });
}

static inline void
out_putc(struct out *o, char c)
{
	out_put(o, (struct span){ &c, 1 });
}

/* Room in the buffer, for what is written there without a copy. */
static inline char *
out_room(struct out *o, size_t *room)
{
	*room = o->cap - o->n;
	return o->buf + o->n;
}

static inline void
out_took(struct out *o, size_t n)
{
	o->n += n;
}

/* Whether out_flush has something to write. */
bool out_pending(const struct out *);

/* Write what is buffered.  0, or -1 and errno if anything ever failed. */
int out_flush(struct out *);

/* Write all n bytes to fd.  0, or -1 and errno. */
MUST int write_all(int fd, const void *p, size_t n, int64_t deadline);

#endif
