#include "base/die.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

const char *progname = "pneu";
bool die_service;
void (*die_hook)(void);

/* Append s to line[n..], control characters and quotes made harmless. */
static size_t
add(char *line, size_t n, const char *s)
{
	for (; *s != '\0' && n < LINE_SIZE - 2; s++) {
		char c = *s;

		if (!is_print(c) || (die_service && (c == '"' || c == '\\')))
			c = '?';
		line[n++] = c;
	}
	return n;
}

static void
say(int err, const char *fmt, va_list ap)
{
	char what[LINE_SIZE / 2], line[LINE_SIZE];
	size_t n = 0;

	vsnprintf(what, sizeof(what), fmt, ap);
	n = add(line, n, progname);
	if (die_service) {
		n = add(line, n, " error what=");
		line[n++] = '"';
		n = add(line, n, what);
		line[n++] = '"';
		if (err != 0) {
			n = add(line, n, " why=");
			line[n++] = '"';
			n = add(line, n, strerror(err));
			line[n++] = '"';
		}
	} else {
		n = add(line, n, ": ");
		n = add(line, n, what);
		if (err != 0) {
			n = add(line, n, ": ");
			n = add(line, n, strerror(err));
		}
	}
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) == -1)
		return; /* there is nowhere left to say so */
}

_Noreturn static void
end(int status)
{
	void (*hook)(void) = die_hook;

	die_hook = NULL;
	if (hook != NULL)
		hook();
	exit(status);
}

void
die(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(0, fmt, ap);
	va_end(ap);
	end(status);
}

void
die_sys(int status, const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	say(err, fmt, ap);
	va_end(ap);
	end(status);
}

void
die_usage(const char *usage)
{
	fprintf(stderr, "usage: %s\n", usage);
	exit(EXIT_USAGE);
}

void *
die_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		die_memory();
	return p;
}

void
die_memory(void)
{
	die(EXIT_TEMP, "out of memory");
}

void
warn(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	say(0, fmt, ap);
	va_end(ap);
	errno = err;
}

void
warn_sys(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	say(err, fmt, ap);
	va_end(ap);
	errno = err;
}
