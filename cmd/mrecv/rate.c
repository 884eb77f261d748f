/*
 * How much one login, address or network sends within an hour, and whether
 * a recipient comes for the first time: what is remembered in the state
 * folder.  Where that can't be used nothing is limited.
 */
#include "auth/rate.h"

#include <errno.h>

#include "auth/greylist.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/proxies.h"
#include "policy.h"

struct kind {
	const char *name;
	enum mrecv_limit messages, rcpts;
};

/* Who has logged in is counted as the login alone, wherever they are. */
static const struct kind by_login = { "login", MRECV_MESSAGES_LOGIN,
	MRECV_RCPTS_LOGIN };
static const struct kind by_client[2] = {
	{ "address", MRECV_MESSAGES_ADDRESS, MRECV_RCPTS_ADDRESS },
	{ "network", MRECV_MESSAGES_NETWORK, MRECV_RCPTS_NETWORK },
};

static const struct kind *
kinds(const struct mrecv *m, size_t *n)
{
	*n = m->known ? !m->trusted : policy.foreign ? 2 : 0;
	return m->known ? &by_login : by_client;
}

static struct rate_limit
limit_by(const struct kind *k)
{
	return (struct rate_limit){ limit_of(k->messages), limit_of(k->rcpts) };
}

/* The key, with its kind in front. */
static struct span
key_of(const struct mrecv *m, const struct kind *k, char *room, size_t size)
{
	char network[RATE_NETWORK_SIZE];
	const char *who = m->peer.ip;
	int n;

	if (k == &by_login)
		who = m->login;
	if (k == &by_client[1]) {
		rate_network(m->peer.ip, network);
		who = network;
	}
	n = snprintf(room, size, "%s %s", k->name, who);
	for (char *p = room; *p != '\0'; p++)
		*p = to_lower(*p);
	return (struct span){ room, (size_t)n < size ? (size_t)n : size - 1 };
}

static void
open_slots(const struct mrecv *m, struct slots *s, const char *name,
    const char *format, uint32_t n)
{
	char path[LIMIT_PATH];

	if (slots_open(s, name, format, n, m->dry) == 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", conf_path("state"), name);
	log_error(path, errno == EINVAL ? "a file of another format" : NULL);
}

static bool
is_limited(const struct kind *k)
{
	return limit_of(k->messages) > 0 || limit_of(k->rcpts) > 0;
}

/* Also for a peer on this host that may say whom it speaks for. */
void
memory_open(struct mrecv *m)
{
	const struct access *t = &policy.access;
	bool grey = false,
	     limited = is_limited(&by_login) || is_limited(&by_client[0]) ||
	    is_limited(&by_client[1]);

	for (size_t i = 0; i < t->n; i++)
		grey = grey || t->v[i].action == ACCESS_GREYLIST;
	if (!(limited || grey) ||
	    !(m->known || policy.foreign ||
		proxies_allow(m->peer.ip, "xclient")))
		return;
	if (limited)
		open_slots(
		    m, &policy.rates, "rates", RATE_FORMAT, RATE_BUCKETS);
	if (grey && !m->known)
		open_slots(m, &policy.greylist, "greylist", GREYLIST_FORMAT,
		    GREYLIST_BUCKETS);
}

static void
say_rate(struct ruling *r, const struct kind *k, enum rate_result over)
{
	bool messages = over == RATE_MESSAGES;
	struct rate_limit l = limit_by(k);

	*r = (struct ruling){ .no = true, .code = messages ? 450 : 452 };
	snprintf(r->text, sizeof(r->text),
	    "4.7.1 too many %s in an hour, try again later",
	    messages ? "messages" : "recipients");
	snprintf(r->why, sizeof(r->why), "%s-per-%s %llu",
	    messages ? "messages" : "recipients", k->name,
	    (unsigned long long)(messages ? l.messages : l.rcpts));
}

/* The first recipient of a message counts for the message, too. */
void
rate_rule(struct mrecv *m, struct ruling *r)
{
	char room[LIMIT_LOGIN + 16];
	int64_t now = unix_now();
	uint32_t messages = policy.counted ? 0 : 1;
	size_t n, i;
	const struct kind *k = kinds(m, &n);
	enum rate_result over = RATE_OK;

	if (policy.rates.fd == -1)
		return;
	for (i = 0; i < n && over == RATE_OK; i++) {
		struct rate_limit l = limit_by(&k[i]);

		over = rate_count(&policy.rates,
		    key_of(m, &k[i], room, sizeof(room)), &l, messages, 1, now);
	}
	if (over == RATE_OK) {
		policy.counted = true;
		return;
	}
	say_rate(r, &k[--i], over);
	while (i-- > 0) {
		struct rate_limit l = limit_by(&k[i]);

		if (l.messages > 0 || l.rcpts > 0)
			rate_undo(&policy.rates,
			    key_of(m, &k[i], room, sizeof(room)), messages, 1,
			    now);
	}
}

void
greylist_rule(struct mrecv *m, struct ruling *r)
{
	struct greylist_times t = { (uint32_t)limit_of(MRECV_GREYLIST_DELAY),
		(uint32_t)limit_of(MRECV_GREYLIST_RETRY),
		(uint32_t)limit_of(MRECV_GREYLIST_KNOWN) };
	char network[RATE_NETWORK_SIZE];
	uint32_t wait;

	if (!policy.foreign)
		return;
	rate_network(m->peer.ip, network);
	switch (greylist_ask(&policy.greylist, span_of(network),
	    span_of(m->s.sender), span_of(m->s.rcpt), &t, unix_now(), &wait)) {
	case GREYLIST_KNOWN:
	case GREYLIST_PASSED:
		return;
	case GREYLIST_NEW:
	case GREYLIST_EARLY:
		break;
	}
	r->no = true;
	if (r->text[0] != '\0')
		return;
	snprintf(r->text, sizeof(r->text),
	    "4.7.1 greylisted, try again in %lu seconds", (unsigned long)wait);
}
