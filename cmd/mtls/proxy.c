/*
 * A connection that comes through a proxy: who is behind it.  The half of
 * it that has no privileges reads the header, and tells.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/proxies.h"
#include "io/proxyhdr.h"
#include "mtls.h"

enum { PIECE = 512 };

const char *
proxy_look(struct mtls *m)
{
	m->proxied = proxies_allow(m->peer.ip, "proxy");
	return m->proxied && m->no_half ? "pneu-tls: no such user" : NULL;
}

/* Look at what has come, and take what is of the header, not a byte more. */
static enum proxyhdr_result
take_piece(struct proxyhdr *h, int net, const char **why)
{
	char piece[PIECE];
	ssize_t n = recv(net, piece, sizeof(piece), MSG_PEEK | MSG_DONTWAIT);
	struct span in = { piece, n > 0 ? (size_t)n : 0 };
	enum proxyhdr_result r;
	size_t used;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return PROXYHDR_MORE;
	if (n <= 0) {
		*why = n == 0 ? "closed" : strerror(errno);
		return PROXYHDR_BAD;
	}
	r = proxyhdr_next(h, &in);
	used = (size_t)n - in.n;
	*why = "not a header of the PROXY protocol";
	if (recv(net, piece, used, MSG_DONTWAIT) != (ssize_t)used)
		return PROXYHDR_BAD;
	return r;
}

static void
put_peer(struct buf *facts, const struct net_peer *p)
{
	buf_printf(facts, "TCPREMOTEIP=%s", p->ip);
	buf_putc(facts, '\0');
	buf_printf(facts, "TCPREMOTEPORT=%u", (unsigned)p->port);
	buf_putc(facts, '\0');
	buf_printf(facts, "TCPLOCALIP=%s", p->local_ip);
	buf_putc(facts, '\0');
	buf_printf(facts, "TCPLOCALPORT=%u", (unsigned)p->local_port);
	buf_putc(facts, '\0');
}

void
proxy_header(
    struct mtls *m, int net, int ctl, int64_t deadline, struct buf *facts)
{
	static struct proxyhdr h;
	enum proxyhdr_result r = PROXYHDR_MORE;
	const char *why = NULL;

	while (r == PROXYHDR_MORE) {
		half_wait(m, net, POLLIN, ctl, deadline);
		r = take_piece(&h, net, &why);
	}
	if (r == PROXYHDR_BAD)
		half_give_up(m, why);
	if (r == PROXYHDR_LOCAL)
		return;
	memcpy(m->peer.ip, h.ip, sizeof(h.ip));
	memcpy(m->peer.local_ip, h.local_ip, sizeof(h.local_ip));
	m->peer.port = h.port;
	m->peer.local_port = h.local_port;
	put_peer(facts, &m->peer);
}
