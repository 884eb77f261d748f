/*
 * pattern - a word of the pattern language, held against a message
 *
 *	from: to: auth:   ADDRESS, @DOMAIN, DOMAIN, .DOMAIN (and below), *,
 *	                  <> (nobody)
 *	peer:             an address or CIDR, or *
 *	helo: client:     a name, .DOMAIN or *; client:unknown when the address
 *	                  has no name that leads back to it
 *	status:           new, active, deferred, held
 *	older:            seconds, or with s, m, h, d behind it
 *	larger:           bytes, or with K, M, G
 *	route:            the name or the whole text of a command
 *
 * A word with no such prefix is for the recipient.  Where a client is at
 * hand there is also
 *
 *	dnsbl:            ZONE[=ADDRESS or CIDR]: the peer is listed there
 *
 * A fact may be unknown: not yet said by the client, or not answered by
 * DNS.  pattern_judge tells these from "no"; pattern_match does not.
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
	PATTERN_LARGER,
	PATTERN_DNSBL
};

struct pattern {
	enum pattern_kind kind;
	struct span value; /* points into the word */
	uint64_t n;        /* older, larger */
	struct span among; /* dnsbl: the answers that count, or empty */
};

/* What a list of DNS says about the peer. */
struct pattern_list {
	struct span zone;
	bool failed; /* no answer: not listed, as far as we know */
	unsigned n;
	unsigned char answer[16][4];
};

struct pattern_facts {
	struct span from, to, auth, peer, helo, client, route, status;
	uint64_t age, size;
	const struct pattern_list *lists;
	size_t nlists;
	bool client_unasked; /* the client's name is nobody's business */
	bool client_failed;  /* no name because DNS did not answer */
	unsigned not_yet;    /* 1 << kind: the client has not said it yet */
};

enum pattern_answer {
	PATTERN_NO,
	PATTERN_YES,
	PATTERN_FAILED, /* DNS did not answer */
	PATTERN_NOT_YET /* the client has not said it yet */
};

/* Whether a word begins with one of the prefixes. */
bool pattern_is(struct span word);

/* False when it is not a pattern. */
MUST bool pattern_parse(struct span word, struct pattern *);

/* The same for a word that begins with "dnsbl:". */
MUST bool pattern_parse_dnsbl(struct span word, struct pattern *);

enum pattern_answer pattern_judge(
    const struct pattern *, const struct pattern_facts *);

/* "from:", "dnsbl:" ... */
const char *pattern_name(enum pattern_kind);

/* Whether it is PATTERN_YES. */
bool pattern_match(const struct pattern *, const struct pattern_facts *);

#endif
