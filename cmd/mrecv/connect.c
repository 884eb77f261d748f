/*
 * Before the greeting: what the policy has to know of the client.  DNS is
 * asked about its address alone, for what `access` needs, all at once.
 */
#include <arpa/inet.h>
#include <errno.h>

#include "dry.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/dns.h"
#include "io/log.h"
#include "mail/addr.h"
#include "policy.h"

enum { ARENA_MAX = 64 * 1048576, REVERSED_MAX = 64 };

struct policy policy;

static struct dns_batch batch;

/* An address, as the front of a name below in-addr.arpa or a list. */
static bool
reverse(const char *ip, char *to, size_t size, bool *v6)
{
	unsigned char b[16];
	size_t n = 0;

	*v6 = false;
	if (inet_pton(AF_INET, ip, b) == 1) {
		snprintf(to, size, "%d.%d.%d.%d", b[3], b[2], b[1], b[0]);
		return true;
	}
	*v6 = inet_pton(AF_INET6, ip, b) == 1;
	for (int i = 15; *v6 && i >= 0; i--)
		n += (size_t)snprintf(to + n, size - n, "%x.%x%s", b[i] & 15,
		    b[i] >> 4, i > 0 ? "." : "");
	return *v6;
}

static bool
knows(struct span zone)
{
	for (size_t i = 0; i < policy.nlists; i++)
		if (span_ieq(policy.lists[i].zone, zone))
			return true;
	return false;
}

/* The lists that are named; whether the client's name is needed. */
static bool
gather(void)
{
	struct access *t = &policy.access;
	bool name = false;

	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i].npatterns; k++) {
			const struct pattern *p = &t->v[i].patterns[k];

			name = name || p->kind == PATTERN_CLIENT;
			if (p->kind != PATTERN_DNSBL || knows(p->value))
				continue;
			if (policy.nlists == LIMIT_DNSBLS) {
				log_error("access", "too many lists of DNS");
				t->doubtful = true;
				return name;
			}
			policy.lists[policy.nlists++].zone = p->value;
		}
	return name;
}

static void
ask(const char *front, struct span zone, enum dns_type type)
{
	char name[LIMIT_DOMAIN + REVERSED_MAX + 2];

	snprintf(name, sizeof(name), "%s.%.*s", front, (int)zone.n, zone.p);
	(void)!dns_batch_add(
	    &batch, span_of(arena_str(&policy.arena, span_of(name))), type);
}

/* A name is believed when it leads back to the address. */
static void
confirm(struct dns_batch *b, const struct dns_ask *k)
{
	const bool *v6 = b->arg;

	if (k->type != DNS_PTR || k->result != DNS_OK)
		return;
	for (size_t i = 0; i < k->answer.n && i < LIMIT_CLIENT_NAMES; i++) {
		struct span name = k->answer.rr[i].data;

		if (addr_domain_valid(name) && addr_is_ascii(name) &&
		    *name.p != '[')
			(void)!dns_batch_add(b, name, *v6 ? DNS_AAAA : DNS_A);
	}
}

static void
take_list(
    const struct mrecv *m, struct pattern_list *l, const struct dns_ask *k)
{
	char said[INET_ADDRSTRLEN];

	l->failed = k->result == DNS_TEMP;
	if (l->failed)
		log_error(k->name.p, dns_result_name(k->result));
	for (size_t i = 0; i < k->answer.n && l->n < 16; i++)
		memcpy(l->answer[l->n++], k->answer.rr[i].data.p, 4);
	for (unsigned i = 0; i < l->n; i++)
		dry_reason(m, "dnsbl", l->zone,
		    inet_ntop(AF_INET, l->answer[i], said, sizeof(said)),
		    k->name.p);
	if (l->n == 0)
		dry_reason(
		    m, "dnsbl", l->zone, dns_result_name(k->result), k->name.p);
}

static void
take_name(struct mrecv *m, const struct dns_ask *k)
{
	unsigned char ip[16];
	size_t n = k->type == DNS_A ? 4 : 16;

	if (inet_pton(n == 4 ? AF_INET : AF_INET6, m->peer.ip, ip) != 1)
		return;
	if (k->result == DNS_TEMP)
		policy.client_failed = true;
	for (size_t i = 0; i < k->answer.n; i++)
		if (m->client[0] == '\0' &&
		    memcmp(k->answer.rr[i].data.p, ip, n) == 0 &&
		    !span_cstr(k->name, m->client, sizeof(m->client)))
			m->client[0] = '\0';
}

