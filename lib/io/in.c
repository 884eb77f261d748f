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
read_some(struct in *in)
{
	char *to = in->buf + in->data.n;
	size_t room = in->cap - in->data.n;
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

enum in_result
in_fill(struct in *in)
{
	ssize_t r;

	pack(in);
	if (in->data.n == in->cap)
		return IN_FULL;
	if (in->eof)
		return IN_EOF;
	if (in->tie != NULL && in->tie->n > 0 && would_block(in->fd) &&
	    out_flush(in->tie) == -1)
		return IN_ERROR;
	for (;;) {
		r = read_some(in);
		if (r > 0) {
			in->data.n += (size_t)r;
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
in_unread(struct in *in, struct span s)
{
	if (s.n > in->cap - in->data.n)
		return false;
	memmove(in->buf + s.n, in->data.p, in->data.n);
	memcpy(in->buf, s.p, s.n);
	in->data = (struct span){ in->buf, in->data.n + s.n };
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
