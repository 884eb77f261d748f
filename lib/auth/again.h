/*
 * again - look again at a file that may be half written
 *
 * An editor may have emptied a file and be writing it, so a "no" that
 * rests on a file changed less than 2 seconds ago is asked for again,
 * until it has stood for that long or patience ends.
 */
#ifndef AUTH_AGAIN_H
#define AUTH_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

/* All zero is a fresh one; one for each question. */
struct again {
	int64_t until;
};

/* Sleep a little and say true, or false when it has been long enough. */
bool again(struct again *);

#endif
