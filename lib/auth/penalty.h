/*
 * penalty - failed logins, remembered by address and by name
 *
 * Connections come and go; this is what stays of their failures: a file
 * of fixed size, `logins` in the state folder, that has a slot for each
 * hash of an address (an IPv6 network of 64 bits) and of a name.  Two that
 * share a slot share their delays, which harms nobody.  A count is
 * forgotten an hour after the last failure.  Without a state folder
 * nothing is remembered.
 *
 * The file: "pneu-logins 1\n", two more LF, then slots of two big-endian
 * numbers of 32 bits: the time of the last failure, and the count.
 */
#ifndef AUTH_PENALTY_H
#define AUTH_PENALTY_H

#include "base/span.h"

enum { PENALTY_MAX = 15 };

/*
 * Note a failure.  The larger of both counts, this one included, and at
 * most PENALTY_MAX; 0 when nothing can be remembered.
 */
unsigned penalty_add(const char *ip, const char *user, int64_t now);

/* A name got in: forget its failures. */
void penalty_forget(const char *user);

#endif
