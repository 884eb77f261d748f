/*
 * The half of a connection that speaks TLS.  It runs as pneu-tls in an
 * empty root and can do nothing but move bytes.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/out.h"
#include "io/sandbox.h"
#include "io/user.h"
#include "mtls.h"

enum { CHUNK = 16384, LINGER = 2 };

/* Bytes on their way in one direction. */
struct pipeline {
	char buf[CHUNK];
	size_t at, n;
	bool eof; /* the source has ended */
};

struct pump {
	struct tls *tls;
	int net, app;
	struct pipeline in, out;       /* net to app, app to net */
	bool in_closed;                /* app was told of the end */
	short read_wants, write_wants; /* of net, by the last TLS calls */
	int64_t stall;                 /* the peer must take something before */
};

_Noreturn static void
give_up(const char *why)
{
	struct logline l;

	log_begin(&l, "refuse");
	log_str(&l, "why", why);
	log_end(&l);
	_exit(EXIT_TEMP);
}

static void
drop(const struct mtls *m)
{
	if (user_empty_root(m->tls_uid, m->tls_gid) == -1 ||
	    sandbox_limits(true, 0) == -1 || sandbox_streams() == -1)
		die_sys(EXIT_TEMP, "give up privileges");
}

/* Wait for the 'y' or 'Y' of UCSPI-TLS; true when facts are wanted. */
static bool
await_request(int ctl)
{
	char c;
	ssize_t r;

	do
		r = read(ctl, &c, 1);
	while (r == -1 && errno == EINTR);
	if (r != 1) /* the program ended without TLS */
		_exit(EXIT_OK);
	if (c != 'y' && c != 'Y')
		give_up("not a request of UCSPI-TLS");
	return c == 'Y';
}

/* The other half has gone: nobody waits for this handshake. */
static bool
abandoned(int ctl)
{
	struct pollfd p = { .fd = ctl };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static void
shake_hands(struct tls *tls, int net, int ctl)
{
	int64_t deadline = deadline_in(TIME_HANDSHAKE);

	for (;;) {
		enum tls_result r = tls_handshake(tls);
		struct pollfd p[2] = { { .fd = net }, { .fd = ctl } };

		if (r == TLS_DONE)
			return;
		if (r != TLS_WANT_READ && r != TLS_WANT_WRITE)
			give_up(tls_why(tls));
		p[0].events = r == TLS_WANT_READ ? POLLIN : POLLOUT;
		if (poll(p, 2, deadline_left(deadline)) == 0)
			give_up("silence in the handshake");
		if (abandoned(ctl))
			_exit(EXIT_TEMP);
	}
}

/* NAME=value, NUL, ..., NUL: SSLCTLFD's answer to 'Y'. */
static void
tell_facts(struct tls *tls, int ctl)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "SSL_PROTOCOL=%s%cSSL_CIPHER=%s%cSSL_CIPHER_USEKEYSIZE=%d%c"
	    "SSL_TLS_SNI_SERVERNAME=%.255s%c%c",
	    tls_version(tls), 0, tls_cipher(tls), 0, tls_bits(tls), 0,
	    tls_sni(tls), 0, 0);

	if (n < 0 || (size_t)n >= sizeof(text) ||
	    write_all(ctl, text, (size_t)n, deadline_in(TIME_HANDSHAKE)) == -1)
		_exit(EXIT_TEMP);
}

/* From the network into an empty buffer. */
static void
read_net(struct pump *p)
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
write_net(struct pump *p)
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
read_app(struct pump *p)
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

/* False when the program no longer reads and no longer writes. */
static bool
write_app(struct pump *p)
{
	ssize_t w = send(p->app, p->in.buf + p->in.at, p->in.n, MSG_NOSIGNAL);

	if (w >= 0) {
		p->in.at += (size_t)w;
		p->in.n -= (size_t)w;
	} else if (errno != EAGAIN && errno != EINTR) {
		p->in.n = 0; /* it does not want more; it may still speak */
		p->in.eof = p->in_closed = true;
	}
	return true;
}

/* Do all that can be done without waiting; false at the end. */
static bool
move(struct pump *p)
{
	bool was;

	do {
		was = false;
		if (p->in.n == 0 && !p->in.eof) {
			read_net(p);
			was |= p->in.n > 0;
		}
		if (p->in.n > 0) {
			size_t n = p->in.n;

			write_app(p);
			was |= p->in.n < n;
		}
		if (p->in.n == 0 && p->in.eof && !p->in_closed) {
			shutdown(p->app, SHUT_WR);
			p->in_closed = true;
		}
		if (p->out.n == 0 && !p->out.eof) {
			read_app(p);
			was |= p->out.n > 0;
		}
		if (p->out.n > 0) {
			if (!write_net(p))
				return false;
			was |= p->out.n == 0;
		}
	} while (was);
	return !(p->out.eof && p->out.n == 0);
}

static bool
wait_for(struct pump *p)
{
	struct pollfd fd[2] = { { .fd = p->net }, { .fd = p->app } };
	int timeout = -1;

	if (p->in.n == 0 && !p->in.eof)
		fd[0].events = (short)(fd[0].events | p->read_wants);
	if (p->out.n > 0) {
		fd[0].events = (short)(fd[0].events | p->write_wants);
		timeout = deadline_left(p->stall);
	}
	if (p->out.n == 0 && !p->out.eof)
		fd[1].events = POLLIN;
	if (p->in.n > 0)
		fd[1].events = (short)(fd[1].events | POLLOUT);
	/* a hang-up that nobody asked for must not make poll return */
	for (int i = 0; i < 2; i++)
		if (fd[i].events == 0)
			fd[i].fd = -1;
	if (poll(fd, 2, timeout) == 0) {
		give_up("the peer takes nothing");
	}
	return true;
}

/*
 * Close so that the last reply arrives: a socket closed with unread input
 * is reset, and a reset may overtake what was sent.
 */
static void
linger(struct pump *p)
{
	int64_t deadline = deadline_in(LINGER);
	char waste[1024];

	tls_shutdown(p->tls);
	shutdown(p->net, SHUT_WR);
	while (deadline_wait(p->net, POLLIN, deadline) == 0 &&
	    read(p->net, waste, sizeof(waste)) > 0)
		continue;
}

void
half(struct mtls *m, int net, int app, int ctl)
{
	static struct pump p;
	bool facts = true;

	if (m->ctx != NULL)
		drop(m);
	if (m->mode == MODE_STARTTLS)
		facts = await_request(ctl);
	if (m->ctx == NULL) {
		/* under a launcher: keys are read when they are needed */
		keys_load(m);
		drop(m);
	}
	fs_nonblock(net, true);
	fs_nonblock(app, true);
	p = (struct pump){ .net = net, .app = app };
	p.tls = tls_accept(m->ctx, net);
	shake_hands(p.tls, net, ctl);
	if (facts)
		tell_facts(p.tls, ctl);
	close(ctl);
	while (move(&p) && wait_for(&p))
		continue;
	linger(&p);
	_exit(EXIT_OK);
}
