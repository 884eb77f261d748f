/*
 * span - a pointer and a length
 *
 * All text that comes from outside is a span: it may hold NUL bytes and
 * is not terminated.  A span owns nothing; it is valid as long as the
 * memory it points into.  Comparisons fold ASCII case only and never
 * depend on the locale.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/banned.h"

#define MUST __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

struct span {
	const char *p;
	size_t n;
};

/* A string literal as a span. */
#define SPAN(lit) ((struct span){ "" lit, sizeof(lit) - 1 })

/*
 * A NUL-terminated string as a span; NULL is the empty span.  Inline, as
 * others here: most are literals, whose length the compiler knows.
 */
static inline struct span
span_of(const char *s)
{
	return (struct span){ s, s == NULL ? 0 : strlen(s) };
}

/*
 * Cut the first n bytes (n <= s->n) off the front and return them.  Inline:
 * parsers take byte after byte.
 */
static inline struct span
span_take(struct span *s, size_t n)
{
	struct span head = { s->p, n };

	if (n > 0) /* NULL is an empty span, too */
		s->p += n;
	s->n -= n;
	return head;
}

static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

/* The same, folding ASCII case. */
bool span_ieq(struct span a, struct span b);

static inline bool
span_iis(struct span a, const char *s)
{
	struct span b = span_of(s);

	return a.n == b.n && span_ieq(a, b);
}

/* Whether a byte of it is not ASCII. */
bool span_is_8bit(struct span);

static inline bool
span_starts(struct span s, const char *prefix)
{
	struct span b = span_of(prefix);

	return s.n >= b.n && (b.n == 0 || memcmp(s.p, b.p, b.n) == 0);
}

bool span_istarts(struct span s, const char *prefix);

/* Like strcmp, by bytes, a prefix before the longer one. */
int span_cmp(struct span a, struct span b);

/* Where c, or the text needle, stands first in s; s.n when nowhere. */
static inline size_t
span_chr(struct span s, char c)
{
	const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return p == NULL ? s.n : (size_t)(p - s.p);
}
size_t span_rchr(struct span s, char c);
size_t span_find(struct span s, struct span needle);

/* Without blanks and tabs at both ends. */
struct span span_trim(struct span s);

/*
 * Take the text in front of the first sep off *s, and drop the sep.
 * Without one, take all of it.  Call while s->n > 0.
 */
struct span span_cut(struct span *s, char sep);

/* Take the next word between blanks and tabs; empty when there is none. */
struct span span_word(struct span *s);

/*
 * Copy into dst and terminate.  False, and dst is "", when s does not fit
 * in size bytes or holds a NUL.
 */
MUST bool span_cstr(struct span s, char *dst, size_t size);

/* ASCII, whatever the locale. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline char
to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char
to_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static inline bool
is_alpha(char c)
{
	return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}

static inline bool
is_alnum(char c)
{
	return is_alpha(c) || is_digit(c);
}

/* 0x20 to 0x7e. */
static inline bool
is_print(char c)
{
	return c >= ' ' && c <= '~';
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Compare secrets: the time depends on n alone. */
bool same_secret(const void *a, const void *b, size_t n);

/* Overwrite a secret so that no compiler drops it. */
void wipe(void *p, size_t n);

#endif
