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
 * An address from which a user logged in within 30 days is known: what
 * others do delays nobody there, neither at that address nor with that
 * name.  A wrong secret that was shown before for the same name counts
 * once: it is a device with an old password.  Of secrets and of known
 * addresses 45 bits of a keyed hash are kept.
 *
 * The file: "pneu-logins 1\n", two more LF, then three tables of slots of
 * two big-endian numbers of 32 bits: a time, and a count or a mark.
 */
#ifndef AUTH_PENALTY_H
#define AUTH_PENALTY_H

#include "base/sha256.h"

enum { PENALTY_MAX = 15 };

/* The mark of a secret that somebody showed; see penalty_add. */
void penalty_mark(
    const char *user, struct span secret, unsigned char mark[SHA256_LEN]);

/*
 * Note a failure.  The larger of both counts, this one included, and at
 * most PENALTY_MAX; 0 when nothing can be remembered.  mark: of the secret,
 * or NULL where it was not seen.
 */
unsigned penalty_add(
    const char *ip, const char *user, const unsigned char *mark, int64_t now);

/* The user logged in from there. */
void penalty_good(const char *ip, const char *user, int64_t now);

#endif