static void
ask_dns(struct mrecv *m)
{
	char front[REVERSED_MAX + 1];
	bool v6, wants_name = gather();
	size_t n = wants_name, all;

	if ((!wants_name && policy.nlists == 0) ||
	    !reverse(m->peer.ip, front, sizeof(front), &v6))
		return;
	batch.answered = confirm;
	batch.arg = &v6;
	if (wants_name)
		ask(front, v6 ? SPAN("ip6.arpa") : SPAN("in-addr.arpa"),
		    DNS_PTR);
	for (size_t i = 0; i < policy.nlists; i++)
		ask(front, policy.lists[i].zone, DNS_A);
	dns_batch_run(&policy.arena, &batch,
	    deadline_in((int64_t)limit_of(MRECV_DNS_TIME)));
	for (size_t i = 0; i < policy.nlists; i++)
		take_list(m, &policy.lists[i], &batch.v[n + i]);
	all = n + policy.nlists;
	policy.client_failed = wants_name && batch.v[0].result == DNS_TEMP;
	for (size_t i = all; i < batch.n; i++)
		take_name(m, &batch.v[i]);
	if (m->client[0] != '\0') {
		policy.client_failed = false;
		setenv("TCPREMOTEHOST", m->client, 1);
	}
	if (wants_name)
		dry_reason(m, "client", SPAN(""),
		    m->client[0] != '\0' ? m->client : "unknown",
		    policy.client_failed ? "DNS did not answer"
					 : "what leads back to the address");
}

static void
load(void)
{
	char path[LIMIT_PATH];

	if (access_load(&policy.arena, &policy.access) == 0)
		return;
	policy.access_broken = true;
	log_error(
	    conf_file(path, sizeof(path), "access") ? path : "access", NULL);
}

static bool
is_foreign(const struct mrecv *m)
{
	return !m->known && m->peer.ip[0] != '\0' && !net_is_loopback(&m->peer);
}

void
policy_peer(struct mrecv *m, bool name_failed)
{
	policy.nlists = 0;
	policy.client_failed = name_failed && m->client[0] == '\0';
	policy.foreign = is_foreign(m);
	policy.errors = m->s.errors;
}

void
policy_open(struct mrecv *m)
{
	arena_init(&policy.arena, ARENA_MAX);
	policy.rates.fd = policy.greylist.fd = -1;
	policy.greet_at = deadline_in((int64_t)limit_of(MRECV_GREET_DELAY));
	if (m->lmtp)
		return;
	load();
	policy.foreign = is_foreign(m);
	if (policy.foreign)
		ask_dns(m);
	memory_open(m);
}

static bool
turn_away(struct mrecv *m, int code, const char *text, const char *why)
{
	log_refusal(m, NULL, SPAN(""), code, span_of(why));
	dry_reply(m, "connect", span_of(m->peer.ip), code, text, why);
	smtpd_turn_away(&m->s, code, span_of(text));
	return false;
}

/* Nobody waits, but it is said who would. */
static void
greet_dry(struct mrecv *m, const struct ruling *r)
{
	char because[64];

	snprintf(because, sizeof(because), "greet-delay %llu",
	    (unsigned long long)limit_of(MRECV_GREET_DELAY));
	dry_line(m, "connect", span_of(m->peer.ip), "220",
	    r->allow || !policy.foreign ? "no wait" : because);
}

bool
policy_admit(struct mrecv *m)
{
	static struct ruling r;

	return !access_greeting(m, &r) || turn_away(m, r.code, r.text, r.why);
}

bool
policy_greet(struct mrecv *m)
{
	static struct ruling r;
	const struct smtp_text *t = smtp_text(SMTP_TOO_EARLY);

	if (access_greeting(m, &r))
		return turn_away(m, r.code, r.text, r.why);
	if (m->dry)
		greet_dry(m, &r);
	else if (!r.allow && patience_early(m))
		return turn_away(m, t->code, t->text, t->text);
	return true;
}
