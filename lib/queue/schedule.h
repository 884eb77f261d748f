/*
 * schedule - when a message is next due, and which one is due first
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "io/ident.h"

/* Seconds: rows of `limits` (retry-first, retry-max, queue-lifetime,
 * delay-notice). */
struct retry {
	int64_t first, max, lifetime, delay;
};

void schedule_limits(struct retry *);

/*
 * When to try again after attempt number `tries` (from 1): first, doubling
 * up to max, spread by a tenth by id, and not past the end of its life.
 */
int64_t schedule_next(const struct retry *, unsigned tries, int64_t received,
    int64_t now, const char *id);

/* What is due further ahead than this is due now: the clock went back. */
int64_t schedule_horizon(const struct retry *);

enum { LEASE_RUN = 10800, LEASE_NEXT = 900, LEASE_MAX = 14400 };

/* A heap of messages by due time. */
struct due {
	int64_t at;
	char id[MAIL_ID_LEN];
};

struct schedule {
	struct due *v;
	size_t n, cap, max;
	bool lost; /* one did not fit: look at the folder again */
};

void schedule_push(struct schedule *, int64_t at, const char *id);

/* Take the first one due at `now` or earlier; false when there is none. */
bool schedule_pop(struct schedule *, int64_t now, char id[MAIL_ID_LEN + 1]);

/* When the first one is due; INT64_MAX when empty. */
int64_t schedule_first(const struct schedule *);

#endif
