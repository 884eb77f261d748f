#include "io/out.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/deadline.h"

/*
 * What can be written without waiting: to a socket at once, to anything
 * else when poll says so.  A count, or -1 and errno.
 */
static ssize_t
write_some(int fd, const void *p, size_t n, int64_t deadline)
{
	ssize_t w;

	if (deadline == DEADLINE_NEVER)
		return write(fd, p, n);
	w = send(fd, p, n, MSG_DONTWAIT);
	if (w != -1 || errno != ENOTSOCK)
		return w;
	if (deadline_wait(fd, POLLOUT, deadline) == -1)
		return -1;
	return write(fd, p, n);
}

int
write_all(int fd, const void *p, size_t n, int64_t deadline)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write_some(fd, at, n, deadline);

		if (w >= 0) {
			at += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			if (deadline_wait(fd, POLLOUT, deadline) == -1)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

void
out_init(struct out *o, int fd, void *buf, size_t cap)
{
	*o = (struct out){
		.fd = fd, .buf = buf, .cap = cap, .deadline = DEADLINE_NEVER
	};
}

/* Errors are sticky. */
static void
send_all(struct out *o, struct span s, bool flush)
{
	struct out_filter *f = o->filter;
	char buf[8192];
	size_t n;

	if (o->err != 0)
		return;
	if (f == NULL) {
		if (write_all(o->fd, s.p, s.n, o->deadline) == -1)
			o->err = errno;
		return;
	}
	do {
		f->busy = true;
		n = f->run(f->ctx, &s, flush, buf, sizeof(buf));
		f->busy = false;
		if (n > 0 && write_all(o->fd, buf, n, o->deadline) == -1) {
			o->err = errno;
			return;
		}
	} while (s.n > 0 || n == sizeof(buf));
	f->inside = !flush;
}

static void
send_buffer(struct out *o, bool flush)
{
	struct span s = { o->buf, o->n };

	o->n = 0;
	send_all(o, s, flush);
}

bool
out_pending(const struct out *o)
{
	return o->n > 0 || (o->filter != NULL && o->filter->inside);
}

int
out_flush(struct out *o)
{
	if (out_pending(o))
		send_buffer(o, true);
	errno = o->err;
	return o->err == 0 ? 0 : -1;
}

void
out_put_slow(struct out *o, struct span s)
{
	if (s.n > o->cap - o->n)
		send_buffer(o, false);
	if (s.n >= o->cap) {
		send_all(o, s, false);
		return;
	}
	if (s.n > 0)
		memcpy(o->buf + o->n, s.p, s.n);
	o->n += s.n;
}

void
out_putu(struct out *o, uint64_t u)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	out_put(o, (struct span){ digits + i, sizeof(digits) - i });
}

void
out_printf(struct out *o, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text)) {
		o->err = EOVERFLOW;
		return;
	}
	out_put(o, (struct span){ text, (size_t)n });
}
