/*
 * jwt - signed tokens and what they claim (RFC 7515, RFC 7519)
 *
 * The compact form with RS256, ES256 or EdDSA.  Nothing is believed here:
 * jwt_parse takes a token apart, the caller verifies its signature, and
 * claims_judge says whether its claims are good for us.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "base/buf.h"
#include "base/limits.h"

struct jwt {
	struct span signed_part; /* of the token */
	struct buf header, claims, signature;
	char alg[16], kid[128]; /* kid "" when there is none */
};

/*
 * False when it is no such token, of another algorithm, or demands an
 * extension (crit).  Then, too, jwt_free.
 */
MUST bool jwt_parse(struct jwt *, struct span token);
void jwt_free(struct jwt *);

/* base64url without padding (RFC 7515, appendix C) */
MUST bool jwt_decode(struct buf *, struct span);

/* What must hold; NULL where it need not. */
struct claims_want {
	const char *issuer, *audience, *scope;
	const char *address; /* the claim that is the address */
	const char *domain;  /* added to one without a domain */
	int64_t now;
	bool must_expire; /* exp must be there */
	bool active;      /* "active" must be true: RFC 7662 */
};

enum { CLAIMS_SKEW = 60 }; /* seconds that clocks may differ */

/*
 * NULL, and the address; or why it is no good ("expired", "audience", ...).
 * claims may be any bytes.
 */
const char *claims_judge(struct span claims, const struct claims_want *,
    char address[LIMIT_ADDRESS + 1]);

#endif
