/*
 * routes - which command serves which recipient, pneu-routes(5)
 *
 *	PATTERN... [user=NAME] COMMAND [ARGUMENT...]
 *
 * The first line that matches wins.  A line that is wrong behind its
 * patterns still matches, with no command, so that its mail waits and is
 * not taken by a later line.
 */
#ifndef QUEUE_ROUTES_H
#define QUEUE_ROUTES_H

#include "base/arena.h"
#include "queue/pattern.h"

enum { ROUTES_MAX = 4194304, ROUTES_ARENA = 64 * 1048576 };

struct route {
	unsigned line;
	struct pattern *patterns;
	size_t npatterns;
	const char *user; /* NULL: the queue's own */
	char **argv;      /* NULL: a bad line */
	const char *text; /* the command as written; "" for a bad line */
	bool deliver;     /* mdeliver */
	bool send;        /* msend */
	bool by_domain;   /* msend without -h: a destination a domain */
};

struct routes {
	struct route *v;
	size_t n;
};

/*
 * Parse the whole text of a file; texts are in the arena.  Bad lines are
 * said as PATH:LINE: what on standard error, unless path is NULL.
 */
void routes_parse(
    struct arena *, struct span text, const char *path, struct routes *);

/*
 * The number of the route, or -1.  An address without a domain
 * (postmaster) is local: the first route to mdeliver serves it.
 */
int routes_find(const struct routes *, const struct pattern_facts *);

#endif
