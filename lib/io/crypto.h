/*
 * crypto - public keys and what they sign, by OpenSSL
 *
 * With tls.h the only user of OpenSSL.  For programs that start it anyway:
 * what must start cheaply has base/sha256.h.
 */
#ifndef IO_CRYPTO_H
#define IO_CRYPTO_H

#include "base/span.h"

struct crypto_key;

/*
 * Keys, or NULL: the first PEM block of *pem, a public key or a
 * certificate, which is taken off its front (NULL at the end, and for a
 * block that is neither); or raw numbers, big-endian.
 */
struct crypto_key *crypto_key_pem(struct span *pem);
struct crypto_key *crypto_key_rsa(struct span n, struct span e);
struct crypto_key *crypto_key_p256(struct span x, struct span y);
struct crypto_key *crypto_key_ed25519(struct span x);
void crypto_key_free(struct crypto_key *);

/*
 * Whether the key signed the data, by an algorithm of RFC 7518 and 8037:
 * "RS256" (2048 bits at least), "ES256", "EdDSA".  False also for a key of
 * another kind.
 */
MUST bool crypto_verify(const struct crypto_key *, const char *alg,
    struct span data, struct span signature);

#endif
