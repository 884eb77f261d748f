#include "io/env.h"

#include <stdarg.h>

#include "base/limits.h"

extern char **environ;

static bool
value_ok(struct span v, size_t max, bool lines)
{
	if (v.n > max)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		if (lines && (v.p[i] == '\n' || (unsigned char)v.p[i] > 0x7f))
			continue;
		if (!is_print(v.p[i]))
			return false;
	}
	return true;
}

/* Where NAME=... stands in the text, or its length when nowhere. */
static size_t
find(const struct env *e, const char *name)
{
	size_t n = strlen(name), at = 0;

	while (at < e->text.n) {
		const char *p = e->text.p + at;

		if (strncmp(p, name, n) == 0 && p[n] == '=')
			break;
		at += strlen(p) + 1;
	}
	return at;
}

void
env_unset(struct env *e, const char *name)
{
	size_t at = find(e, name), n;

	if (at == e->text.n)
		return;
	n = strlen(e->text.p + at) + 1;
	memmove(e->text.p + at, e->text.p + at + n, e->text.n - at - n);
	e->text.n -= n;
	e->n--;
}

static bool
set(struct env *e, const char *name, struct span value)
{
	size_t was;

	env_unset(e, name);
	was = e->text.n;
	if (e->n + 1 < sizeof(e->vector) / sizeof(e->vector[0]) &&
	    buf_puts(&e->text, name) && buf_putc(&e->text, '=') &&
	    buf_put(&e->text, value) && buf_putc(&e->text, '\0')) {
		e->n++;
		return true;
	}
	e->text.n = was;
	return false;
}

void
env_init(struct env *e)
{
	static const char *const basic[] = { "PATH", "HOME", "LANG" };

	*e = (struct env){ .text.max = LIMIT_ENV_TOTAL };
	for (size_t i = 0; i < 3; i++) {
		const char *v = getenv(basic[i]);

		if (v != NULL)
			env_set(e, basic[i], span_of(v));
	}
	if (getenv("PATH") == NULL)
		env_set(e, "PATH", SPAN("/usr/local/bin:/usr/bin:/bin"));
	env_copy(e, "PNEU_");
	env_unset(e, "PNEU_SESSION");
	env_unset(e, "PNEU_READY");
}

void
env_free(struct env *e)
{
	buf_free(&e->text);
	e->n = 0;
}

void
env_copy(struct env *e, const char *prefix)
{
	for (char **p = environ; *p != NULL; p++) {
		char name[64];
		struct span v = span_of(*p), left = span_cut(&v, '=');

		if (span_starts(left, prefix) &&
		    span_cstr(left, name, sizeof(name)))
			env_set(e, name, v);
	}
}

bool
env_set(struct env *e, const char *name, struct span value)
{
	return value_ok(value, LIMIT_ENV_VALUE, false) && set(e, name, value);
}

bool
env_setf(struct env *e, const char *name, const char *fmt, ...)
{
	char value[LIMIT_ENV_VALUE + 1];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value))
		return false;
	return env_set(e, name, (struct span){ value, (size_t)n });
}

bool
env_set_lines(struct env *e, const char *name, struct span v, size_t max)
{
	return value_ok(v, max, true) && set(e, name, v);
}

char *const *
env_vector(struct env *e)
{
	size_t at = 0;

	for (size_t i = 0; i < e->n; i++) {
		e->vector[i] = e->text.p + at;
		at += strlen(e->text.p + at) + 1;
	}
	e->vector[e->n] = NULL;
	return e->vector;
}
