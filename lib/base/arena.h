/*
 * arena - memory that is freed all at once
 *
 * For what lives as long as a session or a command.  Nothing is freed
 * singly; arena_release goes back to a mark.  The bound is a promise about
 * memory: a parser checks its own limits first (arena_left), and an
 * allocation past the bound ends the program like exhausted memory does.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *top;
	size_t used, max;
};

struct arena_mark {
	struct arena_chunk *top;
	size_t at, used;
};

void arena_init(struct arena *, size_t max);
void arena_free(struct arena *);

/* n zeroed bytes, aligned for any type.  Never NULL. */
void *arena_alloc(struct arena *, size_t n);

/* A copy; arena_str terminates it. */
struct span arena_span(struct arena *, struct span);
char *arena_str(struct arena *, struct span);

/* How many bytes can still be had. */
size_t arena_left(const struct arena *);

struct arena_mark arena_mark(const struct arena *);
void arena_release(struct arena *, struct arena_mark);

#endif
