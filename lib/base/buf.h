/*
 * buf - bytes that grow, up to a bound named when the buffer is made
 *
 * A put that would pass the bound adds nothing, sets `over` and returns
 * false: a full buffer is a limit to be answered, not an accident.  `over`
 * stays set until buf_clear, so that a run of puts can be checked once.
 * When the machine has no memory, the program dies (die_memory).
 *
 * All zero is an empty buffer of bound 0; set `max` or use buf_init.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct buf {
	char *p;
	size_t n, cap, max;
	bool over;
};

void buf_init(struct buf *, size_t max);
void buf_free(struct buf *);

/* Empty it; the memory is kept. */
void buf_clear(struct buf *);

bool buf_putu(struct buf *, uint64_t); /* decimal */
bool buf_printf(struct buf *, const char *fmt, ...) PRINTF(2, 3);

/*
 * Room for n more bytes at the end, to be filled by the caller and then
 * counted by b->n += what was used.  NULL, and `over`, past the bound.
 */
char *buf_room(struct buf *, size_t n);

/* Drop n bytes (n <= b->n) from the front. */
void buf_drop(struct buf *, size_t n);

/* Inline, because texts are made of many. */
static inline bool
buf_put(struct buf *b, struct span s)
{
	char *to = b->n + s.n < b->cap ? b->p + b->n : buf_room(b, s.n);

	if (to == NULL)
		return false;
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	b->n += s.n;
	return true;
}

static inline bool
buf_puts(struct buf *b, const char *s)
{
	return buf_put(b, span_of(s));
}

static inline bool
buf_putc(struct buf *b, char c)
{
	if (b->n + 1 >= b->cap)
		return buf_put(b, (struct span){ &c, 1 });
	b->p[b->n++] = c;
	return true;
}

/* What it holds; valid until the next change. */
struct span buf_span(const struct buf *);

/* The same, NUL-terminated (the NUL is not counted). */
const char *buf_cstr(struct buf *);

#endif
