#include "base/arena.h"

#include "base/die.h"

enum { CHUNK = 8192, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *below;
	size_t n, cap; /* of the bytes that follow the head */
};

enum { HEAD = (sizeof(struct arena_chunk) + ALIGN - 1) / ALIGN * ALIGN };

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

void
arena_free(struct arena *a)
{
	arena_release(a, (struct arena_mark){ 0 });
}

size_t
arena_left(const struct arena *a)
{
	return a->max - a->used;
}

static void
add_chunk(struct arena *a, size_t n)
{
	size_t cap = n > CHUNK ? n : CHUNK;
	struct arena_chunk *c = malloc(HEAD + cap);

	if (c == NULL)
		die_memory();
	*c = (struct arena_chunk){ .below = a->top, .cap = cap };
	a->top = c;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t need = (n + ALIGN - 1) / ALIGN * ALIGN;
	char *p;

	if (need < n || need > arena_left(a))
		die_memory();
	if (a->top == NULL || need > a->top->cap - a->top->n)
		add_chunk(a, need);
	p = (char *)a->top + HEAD + a->top->n;
	a->top->n += need;
	a->used += need;
	memset(p, 0, need);
	return p;
}

char *
arena_str(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct span
arena_span(struct arena *a, struct span s)
{
	return (struct span){ arena_str(a, s), s.n };
}

struct arena_mark
arena_mark(const struct arena *a)
{
	return (struct arena_mark){ a->top, a->top == NULL ? 0 : a->top->n,
		a->used };
}

void
arena_release(struct arena *a, struct arena_mark m)
{
	while (a->top != m.top) {
		struct arena_chunk *c = a->top;

		a->top = c->below;
		free(c);
	}
	if (a->top != NULL)
		a->top->n = m.at;
	a->used = m.used;
}
