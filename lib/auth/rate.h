/*
 * rate - how much a client or login has sent within an hour
 *
 * Messages and recipients are counted by a key in a file of slots.  What
 * counts is an hour that slides: this hour's, and of the hour before it the
 * share that is not yet over.
 */
#ifndef AUTH_RATE_H
#define AUTH_RATE_H

#include "io/slots.h"

enum { RATE_BUCKETS = 8192, RATE_HOUR = 3600 };

#define RATE_FORMAT "pneu-rates 1"

enum rate_result { RATE_OK, RATE_MESSAGES, RATE_RCPTS };

/* At most so many; 0 for no limit. */
struct rate_limit {
	uint64_t messages, rcpts;
};

/*
 * Count so many more; nothing is counted when that would be too many.
 * RATE_OK also when nothing can be remembered.
 */
enum rate_result rate_count(struct slots *, struct span key,
    const struct rate_limit *, uint32_t messages, uint32_t rcpts, int64_t now);

/* Take a count back. */
void rate_undo(struct slots *, struct span key, uint32_t messages,
    uint32_t rcpts, int64_t now);

/*
 * The sliding count at `now`, seconds into the hour (0..RATE_HOUR-1),
 * rounded up: a share of what was before, and what is now.
 */
uint64_t rate_sliding(uint32_t before, uint32_t current, unsigned seconds);

/*
 * The network of an address as a key: 24 bits of IPv4, 64 of IPv6.  "" for
 * what is none.
 */
enum { RATE_NETWORK_SIZE = 64 };
void rate_network(const char *ip, char network[RATE_NETWORK_SIZE]);

#endif
