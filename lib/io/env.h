/*
 * env - the environment of a child, built from nothing
 *
 * A child gets PATH, HOME, LANG, PNEU_* and what its parent vouches for;
 * never what a stranger put into our own environment.  Values are
 * printable ASCII (or LF between the lines of a list) of at most
 * LIMIT_ENV_VALUE bytes unless said otherwise; a value that is not is
 * left out, and env_set returns false.
 */
#ifndef IO_ENV_H
#define IO_ENV_H

#include "base/buf.h"

struct env {
	struct buf text; /* NAME=value, NUL, NAME=value, NUL ... */
	char *vector[128];
	size_t n;
};

/* PATH, HOME, LANG and PNEU_* of our own environment. */
void env_init(struct env *);
void env_free(struct env *);

/*
 * Copy every variable of ours whose name begins with prefix ("TCP",
 * "SSL_", "PROTO", "IPC"), if its value is printable and short enough.
 */
void env_copy(struct env *, const char *prefix);

/* Set or replace.  False when the value is not fit, and nothing is set. */
bool env_set(struct env *, const char *name, struct span value);
bool env_setf(struct env *, const char *name, const char *fmt, ...)
    PRINTF(3, 4);

/* A list of lines, of at most max bytes (UTF-8 allowed). */
bool env_set_lines(struct env *, const char *name, struct span, size_t max);

void env_unset(struct env *, const char *name);

/* For execve; valid until the next change. */
char *const *env_vector(struct env *);

#endif
