#include "queue/pattern.h"

#include <stdio.h>

#include "base/num.h"
#include "io/cidr.h"
#include "mail/addr.h"

static const char names[11][8] = { "from:", "to:", "auth:", "peer:", "helo:",
	"client:", "route:", "status:", "older:", "larger:", "dnsbl:" };

static int
find(struct span word)
{
	for (int i = 0; i < 10; i++)
		if (span_starts(word, names[i]))
			return i;
	return -1;
}

const char *
pattern_name(enum pattern_kind kind)
{
	return names[kind];
}

bool
pattern_is(struct span word)
{
	return find(word) != -1;
}

/* Digits and at most one letter of units, whose factors are in scale. */
static bool
parse_number(
    struct span s, const char *units, const uint64_t *scale, uint64_t *n)
{
	uint64_t factor = 1;

	if (s.n > 1 && !is_digit(s.p[s.n - 1])) {
		const char *u = strchr(units, s.p[s.n - 1]);

		if (u == NULL || *u == '\0')
			return false;
		factor = scale[u - units];
		s.n--;
	}
	if (!num_u64(s, n) || *n > UINT64_MAX / factor)
		return false;
	*n *= factor;
	return true;
}

static bool
match_ip(struct span want, struct span have)
{
	struct cidr net;
	char ip[64];

	return span_is(want, "*") ||
	    (span_cstr(have, ip, sizeof(ip)) && cidr_parse(want, &net) &&
		cidr_has(&net, ip));
}

bool
pattern_parse(struct span word, struct pattern *p)
{
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	static const uint64_t bytes[] = { 1024, 1048576, 1073741824 };
	struct cidr net;
	int i = find(word);

	*p = (struct pattern){ .kind = PATTERN_TO, .value = word };
	if (i != -1) {
		p->kind = (enum pattern_kind)i;
		span_take(&p->value, strlen(names[i]));
	}
	if (p->value.n == 0)
		return false;
	switch (p->kind) {
	case PATTERN_OLDER:
		return parse_number(p->value, "smhd", seconds, &p->n);
	case PATTERN_LARGER:
		return parse_number(p->value, "KMG", bytes, &p->n);
	case PATTERN_PEER:
		return span_is(p->value, "*") || cidr_parse(p->value, &net);
	case PATTERN_STATUS:
		return span_is(p->value, "new") ||
		    span_is(p->value, "active") ||
		    span_is(p->value, "deferred") || span_is(p->value, "held");
	case PATTERN_FROM:
	case PATTERN_TO:
	case PATTERN_AUTH:
	case PATTERN_HELO:
	case PATTERN_CLIENT:
	case PATTERN_ROUTE:
		break;
	case PATTERN_DNSBL:
		return false;
	}
	return true;
}

bool
pattern_parse_dnsbl(struct span word, struct pattern *p)
{
	struct cidr net;
	size_t eq;

	*p = (struct pattern){ .kind = PATTERN_DNSBL, .value = word };
	if (!span_starts(word, "dnsbl:"))
		return false;
	span_take(&p->value, 6);
	eq = span_chr(p->value, '=');
	if (eq < p->value.n) {
		p->among = p->value;
		p->value = span_take(&p->among, eq);
		span_take(&p->among, 1);
		if (!cidr_parse(p->among, &net) || net.v6)
			return false;
	}
	return addr_domain_valid(p->value) && addr_is_ascii(p->value) &&
	    *p->value.p != '[';
}

static bool
match_domain(struct span want, struct span have)
{
	if (want.n > 0 && *want.p == '.' && have.n > want.n)
		span_take(&have, have.n - want.n);
	return span_ieq(want, have);
}

static bool
match_address(struct span want, struct span have)
{
	struct span local, domain;

	if (span_is(want, "*"))
		return true;
	if (span_is(want, "<>") || have.n == 0)
		return span_is(want, "<>") && have.n == 0;
	if (!addr_split(have, &local, &domain)) {
		local = have;
		domain = SPAN("");
	}
	if (*want.p == '@') {
		span_take(&want, 1);
		return domain.n > 0 && span_ieq(want, domain);
	}
	if (span_rchr(want, '@') < want.n)
		return addr_same(want, have);
	return domain.n > 0 && match_domain(want, domain);
}

