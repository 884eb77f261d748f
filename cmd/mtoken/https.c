#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/net.h"
#include "io/tls.h"
#include "mtoken.h"

struct conn {
	struct mtoken *m;
	struct tls *tls;
	int fd;
};

static bool
fail(struct mtoken *m, const char *what, const char *why)
{
	snprintf(m->text, sizeof(m->text), "%s: %s", what, why);
	m->why = m->text;
	return false;
}

/* Wait for what the last call wants; false when that is not to wait. */
static bool
wait_tls(struct conn *c, enum tls_result r)
{
	short want = r == TLS_WANT_WRITE ? POLLOUT : POLLIN;

	if (r != TLS_WANT_READ && r != TLS_WANT_WRITE)
		return fail(c->m, "TLS", tls_why(c->tls));
	if (deadline_wait(c->fd, want, c->m->deadline) == -1)
		return fail(c->m, c->m->url, strerror(errno));
	return true;
}

static bool
start(struct conn *c, struct tls_ctx *ctx, const char *host)
{
	enum tls_result r;

	fs_nonblock(c->fd, true);
	c->tls = tls_connect(ctx, c->fd, host);
	while ((r = tls_handshake(c->tls)) != TLS_DONE)
		if (!wait_tls(c, r))
			return false;
	if (!tls_verified(c->tls))
		return fail(c->m, "certificate", tls_verify_why(c->tls));
	return true;
}

static bool
send_all(struct conn *c, struct span s)
{
	enum tls_result r;
	size_t n;

	while (s.n > 0) {
		r = tls_write(c->tls, s.p, s.n, &n);
		if (r == TLS_DONE)
			span_take(&s, n);
		else if (!wait_tls(c, r))
			return false;
	}
	return true;
}

/* Until it is closed; a cut is good only where the length is known. */
static bool
receive_all(struct conn *c, struct buf *b)
{
	enum { PIECE = 4096 };
	enum tls_result r;
	size_t n;

	for (;;) {
		char *p = buf_room(b, PIECE);

		if (p == NULL)
			return fail(c->m, c->m->url, "says too much");
		r = tls_read(c->tls, p, PIECE, &n);
		if (r == TLS_DONE)
			b->n += n;
		else if (r == TLS_EOF)
			return true;
		else if (r == TLS_CUT)
			return fail(c->m, c->m->url, "was cut off");
		else if (!wait_tls(c, r))
			return false;
	}
}

bool
https_ask(struct mtoken *m, const struct http_url *u, struct span request,
    struct buf *response)
{
	struct net_addr at = { .kind = NET_TCP, .port = u->port };
	struct conn c = { .m = m };
	char ca[LIMIT_PATH];
	static struct tls_ctx *ctx;
	bool temp, ok;

	if (!span_cstr(u->host, at.host, sizeof(at.host)))
		return fail(m, m->url, "its host is too long");
	if (m->ca != NULL)
		mtoken_path(ca, m->ca);
	ctx = tls_client(m->ca != NULL ? ca : NULL);
	c.fd = net_connect(&at, m->deadline, &temp);
	if (c.fd == -1)
		return fail(m, m->url, strerror(errno));
	ok = start(&c, ctx, at.host) && send_all(&c, request) &&
	    receive_all(&c, response);
	if (ok)
		tls_shutdown(c.tls);
	tls_free(c.tls);
	close(c.fd);
	return ok;
}
