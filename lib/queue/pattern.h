/*
 * pattern - a word of the pattern language, held against a message
 *
 *	from: to: auth:   ADDRESS, @DOMAIN, DOMAIN, .DOMAIN (and below), *,
 *	                  <> (nobody)
 *	peer:             an address or CIDR, or *
 *	helo: client:     a name, .DOMAIN or *
 *	status:           new, active, deferred, held
 *	older:            seconds, or with s, m, h, d behind it
 *	larger:           bytes, or with K, M, G
 *	route:            the name or the whole text of a command
 *
 * A word with no such prefix is for the recipient.
 */
#ifndef QUEUE_PATTERN_H
#define QUEUE_PATTERN_H

#include "base/span.h"

enum pattern_kind {
	PATTERN_FROM,
	PATTERN_TO,
	PATTERN_AUTH,
	PATTERN_PEER,
	PATTERN_HELO,
	PATTERN_CLIENT,
	PATTERN_ROUTE,
	PATTERN_STATUS,
	PATTERN_OLDER,
	PATTERN_LARGER
};

struct pattern {
	enum pattern_kind kind;
	struct span value; /* points into the word */
	uint64_t n;        /* older, larger */
};

struct pattern_facts {
	struct span from, to, auth, peer, helo, client, route, status;
	uint64_t age, size;
};

/* Whether a word begins with one of the prefixes. */
bool pattern_is(struct span word);

/* False when it is not a pattern. */
MUST bool pattern_parse(struct span word, struct pattern *);

bool pattern_match(const struct pattern *, const struct pattern_facts *);

#endif
