/*
 * slots - what many processes remember by key, in a file of fixed size
 *
 * A file of the state folder.  A key is hashed to a bucket of SLOTS_WAYS
 * places, and known in it by 64 bits of the hash.  Each place has numbers;
 * the first is the time until which they are worth keeping: where a bucket
 * is full, the place that is soonest worthless is given away.  So the file
 * never grows, a flood of keys displaces what matters least, and what is
 * lost is a memory, never mail.
 *
 * The file: a line that names its format, then from SLOTS_HEAD on the
 * buckets.  A place is 8 bytes of hash and SLOTS_NUMBERS big-endian numbers
 * of 32 bits.  It is opened once, before there is a sandbox.
 */
#ifndef IO_SLOTS_H
#define IO_SLOTS_H

#include "base/span.h"

enum { SLOTS_HEAD = 128, SLOTS_WAYS = 4, SLOTS_NUMBERS = 6 };

struct slots {
	int fd; /* -1: nothing is remembered */
	uint32_t buckets;
};

/*
 * Open NAME of the state folder; make it when it is not there.  A `copy` is
 * ours alone, in memory, and what is remembered there is gone with us.
 * 0; -1, and s->fd is -1: errno says why, EINVAL a file of another format.
 */
MUST int slots_open(struct slots *, const char *name, const char *format,
    uint32_t buckets, bool copy);

struct slot {
	bool found; /* else all numbers are 0 */
	uint32_t v[SLOTS_NUMBERS];
	/* its own */
	int64_t at;
	unsigned char tag[8];
};

/*
 * Find a key.  Others wait until slots_end, a moment at most.  False when
 * there is no file; then slots_end does nothing.
 */
bool slots_begin(struct slots *, struct span key, int64_t now, struct slot *);

/* Write what is in v, if `write`, and let others go on. */
void slots_end(struct slots *, const struct slot *, bool write);

#endif
