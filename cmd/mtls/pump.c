/*
 * Bytes between the network, in TLS, and the program, in the clear.  Each
 * direction has one buffer: who does not read stops who writes.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/deadline.h"
#include "mtls.h"

enum { CHUNK = 16384, LINGER = 2 };

/* Bytes on their way in one direction. */
struct way {
	char buf[CHUNK];
	size_t at, n;
	bool eof; /* the source has ended */
};

struct state {
	struct tls *tls;
	int net, app;
	struct way in, out;            /* net to app, app to net */
	bool in_closed;                /* app was told of the end */
	short read_wants, write_wants; /* of net, by the last TLS calls */
	int64_t stall;                 /* the peer must take something before */
};

/* From the network into an empty buffer. */
static void
read_net(struct state *p)
{
	p->read_wants = 0;
	p->in.at = 0;
	switch (tls_read(p->tls, p->in.buf, sizeof(p->in.buf), &p->in.n)) {
	case TLS_DONE:
		break;
	case TLS_WANT_READ:
		p->read_wants = POLLIN;
		break;
	case TLS_WANT_WRITE:
		p->read_wants = POLLOUT;
		break;
	case TLS_EOF:
	case TLS_CUT:
	case TLS_FAILED:
		p->in.eof = true;
		break;
	}
}

/* False when the peer is gone. */
static bool
write_net(struct state *p)
{
	size_t n;

	p->write_wants = 0;
	switch (tls_write(p->tls, p->out.buf + p->out.at, p->out.n, &n)) {
	case TLS_DONE:
		p->out.at += n;
		p->out.n -= n;
		p->stall = deadline_in(TIME_TLS_STALL);
		return true;
	case TLS_WANT_READ:
		p->write_wants = POLLIN;
		return true;
	case TLS_WANT_WRITE:
		p->write_wants = POLLOUT;
		return true;
	case TLS_EOF:
	case TLS_CUT:
	case TLS_FAILED:
		break;
	}
	return false;
}

static void
read_app(struct state *p)
{
	ssize_t r = read(p->app, p->out.buf, sizeof(p->out.buf));

	if (r > 0) {
		p->out.at = 0;
		p->out.n = (size_t)r;
		p->stall = deadline_in(TIME_TLS_STALL);
	} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
		p->out.eof = true;
	}
}

static void
write_app(struct state *p)
{
	ssize_t w = send(p->app, p->in.buf + p->in.at, p->in.n, MSG_NOSIGNAL);

	if (w >= 0) {
		p->in.at += (size_t)w;
		p->in.n -= (size_t)w;
	} else if (errno != EAGAIN && errno != EINTR) {
		p->in.n = 0; /* it does not want more; it may still speak */
		p->in.eof = p->in_closed = true;
	}
}

/* What can be done inwards without waiting; whether something was. */
static bool
move_in(struct state *p)
{
	size_t n;

	if (p->in.n == 0 && !p->in.eof)
		read_net(p);
	n = p->in.n;
	if (n > 0)
		write_app(p);
	if (p->in.n == 0 && p->in.eof && !p->in_closed) {
		shutdown(p->app, SHUT_WR);
		p->in_closed = true;
	}
	return p->in.n < n && !p->in_closed;
}

/* The same outwards; -1 when the peer is gone. */
static int
move_out(struct state *p)
{
	size_t n;

	if (p->out.n == 0 && !p->out.eof)
		read_app(p);
	n = p->out.n;
	if (n > 0 && !write_net(p))
		return -1;
	return p->out.n < n;
}

/* Do all that can be done without waiting; false at the end. */
static bool
move(struct state *p)
{
	bool in;
	int out;

	do {
		in = move_in(p);
		out = move_out(p);
		if (out == -1)
			return false;
	} while (in || out);
	return !p->out.eof || p->out.n > 0;
}

/* False when the peer took nothing for too long. */
static bool
wait_more(const struct state *p)
{
	struct pollfd fd[2] = { { .fd = p->net }, { .fd = p->app } };
	int r;

	if (p->in.n == 0 && !p->in.eof)
		fd[0].events = p->read_wants;
	if (p->out.n > 0)
		fd[0].events = (short)(fd[0].events | p->write_wants);
	else if (!p->out.eof)
		fd[1].events = POLLIN;
	if (p->in.n > 0)
		fd[1].events = (short)(fd[1].events | POLLOUT);
	/* a hang-up that nobody asked for must not make poll return */
	for (int i = 0; i < 2; i++)
		if (fd[i].events == 0)
			fd[i].fd = -1;
	r = poll(fd, 2, p->out.n > 0 ? deadline_left(p->stall) : -1);
	return r > 0 || (r == -1 && errno == EINTR);
}

/*
 * Close so that the last reply arrives: a socket closed with unread input
 * is reset, and a reset may overtake what was sent.
 */
static void
linger(struct state *p)
{
	int64_t deadline = deadline_in(LINGER);
	char waste[1024];

	if (deadline_wait(p->net, POLLOUT, deadline) == 0)
		tls_shutdown(p->tls);
	shutdown(p->net, SHUT_WR);
	while (deadline_wait(p->net, POLLIN, deadline) == 0 &&
	    read(p->net, waste, sizeof(waste)) > 0)
		continue;
}

void
pump(struct tls *tls, int net, int app)
{
	static struct state p; /* zero, and its buffers not yet touched */

	p.tls = tls;
	p.net = net;
	p.app = app;
	while (move(&p))
		if (!wait_more(&p))
			return;
	linger(&p);
}
