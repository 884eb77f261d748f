#include <arpa/inet.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/dns.h"
#include "io/fs.h"
#include "mail/idn.h"
#include "msend.h"

enum { PATIENCE = 30, ARENA = 1 << 20, SMTP_PORT = 25 };

static void
refuse(struct route *r, enum verdict v, const char *code, const char *why,
    struct span name)
{
	r->n = 0;
	r->verdict = v;
	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->why, sizeof(r->why), "%.*s: %s",
	    (int)(name.n > 100 ? 100 : name.n), name.p, why);
}

static void
add_host(struct route *r, const char *name, const char *ip)
{
	struct host *h;

	if (r->n == HOSTS_MAX)
		return;
	h = &r->hosts[r->n++];
	*h = (struct host){ .addr = { .kind = NET_TCP, .fd = -1 } };
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->addr.host, sizeof(h->addr.host), "%s", ip);
	h->addr.port = opt.hop.port != 0 ? opt.hop.port : SMTP_PORT;
}

/* The addresses of one host.  False when there may be more of them. */
static bool
add_addresses(struct route *r, struct arena *a, struct span name,
    int64_t deadline, bool *exists)
{
	static const enum dns_type types[] = { DNS_AAAA, DNS_A };
	bool answered = true;
	char host[256];

	*exists = false;
	if (!span_cstr(name, host, sizeof(host)))
		return true;
	for (size_t t = 0; t < 2; t++) {
		struct dns_answer ans;
		enum dns_result d =
		    dns_query(a, name, types[t], deadline, &ans);

		if (d == DNS_TEMP)
			answered = false;
		if (d == DNS_OK || d == DNS_NODATA)
			*exists = true;
		for (size_t i = 0; i < ans.n; i++) {
			char ip[NET_IP_SIZE];

			inet_ntop(types[t] == DNS_A ? AF_INET : AF_INET6,
			    ans.rr[i].data.p, ip, sizeof(ip));
			add_host(r, host, ip);
		}
	}
	return answered;
}

/* Explaining, the same answer leads to the same words. */
static bool
before(const struct dns_rr *a, const struct dns_rr *b)
{
	if (a->pref != b->pref)
		return a->pref < b->pref;
	return opt.explain && span_cmp(a->data, b->data) < 0;
}

/* By preference, equal ones in random order. */
static void
sort_mx(struct dns_rr *rr, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		uint32_t dice;
		struct dns_rr t = rr[i - 1];

		fs_random(&dice, sizeof(dice));
		rr[i - 1] = rr[dice % i];
		rr[dice % i] = t;
	}
	for (size_t i = 1; i < n; i++) {
		struct dns_rr t = rr[i];
		size_t k = i;

		for (; k > 0 && before(&t, &rr[k - 1]); k--)
			rr[k] = rr[k - 1];
		rr[k] = t;
	}
}

/* Hosts as good as ourselves, or worse, would send it back to us. */
static size_t
before_us(const struct dns_rr *rr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_ieq(rr[i].data, span_of(conf_me()))) {
			while (i > 0 && rr[i - 1].pref == rr[i].pref)
				i--;
			return i;
		}
	return n;
}

static void
by_mx(struct route *r, struct arena *a, struct span domain,
    struct dns_answer *mx, int64_t deadline)
{
	size_t n;
	bool unanswered = false, exists;

	sort_mx(mx->rr, mx->n);
	if (mx->n == 1 && mx->rr[0].data.n == 0) {
		refuse(r, PERM, "5.1.10", "the domain takes no mail", domain);
		return;
	}
	n = before_us(mx->rr, mx->n);
	if (n == 0) {
		refuse(r, PERM, "5.4.6", "its mail comes back to us", domain);
		return;
	}
	for (size_t i = 0; i < n && i < MX_MAX; i++)
		if (!add_addresses(r, a, mx->rr[i].data, deadline, &exists))
			unanswered = true;
	if (r->n == 0 && unanswered)
		refuse(
		    r, TEMP, "4.4.3", "no answer of DNS for its hosts", domain);
	else if (r->n == 0)
		refuse(r, TEMP, "4.4.4", "its hosts have no address", domain);
}

/* No MX: the domain is its own host, if it has an address. */
static void
by_address(
    struct route *r, struct arena *a, struct span domain, int64_t deadline)
{
	bool exists;

	if (!add_addresses(r, a, domain, deadline, &exists) && r->n == 0)
		refuse(r, TEMP, "4.4.3", "no answer of DNS", domain);
	else if (r->n == 0 && exists)
		refuse(r, PERM, "5.4.4", "neither MX nor address", domain);
	else if (r->n == 0)
		refuse(r, PERM, "5.1.2", "no such domain", domain);
}

/* [192.0.2.1] or [IPv6:2001:db8::1] */
static void
by_literal(struct route *r, struct span domain)
{
	struct span s = { domain.p + 1, domain.n - 2 };
	unsigned char bytes[16];
	char ip[NET_IP_SIZE];
	int family = AF_INET;

	if (span_istarts(s, "IPv6:")) {
		span_take(&s, 5);
		family = AF_INET6;
	}
	if (span_cstr(s, ip, sizeof(ip)) && inet_pton(family, ip, bytes) == 1)
		add_host(r, ip, ip);
	else
		refuse(r, PERM, "5.1.2", "not an address literal", domain);
}

/* The one host of -h. */
static void
by_option(struct route *r)
{
	r->n = 1;
	r->secure = true; /* as far as it goes: said by who set it up */
	r->hosts[0].addr = opt.hop;
	if (opt.hop.kind == NET_FD)
		snprintf(r->hosts[0].name, sizeof(r->hosts[0].name), "fd:%d",
		    opt.hop.fd);
	else
		snprintf(r->hosts[0].name, sizeof(r->hosts[0].name), "%s",
		    opt.hop.host);
}

/* domain is in the ASCII form that DNS knows. */
static void
by_domain(struct route *r, struct arena *a, struct span domain)
{
	int64_t deadline = deadline_in(PATIENCE);
	struct dns_answer mx;

	switch (dns_query(a, domain, DNS_MX, deadline, &mx)) {
	case DNS_OK:
		r->secure = mx.secure;
		by_mx(r, a, domain, &mx, deadline);
		break;
	case DNS_NODATA:
		r->secure = true; /* the certificate is for the domain */
		by_address(r, a, domain, deadline);
		break;
	case DNS_NXDOMAIN:
		refuse(r, PERM, "5.1.2", "no such domain", domain);
		break;
	case DNS_TEMP:
		refuse(r, TEMP, "4.4.3", "no answer of DNS", domain);
		break;
	case DNS_BAD:
		refuse(r, PERM, "5.1.2", "not a domain name", domain);
		break;
	}
}

void
route_find(struct span domain, struct route *r)
{
	struct buf name = { .max = LIMIT_DOMAIN };
	struct arena a;

	*r = (struct route){ 0 };
	if (!opt.by_mx) {
		by_option(r);
	} else if (domain.n > 2 && domain.p[0] == '[' &&
	    domain.p[domain.n - 1] == ']') {
		by_literal(r, domain);
	} else if (!idn_to_ascii(&name, domain)) {
		refuse(r, PERM, "5.1.2", "not a domain name", domain);
	} else {
		arena_init(&a, ARENA);
		by_domain(r, &a, buf_span(&name));
		arena_free(&a);
	}
	buf_free(&name);
}
