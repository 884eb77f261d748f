#include "io/in.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/deadline.h"

void
in_init(struct in *in, int fd, void *buf, size_t cap)
{
	*in = (struct in){ .fd = fd,
		.buf = buf,
		.cap = cap,
		.data = { buf, 0 },
		.deadline = DEADLINE_NEVER };
}

/* Move the unused data to the front of the buffer. */
static void
pack(struct in *in)
{
	if (in->data.n > 0 && in->data.p != in->buf)
		memmove(in->buf, in->data.p, in->data.n);
	in->data.p = in->buf;
}

static bool
would_block(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/*
 * What there is, or else what comes before the deadline; EAGAIN where it
 * is to be waited for.
 */
static ssize_t
read_some(struct in *in, char *to, size_t room)
{
	ssize_t r;

	if (in->deadline != DEADLINE_NEVER && !in->no_socket) {
		r = recv(in->fd, to, room, MSG_DONTWAIT);
		if (r != -1 || errno != ENOTSOCK)
			return r;
		in->no_socket = true;
	}
	if (in->deadline != DEADLINE_NEVER &&
	    deadline_wait(in->fd, POLLIN, in->deadline) == -1)
		return -1;
	return read(in->fd, to, room);
}

/* One read; *n says how much. */
static enum in_result
read_once(struct in *in, char *to, size_t room, size_t *n)
{
	ssize_t r;

	if (in->eof)
		return IN_EOF;
	if (in->tie != NULL && out_pending(in->tie) && would_block(in->fd) &&
	    out_flush(in->tie) == -1)
		return IN_ERROR;
	for (;;) {
		r = read_some(in, to, room);
		if (r > 0) {
			*n = (size_t)r;
			return IN_DATA;
		}
		if (r == 0) {
			in->eof = true;
			return IN_EOF;
		}
		if (errno == EAGAIN &&
		    deadline_wait(in->fd, POLLIN, in->deadline) == -1)
			break;
		if (errno != EINTR && errno != EAGAIN)
			break;
	}
	return errno == ETIMEDOUT ? IN_TIMEOUT : IN_ERROR;
}

bool
in_ready(const struct in *in)
{
	const struct in_filter *f = in->filter;

	return f != NULL && (f->raw.n > 0 || f->more);
}

void
in_filter(struct in *in, struct in_filter *f, char *buf, size_t cap)
{
	f->buf = buf;
	f->cap = cap;
	f->more = false;
	if (in->data.n > 0)
		memcpy(buf, in->data.p, in->data.n);
	f->raw = (struct span){ buf, in->data.n };
	in->data.n = 0;
	in->filter = f;
}

static enum in_result
filtered(struct in *in)
{
	struct in_filter *f = in->filter;
	size_t n, room = in->cap - in->data.n;
	enum in_result e;
	ssize_t r;

	if (!in_ready(in)) {
		f->raw.p = f->buf;
		if ((e = read_once(in, f->buf, f->cap, &n)) != IN_DATA)
			return e;
		f->raw.n = n;
	}
	r = f->run(f->ctx, &f->raw, in->buf + in->data.n, room);
	if (r == -1)
		return IN_ERROR;
	f->more = (size_t)r == room;
	in->data.n += (size_t)r;
	return IN_DATA;
}

enum in_result
in_fill(struct in *in)
{
	enum in_result e;
	size_t n = 0;

	pack(in);
	if (in->data.n == in->cap)
		return IN_FULL;
	if (in->filter != NULL)
		return filtered(in);
	e = read_once(in, in->buf + in->data.n, in->cap - in->data.n, &n);
	in->data.n += n;
	if (in->data.n > in->used)
		in->used = in->data.n;
	return e;
}

void
in_wipe(struct in *in)
{
	wipe(in->buf, in->used);
	in->data = (struct span){ in->buf, 0 };
}

bool
in_unread(struct in *in, struct span s)
{
	if (s.n > in->cap - in->data.n)
		return false;
	memmove(in->buf + s.n, in->data.p, in->data.n);
	memcpy(in->buf, s.p, s.n);
	in->data = (struct span){ in->buf, in->data.n + s.n };
	if (in->data.n > in->used)
		in->used = in->data.n;
	return true;
}

int
in_next(struct in *in, struct span *piece)
{
	if (in->data.n == 0) {
		enum in_result r = in_fill(in);

		if (r == IN_EOF)
			return 0;
		if (r != IN_DATA)
			return -1;
	}
	*piece = span_take(&in->data, in->data.n);
	return 1;
}

int
in_line(struct in *in, struct span *line)
{
	size_t seen = 0;

	for (;;) {
		struct span rest = { in->data.p + seen, in->data.n - seen };
		size_t at = seen + span_chr(rest, '\n');
		enum in_result r;

		if (at < in->data.n) {
			*line = span_take(&in->data, at);
			span_take(&in->data, 1);
			return 1;
		}
		seen = in->data.n;
		r = in_fill(in);
		if (r == IN_EOF) {
			*line = span_take(&in->data, in->data.n);
			return line->n > 0;
		}
		if (r == IN_FULL)
			errno = ENOBUFS;
		if (r != IN_DATA)
			return -1;
	}
}
