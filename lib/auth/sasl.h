/*
 * sasl - the server's side of PLAIN (RFC 4616) and LOGIN
 *
 * Decoded messages in, challenges and then a name and a password out.
 * Runs in mauth's monitor, so it parses little and strictly.  The
 * password is wiped by sasl_wipe, or by the next sasl_begin.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "base/limits.h"
#include "base/span.h"

#define SASL_MECHS "PLAIN LOGIN"

enum sasl_result {
	SASL_CHALLENGE, /* send *challenge, then call sasl_next */
	SASL_READY,     /* user and password are there, neither empty */
	SASL_NO, /* well formed, but can't be anybody's; user may be "" */
	SASL_SYNTAX,
	SASL_MECH /* no such mechanism */
};

enum sasl_state { SASL_IDLE, SASL_PLAIN, SASL_LOGIN_USER, SASL_LOGIN_PASS };

struct sasl {
	enum sasl_state state;
	const char *mech; /* as we write it, "" when idle */
	char user[LIMIT_LOGIN + 1];
	char password[LIMIT_PASSWORD + 1];
};

/* response is NULL when none came with the command. */
enum sasl_result sasl_begin(struct sasl *, struct span mech,
    const struct span *response, struct span *challenge);

/* The answer to a challenge. */
enum sasl_result sasl_next(
    struct sasl *, struct span response, struct span *challenge);

void sasl_wipe(struct sasl *);

#endif
