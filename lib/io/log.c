#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/die.h"

enum { ROOM_FOR_END = 4 }; /* a quote, three dots' worth, a line end */

static const char *log_connection;
static int log_fd = STDERR_FILENO;

/* inetd gives the connection as descriptors 0, 1 and 2. */
static bool
stderr_is_connection(void)
{
	struct stat in, err;

	return fstat(STDIN_FILENO, &in) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && S_ISSOCK(err.st_mode) &&
	    in.st_dev == err.st_dev && in.st_ino == err.st_ino;
}

static int
syslog_socket(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
log_conn(const char *conn)
{
	log_connection = conn;
	if (stderr_is_connection()) {
		log_fd = syslog_socket();
		if (log_fd == -1)
			log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		/*
		 * die() must not write into the dialogue either, and nothing
		 * that is opened later may become descriptor 2
		 */
		if (log_fd != -1 && dup2(log_fd, STDERR_FILENO) != -1) {
			close(log_fd);
			log_fd = STDERR_FILENO;
		}
	}
}

void
log_open(const char *conn)
{
	die_service = true;
	log_conn(conn);
}

static bool
fits(const struct logline *l, size_t n)
{
	return n <= sizeof(l->text) - ROOM_FOR_END - l->n;
}

static void
add(struct logline *l, struct span s)
{
	if (!fits(l, s.n))
		s.n = sizeof(l->text) - ROOM_FOR_END - l->n;
	memcpy(l->text + l->n, s.p, s.n);
	l->n += s.n;
}

static bool
needs_quotes(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_print(v.p[i]) || v.p[i] == ' ' || v.p[i] == '"' ||
		    v.p[i] == '=' || v.p[i] == '\\')
			return true;
	return v.n == 0;
}

static void
add_quoted(struct logline *l, struct span v)
{
	static const char hex[] = "0123456789abcdef";

	add(l, SPAN("\""));
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		char esc[4] = { '\\', 'x', hex[(unsigned char)c >> 4],
			hex[c & 15] };
		struct span s = { &c, 1 };

		if (c == '"' || c == '\\') {
			esc[1] = c;
			s = (struct span){ esc, 2 };
		} else if (!is_print(c)) {
			s = (struct span){ esc, 4 };
		}
		if (!fits(l, s.n + 1))
			break;
		add(l, s);
	}
	l->text[l->n++] = '"';
}

void
log_begin(struct logline *l, const char *event)
{
	l->n = 0;
	add(l, span_of(progname));
	add(l, SPAN(" "));
	add(l, span_of(event));
	if (log_connection != NULL)
		log_str(l, "conn", log_connection);
}

void
log_span(struct logline *l, const char *key, struct span v)
{
	if (!fits(l, strlen(key) + 4))
		return;
	add(l, SPAN(" "));
	add(l, span_of(key));
	add(l, SPAN("="));
	if (needs_quotes(v) || !fits(l, v.n))
		add_quoted(l, v);
	else
		add(l, v);
}

void
log_str(struct logline *l, const char *key, const char *value)
{
	log_span(l, key, span_of(value));
}

void
log_num(struct logline *l, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	log_str(l, key, digits);
}

void
log_end(struct logline *l)
{
	int err = errno;

	l->text[l->n++] = '\n';
	if (log_fd != -1 && write(log_fd, l->text, l->n) == -1)
		errno = err; /* nobody listens: go on */
	errno = err;
}

void
log_error(const char *what, const char *why)
{
	int err = errno;
	struct logline l;

	log_begin(&l, "error");
	log_str(&l, "what", what);
	log_str(&l, "why", why != NULL ? why : strerror(err));
	log_end(&l);
	errno = err;
}
