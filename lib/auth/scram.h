/*
 * scram - secrets of SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677)
 *
 * As Dovecot stores them: ITERATIONS,SALT,STORED-KEY,SERVER-KEY, the last
 * three in base64.  Passwords are taken as they came: no SASLprep.
 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "auth/hash.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/sha256.h"

/* What new secrets are made with. */
enum { SCRAM_ROUNDS = 10000, SCRAM_SALT = 16 };

struct scram_secret {
	uint32_t rounds;
	size_t nsalt;
	char salt[LIMIT_SCRAM_SALT];
	unsigned char stored[SHA256_LEN], server[SHA256_LEN];
};

/* False for what is malformed or has more rounds than the limit. */
MUST bool scram_parse(struct span, struct scram_secret *);

/* Whether it looks like one; costs next to nothing. */
bool scram_looks(struct span);

/* Both keys of a password; rounds and salt must be set. */
void scram_derive(struct scram_secret *, const char *password);

/*
 * Whether a password is that of a stored secret.  memo: hash_check.
 */
enum hash_result scram_check(
    struct span, const char *password, struct scram_secret *memo);

/* As it is stored, without its scheme. */
void scram_put(struct buf *, const struct scram_secret *);

/* Whether two were made with the same salt and rounds. */
bool scram_same_salt(const struct scram_secret *, const struct scram_secret *);

#endif
