/*
 * hash - a password against a {SCHEME}hash, as Dovecot writes them
 *
 * {SCRAM-SHA-256}iterations,salt,stored-key,server-key (RFC 5803 without
 * its first part), {SHA512-CRYPT}, {SHA256-CRYPT}, {BLF-CRYPT} and {CRYPT}
 * by crypt(3), and {PLAIN}.  Comparisons take constant time.
 */
#ifndef AUTH_HASH_H
#define AUTH_HASH_H

#include "base/span.h"

enum hash_result {
	HASH_NO,
	HASH_YES,
	HASH_BAD /* of no scheme that we know, or malformed */
};

/* Whether it looks like one of the above; costs nothing. */
bool hash_is_known(struct span hash);

/*
 * Takes as long as the scheme wants.  The password is not empty.  memo, all
 * zero at first, makes further secrets of the same salt cost nothing; it
 * belongs to one password, and is to be wiped.
 */
struct scram_secret;
enum hash_result hash_check(
    struct span hash, const char *password, struct scram_secret *memo);

/* The keys of a {SCRAM-SHA-256}; false for any other. */
MUST bool hash_scram(struct span hash, struct scram_secret *);

/* The name of its scheme as we write it, NULL when not known. */
const char *hash_scheme(struct span hash);

#endif
