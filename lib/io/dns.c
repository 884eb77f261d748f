#include "io/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/dnsmsg.h"
#include "io/fs.h"
#include "io/net.h"
#include "io/out.h"
#include "io/stop.h"

enum {
	SERVERS_MAX = 4,
	ROUNDS = 2,
	PATIENCE_MS = 3000,
	BATCH_PATIENCE_MS = 1500,
	HOPS = 8
};

struct server {
	struct sockaddr_storage addr;
	socklen_t len;
	bool loopback; /* its word on DNSSEC is trusted */
};

static struct server servers[SERVERS_MAX];
static size_t nservers;

static void
add_server(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai;
	struct server *s = &servers[nservers];

	if (nservers == SERVERS_MAX ||
	    getaddrinfo(host, port, &hints, &ai) != 0)
		return;
	memcpy(&s->addr, ai->ai_addr, ai->ai_addrlen);
	s->len = ai->ai_addrlen;
	s->loopback = strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
	nservers++;
	freeaddrinfo(ai);
}

static void
read_resolv_conf(void)
{
	static struct conf c;
	struct span line;

	if (conf_open_path(&c, "/etc/resolv.conf") == -1)
		return;
	while (conf_next(&c, &line) == 1) {
		char host[NET_IP_SIZE];

		if (span_is(span_word(&line), "nameserver") &&
		    span_cstr(span_word(&line), host, sizeof(host)))
			add_server(host, "53");
	}
	conf_close(&c);
}

static void
find_servers(void)
{
	const char *env = getenv("PNEU_DNS");
	struct net_addr a;
	char port[8];

	if (nservers > 0)
		return;
	if (env != NULL && env[0] != '\0') {
		if (!net_parse(env, &a) || a.kind != NET_TCP)
			return;
		snprintf(port, sizeof(port), "%u", (unsigned)a.port);
		add_server(a.host, port);
		return;
	}
	read_resolv_conf();
	if (nservers == 0)
		add_server("127.0.0.1", "53");
}

struct question {
	struct span name;
	enum dns_type type;
	uint16_t id;
	unsigned char bytes[DNSMSG_QUERY_MAX];
	size_t n;
};

/* By TCP: two octets of length before each message. */
static bool
ask_tcp(struct arena *a, const struct server *s, const struct question *q,
    int64_t deadline, struct dnsmsg *d)
{
	static char buf[65536];
	unsigned char head[2] = { (unsigned char)(q->n >> 8),
		(unsigned char)q->n };
	int fd = socket(
	    s->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t n = 0, want = 2;
	bool ok = false;

	if (fd == -1)
		return false;
	if ((connect(fd, (const struct sockaddr *)&s->addr, s->len) == 0 ||
		errno == EINPROGRESS) &&
	    deadline_wait(fd, POLLOUT, deadline) == 0 &&
	    write_all(fd, head, 2, deadline) == 0 &&
	    write_all(fd, q->bytes, q->n, deadline) == 0)
		while (n < want && deadline_wait(fd, POLLIN, deadline) == 0) {
			ssize_t r = read(fd, buf + n, want - n);

			if (r == -1 && errno == EAGAIN)
				continue;
			if (r <= 0)
				break;
			n += (size_t)r;
			if (n == 2 && want == 2)
				want = 2 +
				    ((size_t)(unsigned char)buf[0] << 8 |
					(unsigned char)buf[1]);
		}
	close(fd);
	if (n > 2 && n == want)
		ok = dnsmsg_parse(a, (struct span){ buf + 2, n - 2 }, q->id,
		    q->name, q->type, d);
	return ok;
}

/* One question to one server; false when it does not answer. */
static bool
ask(struct arena *a, const struct server *s, const struct question *q,
    int64_t deadline, struct dnsmsg *d)
{
	static char buf[4096];
	int fd = socket(
	    s->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok = false;

	/* connected: only this server's answers reach us */
	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)&s->addr, s->len) == -1 ||
	    send(fd, q->bytes, q->n, 0) == -1) {
		if (fd != -1)
			close(fd);
		return false;
	}
	while (!ok && deadline_wait(fd, POLLIN, deadline) == 0) {
		ssize_t r = recv(fd, buf, sizeof(buf), 0);

		if (r == -1 && errno != EAGAIN)
			break;
		if (r > 0)
			ok = dnsmsg_parse(a, (struct span){ buf, (size_t)r },
			    q->id, q->name, q->type, d);
	}
	close(fd);
	if (ok && d->truncated)
		ok = ask_tcp(a, s, q, deadline, d);
	return ok;
}

static enum dns_result
ask_all(struct arena *a, struct span name, enum dns_type type, int64_t deadline,
    struct dnsmsg *d)
{
	struct question q = { .name = name, .type = type };

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < nservers; i++) {
			int64_t each = deadline_now() + PATIENCE_MS;

			if (deadline_left(deadline) == 0)
				return DNS_TEMP;
			fs_random(&q.id, sizeof(q.id));
			q.n = dnsmsg_query(q.bytes, q.id, name, type);
			if (q.n == 0)
				return DNS_BAD;
			if (ask(a, &servers[i], &q,
				each < deadline ? each : deadline, d) &&
			    d->result != DNS_TEMP) {
				d->answer.secure &= servers[i].loopback;
				return d->result;
			}
		}
	return DNS_TEMP;
}

