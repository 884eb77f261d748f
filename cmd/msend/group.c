/*
 * Recipients of one next hop go in one transaction, also those of
 * different domains with the same hosts.
 */
#include "io/log.h"
#include "mail/addr.h"
#include "mail/idn.h"
#include "msend.h"

static struct {
	struct route route;
	struct span domain; /* of the first that led here */
} groups[LIMIT_JOB_RCPTS];
static size_t ngroups;

static bool strict; /* the message cares whether a route is secure */

static const size_t NOWHERE = LIMIT_JOB_RCPTS; /* no group */

static bool
has_host(const struct route *r, const struct host *h)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->hosts[i].addr.host, h->addr.host) == 0)
			return true;
	return false;
}

static bool
same_hosts(const struct route *a, const struct route *b)
{
	if (a->n == 0 || a->n != b->n || (strict && a->secure != b->secure))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!has_host(b, &a->hosts[i]))
			return false;
	return true;
}

static size_t
group_of(struct span domain)
{
	for (size_t g = 0; g < ngroups; g++)
		if (!opt.by_mx || idn_same(groups[g].domain, domain))
			return g;
	groups[ngroups].domain = domain;
	route_find(domain, &groups[ngroups].route);
	for (size_t g = 0; g < ngroups; g++)
		if (same_hosts(&groups[g].route, &groups[ngroups].route))
			return g;
	return ngroups++;
}

static struct span
domain_of(struct span address)
{
	struct span local, domain;

	return addr_split(address, &local, &domain) ? domain : SPAN("");
}

static void
log_result(const struct message *m, const struct smtpc_rcpt *r)
{
	static const char *const events[] = { "sent", "defer", "bounce" };
	struct logline l;

	log_begin(&l, events[r->verdict]);
	log_span(&l, "from", m->sender);
	log_span(&l, "rcpt", r->address);
	if (session_host()[0] != '\0')
		log_str(&l, "host", session_host());
	if (session_tls()[0] != '\0')
		log_str(&l, "tls", session_tls());
	log_str(&l, "code", r->code);
	log_str(&l, "text", r->text);
	log_end(&l);
}

static void
explain(const struct smtpc_rcpt *r, const struct route *route)
{
	for (size_t i = 0; i < route->n; i++)
		printf("%.*s\ttry %s port %u\t%s\n", (int)r->address.n,
		    r->address.p,
		    route->hosts[i].addr.kind == NET_TCP &&
			    route->hosts[i].addr.host[0] != '\0'
			? route->hosts[i].addr.host
			: route->hosts[i].name,
		    (unsigned)route->hosts[i].addr.port,
		    opt.by_mx ? route->hosts[i].name : "-h");
	if (route->n == 0)
		printf("%.*s\t%s %s\t%s\n", (int)r->address.n, r->address.p,
		    route->verdict == PERM ? "refuse" : "later", route->code,
		    route->why);
}

/* The members of a group, as an array of their own and back again. */
static void
send_group(const struct message *m, struct smtpc_rcpt *r, size_t n,
    const size_t *of, size_t g)
{
	static struct smtpc_rcpt part[LIMIT_JOB_RCPTS];
	char key[NEXT_HOP_SIZE];
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (of[i] == g)
			part[k++] = r[i];
	snprintf(key, sizeof(key), "%.*s", (int)groups[g].domain.n,
	    opt.by_mx ? groups[g].domain.p : "");
	session_send(m, &groups[g].route, opt.by_mx ? key : "-h", part, k);
	k = 0;
	for (size_t i = 0; i < n; i++)
		if (of[i] == g)
			r[i] = part[k++];
	/* of a job the queue logs what became of it */
	for (size_t i = 0; m->id == NULL && i < k; i++)
		log_result(m, &part[i]);
}

void
send_all(const struct message *m, struct smtpc_rcpt *r, size_t n)
{
	size_t of[LIMIT_JOB_RCPTS];

	ngroups = 0;
	strict = m->requiretls;
	for (size_t i = 0; i < n; i++)
		of[i] =
		    r[i].decided ? NOWHERE : group_of(domain_of(r[i].address));
	for (size_t i = 0; opt.explain && i < n; i++) {
		const struct route *route = &groups[of[i]].route;

		explain(&r[i], route);
		r[i].decided = true;
		r[i].verdict = route->n > 0 ? OK : route->verdict;
		snprintf(r[i].code, sizeof(r[i].code), "%s",
		    route->n > 0 ? "2.0.0" : route->code);
	}
	if (opt.explain)
		return;
	for (size_t g = 0; g < ngroups; g++)
		send_group(m, r, n, of, g);
}
