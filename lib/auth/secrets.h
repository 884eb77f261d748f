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

#include "auth/scramd.h"
#include "base/span.h"

enum { SECRETS_LABEL_MAX = 63 };

enum secrets_result {
	SECRETS_OK,
	SECRETS_WRONG,
	SECRETS_SCOPE,   /* proved, by a secret that is not for this */
	SECRETS_EXPIRED, /* the same, by one whose time is over */
	SECRETS_LATER    /* it can't be said now; logged */
};

/* What somebody shows: a password, or (password NULL) a proof of SCRAM. */
struct credential {
	const char *password;
	const struct scramd *proof;
};

/*
 * Check what was shown for a user (the address of its `users` line) and a
 * scope ("imap", "pop", "send", "sieve").  An empty address is nobody's: it
 * takes as long as a wrong password does and is never OK.  label gets the
 * label of the secret that matched, or "", and *found the keys of that one
 * for a proof.
 */
enum secrets_result secrets_check(const char *address, const char *scope,
    const struct credential *, int64_t now, char label[SECRETS_LABEL_MAX + 1],
    struct scram_secret *found);

/*
 * The salt and rounds with which a user can prove a secret by SCRAM; of its
 * secrets, one that is good for the scope now if there is any.  name is
 * what the peer said: for somebody who has no such secret (address "" or
 * not), salt and rounds are made from it, always the same.  False when the
 * file can't be read.
 */
MUST bool secrets_salt(const char *address, const char *name, const char *scope,
    int64_t now, struct scram_secret *);

/*
 * Whether all that the file has can be proved by SCRAM, so that offering
 * it does no harm.
 */
bool secrets_are_scram(void);

/* The parts of a line, and the grammar of two of them. */
struct secret {
	struct span address, label, scopes, hash;
	int64_t expires; /* INT64_MAX: never */
};

/* Why a line is bad, or NULL. */
const char *secrets_parse(struct span line, struct secret *);
bool secrets_scopes_known(struct span);
bool secrets_label_fit(struct span);

#endif
