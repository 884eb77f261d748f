/*
 * scramd - the server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS
 *
 * RFC 5802 and RFC 7677; the channel binding is tls-exporter (RFC 9266).
 * Messages in, messages out; nonces and stored keys are the caller's.
 *
 *	scramd_first, scramd_challenge, scramd_final, then scramd_proves for
 *	each secret of the user, and scramd_verifier for the one that did.
 */
#ifndef AUTH_SCRAMD_H
#define AUTH_SCRAMD_H

#include "auth/scram.h"

enum {
	SCRAMD_GS2_MAX = 1024,
	SCRAMD_NONCE = 24,      /* characters that we add */
	SCRAMD_NONCE_MAX = 512, /* of the client */
	SCRAMD_BINDING_MAX = 64
};

enum scramd_result {
	SCRAMD_OK,
	SCRAMD_SYNTAX,
	SCRAMD_REFUSED /* error says why, as the attribute "e" has it */
};

/* All zero is a fresh one. */
struct scramd {
	char gs2[SCRAMD_GS2_MAX]; /* gs2-header */
	size_t ngs2;
	char binding[SCRAMD_BINDING_MAX]; /* the channel's, with "p=" */
	size_t nbinding;
	struct span nonce;              /* in text; the client's, then both */
	char text[3 * LIMIT_SCRAM_MSG]; /* the AuthMessage, as it grows */
	size_t ntext;
	char salt[LIMIT_SCRAM_SALT];
	size_t nsalt;
	uint32_t rounds;
	unsigned char proof[SHA256_LEN];
	const char *error; /* "channel-bindings-dont-match" */
};

/*
 * "=2C" and "=3D" in a name become "," and "=" (RFC 5801, section 4).
 * False when it is no such name; "" when it does not fit.
 */
MUST bool scramd_saslname(struct span, char *to, size_t size);

/*
 * client-first-message.  plus: the mechanism is -PLUS.  binding: the data
 * of the channel, empty where there is none; where there is some, a client
 * that says it believed otherwise was lied to.  user gets the name, "" for
 * one that does not fit; *named whether the authorization identity is
 * empty or that name.
 */
MUST enum scramd_result scramd_first(struct scramd *, struct span message,
    bool plus, struct span binding, char *user, size_t size, bool *named);

/*
 * server-first-message, valid until the struct is used again.  nonce: of
 * SCRAMD_NONCE printable characters without a comma.
 */
struct span scramd_challenge(
    struct scramd *, const char *nonce, const struct scram_secret *salt);

/* client-final-message */
MUST enum scramd_result scramd_final(struct scramd *, struct span message);

/* Whether the client has the secret: same salt, same rounds, same key. */
bool scramd_proves(const struct scramd *, const struct scram_secret *);

/* server-final-message, "v=...", into b. */
void scramd_verifier(
    const struct scramd *, const struct scram_secret *, struct buf *b);

#endif