enum dns_result
dns_query(struct arena *a, struct span name, enum dns_type type,
    int64_t deadline, struct dns_answer *answer)
{
	struct dnsmsg d;
	enum dns_result r = DNS_TEMP;

	find_servers();
	*answer = (struct dns_answer){ 0 };
	for (int hop = 0; hop < HOPS; hop++) {
		r = ask_all(a, name, type, deadline, &d);
		if (r == DNS_OK)
			*answer = d.answer;
		if (r != DNS_NODATA || d.cname.n == 0)
			return r;
		name = d.cname;
	}
	return DNS_TEMP; /* a chain that long is an accident */
}

bool
dns_batch_add(struct dns_batch *b, struct span name, enum dns_type type)
{
	if (b->n == DNS_BATCH_MAX)
		return false;
	b->v[b->n++] = (struct dns_ask){ .name = name,
		.now = name,
		.type = type,
		.result = DNS_TEMP,
		.fd = -1 };
	return true;
}

static void
finish(struct dns_batch *b, struct dns_ask *k, enum dns_result r)
{
	k->result = r;
	k->done = true;
	if (b->answered != NULL)
		b->answered(b, k);
}

static void
close_ask(struct dns_ask *k)
{
	if (k->fd != -1)
		close(k->fd);
	k->fd = -1;
}

/* Ask the next server, from a port and with an id of its own. */
static void
send_ask(struct dns_batch *b, struct dns_ask *k)
{
	unsigned char bytes[DNSMSG_QUERY_MAX];
	const struct server *s;
	size_t n;

	close_ask(k);
	if (nservers == 0 || k->tries == ROUNDS * nservers) {
		finish(b, k, DNS_TEMP);
		return;
	}
	s = &servers[k->tries++ % nservers];
	k->again = deadline_now() + BATCH_PATIENCE_MS;
	fs_random(&k->id, sizeof(k->id));
	n = dnsmsg_query(bytes, k->id, k->now, k->type);
	if (n == 0) {
		finish(b, k, DNS_BAD);
		return;
	}
	k->fd = socket(
	    s->addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->fd == -1 ||
	    connect(k->fd, (const struct sockaddr *)&s->addr, s->len) == -1 ||
	    send(k->fd, bytes, n, 0) == -1)
		k->again = 0; /* the next one, at once */
}

/* The same by TCP, which is rare enough to be waited for. */
static bool
ask_again_by_tcp(
    struct arena *a, struct dns_ask *k, int64_t deadline, struct dnsmsg *d)
{
	struct question q = { .name = k->now, .type = k->type, .id = k->id };
	int64_t each = deadline_now() + BATCH_PATIENCE_MS;

	q.n = dnsmsg_query(q.bytes, q.id, k->now, k->type);
	return ask_tcp(a, &servers[(k->tries - 1) % nservers], &q,
	    each < deadline ? each : deadline, d);
}

static void
take_answer(
    struct arena *a, struct dns_batch *b, struct dns_ask *k, int64_t deadline)
{
	static char buf[4096];
	ssize_t n = recv(k->fd, buf, sizeof(buf), 0);
	struct dnsmsg d;

	if (n == -1 && errno == EAGAIN)
		return;
	if (n == -1)
		k->again = 0; /* nobody is there */
	if (n <= 0 ||
	    !dnsmsg_parse(
		a, (struct span){ buf, (size_t)n }, k->id, k->now, k->type, &d))
		return;
	if ((d.truncated && !ask_again_by_tcp(a, k, deadline, &d)) ||
	    d.result == DNS_TEMP) {
		k->again = 0;
		return;
	}
	close_ask(k);
	if (d.result == DNS_NODATA && d.cname.n > 0 && k->hops++ < HOPS) {
		k->now = d.cname;
		k->tries = 0;
		send_ask(b, k);
		return;
	}
	k->answer = d.answer;
	k->answer.secure &= servers[(k->tries - 1) % nservers].loopback;
	finish(b, k, d.result);
}

/* Wait for any of them.  False at the deadline, or when we are to end. */
static bool
wait_batch(struct arena *a, struct dns_batch *b, int64_t deadline)
{
	struct pollfd p[DNS_BATCH_MAX + 1];
	int64_t until = deadline;
	size_t n = b->n;
	int r;

	for (size_t i = 0; i < n; i++) {
		p[i] = (struct pollfd){ b->v[i].fd, POLLIN, 0 };
		if (!b->v[i].done && b->v[i].again < until)
			until = b->v[i].again;
	}
	p[n] = (struct pollfd){ stop_fd(), POLLIN, 0 };
	r = poll(p, (nfds_t)n + 1, deadline_left(until));
	if (r > 0 && p[n].revents != 0)
		return false;
	for (size_t i = 0; r > 0 && i < n; i++)
		if (p[i].revents != 0 && !b->v[i].done)
			take_answer(a, b, &b->v[i], deadline);
	return deadline_left(deadline) > 0;
}

/* Send what is due; false when all is answered. */
static bool
send_due(struct dns_batch *b)
{
	bool open = false;

	for (size_t i = 0; i < b->n; i++) {
		struct dns_ask *k = &b->v[i];

		while (
		    !k->done && (k->fd == -1 || deadline_left(k->again) == 0))
			send_ask(b, k);
		open = open || !k->done;
	}
	return open;
}

void
dns_batch_run(struct arena *a, struct dns_batch *b, int64_t deadline)
{
	find_servers();
	while (send_due(b) && wait_batch(a, b, deadline))
		continue;
	for (size_t i = 0; i < b->n; i++)
		close_ask(&b->v[i]);
}

const char *
dns_result_name(enum dns_result r)
{
	switch (r) {
	case DNS_OK:
		return "ok";
	case DNS_NODATA:
		return "no data";
	case DNS_NXDOMAIN:
		return "no such domain";
	case DNS_TEMP:
		return "no answer";
	case DNS_BAD:
		break;
	}
	return "not a domain name";
}
