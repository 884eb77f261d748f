/*
 * secrets - the file `secrets`
 *
 * ADDRESS:LABEL:SCOPES:HASH:EXPIRES a line, pneu-secrets(5).  A user may
 * have several, and any of them may match.  Read for each question, never
 * kept.  A bad line hurts only itself; while there is one, a "no" that
 * rests on the file is SECRETS_LATER.
 */
#ifndef AUTH_SECRETS_H
#define AUTH_SECRETS_H

#include "base/span.h"

enum { SECRETS_LABEL_MAX = 63 };

enum secrets_result {
	SECRETS_OK,
	SECRETS_WRONG,
	SECRETS_SCOPE,   /* proved, by a secret that is not for this */
	SECRETS_EXPIRED, /* the same, by one whose time is over */
	SECRETS_LATER    /* it can't be said now; logged */
};

/*
 * Check a password of a user (the address of its `users` line) for a scope
 * ("imap", "pop", "send", "sieve").  An empty address is nobody's: it takes
 * as long as a wrong password does and is never OK.  label gets the label
 * of the secret that matched, or "".
 */
enum secrets_result secrets_check(const char *address, const char *scope,
    const char *password, int64_t now, char label[SECRETS_LABEL_MAX + 1]);

#endif