static bool
match_route(struct span want, struct span have)
{
	struct span rest = have, word = span_word(&rest);
	size_t slash = span_rchr(word, '/');

	if (slash < word.n)
		span_take(&word, slash + 1);
	return span_is(want, "*") || span_eq(want, have) || span_eq(want, word);
}

/*
 * Without a word about them only answers of 127.0.0.0/8 are listings (RFC
 * 5782, section 2.1).  127.255.255.0/24 tells of a question that the list
 * did not want to answer, and 127.0.0.1 of a zone that is a host again: a
 * list that has gone would list everybody.
 */
static bool
is_listing(struct span among, const unsigned char *ip)
{
	char text[16];

	if (among.n > 0) {
		snprintf(text, sizeof(text), "%d.%d.%d.%d", ip[0], ip[1], ip[2],
		    ip[3]);
		return match_ip(among, span_of(text));
	}
	return ip[0] == 127 && !(ip[1] == 255 && ip[2] == 255) &&
	    !(ip[1] == 0 && ip[2] == 0 && ip[3] <= 1);
}

static enum pattern_answer
match_dnsbl(const struct pattern *p, const struct pattern_facts *f)
{
	for (size_t i = 0; i < f->nlists; i++) {
		const struct pattern_list *l = &f->lists[i];

		if (!span_ieq(l->zone, p->value))
			continue;
		if (l->failed)
			return PATTERN_FAILED;
		for (unsigned k = 0; k < l->n; k++)
			if (is_listing(p->among, l->answer[k]))
				return PATTERN_YES;
	}
	return PATTERN_NO;
}

static enum pattern_answer
match_client(struct span want, const struct pattern_facts *f)
{
	bool yes;

	if (span_is(want, "*"))
		return PATTERN_YES;
	if (f->client_unasked)
		return PATTERN_NO;
	if (span_is(want, "unknown"))
		return f->client.n == 0 ? PATTERN_YES : PATTERN_NO;
	if (f->client.n == 0 && f->client_failed)
		return PATTERN_FAILED;
	yes = f->client.n > 0 && match_domain(want, f->client);
	return yes ? PATTERN_YES : PATTERN_NO;
}

/* Where yes and no are all that there is. */
static bool
match_known(const struct pattern *p, const struct pattern_facts *f)
{
	switch (p->kind) {
	case PATTERN_FROM:
		return match_address(p->value, f->from);
	case PATTERN_TO:
		return match_address(p->value, f->to);
	case PATTERN_AUTH:
		return match_address(p->value, f->auth);
	case PATTERN_PEER:
		return match_ip(p->value, f->peer);
	case PATTERN_HELO:
		return span_is(p->value, "*") ||
		    match_domain(p->value, f->helo);
	case PATTERN_ROUTE:
		return match_route(p->value, f->route);
	case PATTERN_STATUS:
		return span_eq(p->value, f->status);
	case PATTERN_OLDER:
		return f->age > p->n;
	case PATTERN_LARGER:
		return f->size > p->n;
	case PATTERN_CLIENT:
	case PATTERN_DNSBL:
		break;
	}
	return false;
}

enum pattern_answer
pattern_judge(const struct pattern *p, const struct pattern_facts *f)
{
	if ((f->not_yet & 1U << p->kind) != 0)
		return PATTERN_NOT_YET;
	if (p->kind == PATTERN_CLIENT)
		return match_client(p->value, f);
	if (p->kind == PATTERN_DNSBL)
		return match_dnsbl(p, f);
	return match_known(p, f) ? PATTERN_YES : PATTERN_NO;
}

bool
pattern_match(const struct pattern *p, const struct pattern_facts *f)
{
	return pattern_judge(p, f) == PATTERN_YES;
}
