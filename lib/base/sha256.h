/*
 * sha256 - SHA-256, HMAC and PBKDF2 with it
 *
 * For passwords (SCRAM, RFC 7677) and for programs that must start as
 * cheaply as an empty one: OpenSSL's EVP takes 2.5 ms to be ready.  FIPS
 * 180-4, RFC 2104, RFC 8018.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/span.h"

enum { SHA256_LEN = 32, SHA256_BLOCK = 64 };

struct sha256 {
	uint32_t h[8];
	uint64_t n; /* bytes so far */
	unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *);
void sha256_put(struct sha256 *, struct span);

/* The digest; the struct must be made fresh before another use. */
void sha256_end(struct sha256 *, unsigned char digest[SHA256_LEN]);

/* All of it at once. */
void sha256_of(struct span, unsigned char digest[SHA256_LEN]);

/* digest may lie in what data points to. */
void sha256_hmac(
    struct span key, struct span data, unsigned char digest[SHA256_LEN]);

/* One block of output, which is what SCRAM's Hi() wants.  rounds > 0. */
void sha256_pbkdf2(struct span password, struct span salt, uint32_t rounds,
    unsigned char digest[SHA256_LEN]);

#endif
