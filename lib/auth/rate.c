#include "auth/rate.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { UNTIL, HOUR, MESSAGES, MESSAGES_BEFORE, RCPTS, RCPTS_BEFORE };

uint64_t
rate_sliding(uint32_t before, uint32_t current, unsigned seconds)
{
	uint64_t share = (uint64_t)before * (RATE_HOUR - seconds);

	return current + (share + RATE_HOUR - 1) / RATE_HOUR;
}

/* Bring the numbers to the present hour. */
static void
turn(struct slot *s, int64_t now)
{
	uint32_t hour = (uint32_t)(now / RATE_HOUR);
	bool next = s->v[HOUR] + 1 == hour, same = s->v[HOUR] == hour;

	if (!same) {
		s->v[MESSAGES_BEFORE] = next ? s->v[MESSAGES] : 0;
		s->v[RCPTS_BEFORE] = next ? s->v[RCPTS] : 0;
		s->v[MESSAGES] = s->v[RCPTS] = 0;
	}
	s->v[HOUR] = hour;
	s->v[UNTIL] = (hour + 2) * RATE_HOUR;
}

static bool
over(
    const struct slot *s, int which, uint32_t more, uint64_t limit, int64_t now)
{
	return limit > 0 && more > 0 &&
	    rate_sliding(
		s->v[which + 1], s->v[which], (unsigned)(now % RATE_HOUR)) +
		more >
	    limit;
}

enum rate_result
rate_count(struct slots *f, struct span key, const struct rate_limit *l,
    uint32_t messages, uint32_t rcpts, int64_t now)
{
	enum rate_result r = RATE_OK;
	struct slot s;

	if ((l->messages == 0 && l->rcpts == 0) ||
	    !slots_begin(f, key, now, &s))
		return RATE_OK;
	turn(&s, now);
	if (over(&s, MESSAGES, messages, l->messages, now))
		r = RATE_MESSAGES;
	else if (over(&s, RCPTS, rcpts, l->rcpts, now))
		r = RATE_RCPTS;
	s.v[MESSAGES] += messages;
	s.v[RCPTS] += rcpts;
	slots_end(f, &s, r == RATE_OK);
	return r;
}

void
rate_undo(struct slots *f, struct span key, uint32_t messages, uint32_t rcpts,
    int64_t now)
{
	struct slot s;

	if (!slots_begin(f, key, now, &s))
		return;
	turn(&s, now);
	s.v[MESSAGES] -= messages < s.v[MESSAGES] ? messages : s.v[MESSAGES];
	s.v[RCPTS] -= rcpts < s.v[RCPTS] ? rcpts : s.v[RCPTS];
	slots_end(f, &s, s.found);
}

void
rate_network(const char *ip, char network[RATE_NETWORK_SIZE])
{
	unsigned char b[16];

	network[0] = '\0';
	if (inet_pton(AF_INET, ip, b) == 1)
		snprintf(network, RATE_NETWORK_SIZE, "%d.%d.%d.0/24", b[0],
		    b[1], b[2]);
	else if (inet_pton(AF_INET6, ip, b) == 1)
		snprintf(network, RATE_NETWORK_SIZE,
		    "%02x%02x:%02x%02x:%02x%02x:%02x%02x::/64", b[0], b[1],
		    b[2], b[3], b[4], b[5], b[6], b[7]);
}
