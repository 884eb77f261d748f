#include "base/buf.h"

#include <stdarg.h>

#include "base/die.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

/* Make the memory hold need bytes and a NUL. */
static void
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap < 32 ? 64 : b->cap;
	char *p;

	if (need < b->cap)
		return;
	while (cap <= need)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	p = realloc(b->p, cap);
	if (p == NULL)
		die_memory();
	b->p = p;
	b->cap = cap;
}

char *
buf_room(struct buf *b, size_t n)
{
	if (n > b->max - b->n) {
		b->over = true;
		return NULL;
	}
	grow(b, b->n + n);
	return b->p + b->n;
}

bool
buf_putu(struct buf *b, uint64_t u)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	return buf_put(b, (struct span){ digits + i, sizeof(digits) - i });
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (to = buf_room(b, (size_t)n)) == NULL) {
		b->over = true;
		return false;
	}
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
	return true;
}

void
buf_drop(struct buf *b, size_t n)
{
	b->n -= n;
	if (b->n > 0)
		memmove(b->p, b->p + n, b->n);
}

struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->p == NULL ? "" : b->p, b->n };
}

const char *
buf_cstr(struct buf *b)
{
	grow(b, b->n);
	b->p[b->n] = '\0';
	return b->p;
}
