#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"
#include "msend.h"

static struct tls_ctx *tls_context; /* made when it is first needed */

int
conn_open(struct conn *c, const struct host *h, int64_t deadline, char *why)
{
	struct net_peer peer;
	bool temp;

	*c = (struct conn){ .fd = net_connect(&h->addr, deadline, &temp) };
	if (c->fd == -1) {
		snprintf(why, WHY_SIZE, "connect to %s: %s",
		    h->addr.host[0] != '\0' ? h->addr.host : h->name,
		    strerror(errno));
		return -1;
	}
	fs_nonblock(c->fd, true);
	if (net_peer(c->fd, &peer))
		memcpy(c->ip, peer.ip, sizeof(c->ip));
	return 0;
}

/* Wait for what the last call wants.  False at the deadline. */
static bool
wait_tls(struct conn *c, enum tls_result r, int64_t deadline, char *why)
{
	short want = r == TLS_WANT_WRITE ? POLLOUT : POLLIN;

	if (r != TLS_WANT_READ && r != TLS_WANT_WRITE) {
		snprintf(why, WHY_SIZE, "TLS: %s", tls_why(c->tls));
		return false;
	}
	if (deadline_wait(c->fd, want, deadline) == -1) {
		snprintf(why, WHY_SIZE, "%s", strerror(errno));
		return false;
	}
	return true;
}

int
conn_start_tls(struct conn *c, const char *name, int64_t deadline, char *why)
{
	unsigned char ip[16];
	enum tls_result r;

	if (tls_context == NULL)
		tls_context = tls_client(NULL);
	/* an address is no server name: RFC 6066, section 3 */
	if (name[0] == '\0' || inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1)
		name = NULL;
	c->named = name != NULL;
	c->tls = tls_connect(tls_context, c->fd, name);
	while ((r = tls_handshake(c->tls)) != TLS_DONE)
		if (!wait_tls(c, r, deadline, why))
			return -1;
	return 0;
}

static ssize_t
read_tls(struct conn *c, char *to, size_t max, int64_t deadline, char *why)
{
	enum tls_result r;
	size_t n;

	while ((r = tls_read(c->tls, to, max, &n)) != TLS_DONE) {
		if (r == TLS_EOF || r == TLS_CUT) {
			snprintf(why, WHY_SIZE, "connection lost");
			return 0;
		}
		if (!wait_tls(c, r, deadline, why))
			return -1;
	}
	return (ssize_t)n;
}

ssize_t
conn_read(struct conn *c, char *to, size_t max, int64_t deadline, char *why)
{
	if (c->tls != NULL)
		return read_tls(c, to, max, deadline, why);
	for (;;) {
		ssize_t r = read(c->fd, to, max);

		if (r > 0)
			return r;
		if (r == 0) {
			snprintf(why, WHY_SIZE, "connection lost");
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN ||
		    deadline_wait(c->fd, POLLIN, deadline) == -1) {
			snprintf(why, WHY_SIZE, "%s", strerror(errno));
			return -1;
		}
	}
}

int
conn_write(struct conn *c, struct span s, int64_t deadline, char *why)
{
	while (c->tls != NULL && s.n > 0) {
		size_t n;
		enum tls_result r = tls_write(c->tls, s.p, s.n, &n);

		if (r == TLS_DONE)
			span_take(&s, n);
		else if (!wait_tls(c, r, deadline, why))
			return -1;
	}
	if (write_all(c->fd, s.p, s.n, deadline) == -1) {
		snprintf(why, WHY_SIZE, "%s", strerror(errno));
		return -1;
	}
	return 0;
}

void
conn_close(struct conn *c)
{
	if (c->tls != NULL) {
		tls_shutdown(c->tls);
		tls_free(c->tls);
	}
	if (c->fd != -1)
		close(c->fd);
	*c = (struct conn){ .fd = -1 };
}
