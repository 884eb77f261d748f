/*
 * greylist - who comes for the first time is asked to come again
 *
 * A network, a sender and a recipient that were not seen together before
 * are put off.  Who comes again, not at once but in time, is known from
 * then on, and so is the network: it is a mail server that tries again.
 * Each use makes that last longer.
 */
#ifndef AUTH_GREYLIST_H
#define AUTH_GREYLIST_H

#include "io/slots.h"

enum { GREYLIST_BUCKETS = 32768 };

#define GREYLIST_FORMAT "pneu-greylist 1"

/* Seconds. */
struct greylist_times {
	uint32_t delay; /* before one may come again */
	uint32_t retry; /* within which one must */
	uint32_t known; /* and is known for */
};

enum greylist_result {
	GREYLIST_KNOWN, /* or nothing can be remembered */
	GREYLIST_PASSED,
	GREYLIST_NEW,
	GREYLIST_EARLY
};

/*
 * Ask for a triplet (the addresses in any case), and remember it.  On
 * GREYLIST_NEW and _EARLY *wait is how many seconds are left.
 */
enum greylist_result greylist_ask(struct slots *, struct span network,
    struct span sender, struct span rcpt, const struct greylist_times *,
    int64_t now, uint32_t *wait);

#endif
