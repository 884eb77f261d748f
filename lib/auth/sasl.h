/*
 * sasl - the server's side of the mechanisms
 *
 * PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 and -PLUS (scramd.h), EXTERNAL
 * (RFC 4422, appendix A), OAUTHBEARER (RFC 7628) and XOAUTH2.  Decoded messages
 * in, challenges out, and in the end something to be judged.  Runs in mauth's
 * monitor, so it parses little and strictly.  It asks nobody: what it needs it
 * asks for by its result.  Secrets are wiped by sasl_wipe, or by the next
 * sasl_begin.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "auth/scramd.h"
#include "base/buf.h"
#include "base/limits.h"

enum sasl_result {
	SASL_CHALLENGE, /* send *challenge, then call sasl_next */
	SASL_LOOKUP,    /* call sasl_salt with the salt of user */
	SASL_READY,     /* judge it, by its kind */
	SASL_NO,      /* well formed, but can't be anybody's; user may be "" */
	SASL_REFUSED, /* the same; send *challenge (sasl_refuse), and why */
	SASL_FAILED,  /* a failure that was told has been heard */
	SASL_PROVED,  /* a success that was told has been heard */
	SASL_SYNTAX,
	SASL_MECH /* no such mechanism */
};

enum sasl_kind {
	SASL_PASSWORD, /* user and password, neither empty */
	SASL_PROOF,    /* scram: scramd_proves */
	SASL_TOKEN,    /* token, for user, who may be "" */
	SASL_CERT      /* the certificate of the channel; user may be "" */
};

enum sasl_state {
	SASL_IDLE,
	SASL_PLAIN,
	SASL_LOGIN_USER,
	SASL_LOGIN_PASS,
	SASL_SCRAM_FIRST,
	SASL_SCRAM_SALT,
	SASL_SCRAM_FINAL,
	SASL_EXTERNAL,
	SASL_OAUTHBEARER,
	SASL_XOAUTH2,
	SASL_TOLD_NO,
	SASL_TOLD_YES
};

/* What there is to be had on this connection. */
struct sasl_conf {
	const char *mechs;   /* those that are offered, between blanks */
	struct span binding; /* tls-exporter of the channel, or empty */
};

struct sasl {
	const struct sasl_conf *conf;
	enum sasl_state state;
	enum sasl_kind kind;
	const char *mech; /* as we write it, "" when idle */
	const char *why;  /* of SASL_NO and SASL_REFUSED, for the log */
	char user[LIMIT_LOGIN + 1];
	char password[LIMIT_PASSWORD + 1];
	char token[LIMIT_TOKEN + 1];
	bool plus;
	struct scramd scram;
	char text[512]; /* of a challenge */
};

/* response is NULL when none came with the command.  conf must stay. */
enum sasl_result sasl_begin(struct sasl *, const struct sasl_conf *,
    struct span mech, const struct span *response, struct span *challenge);

/* The answer to a challenge. */
enum sasl_result sasl_next(
    struct sasl *, struct span response, struct span *challenge);

/* After SASL_LOOKUP: the next challenge.  nonce as in scramd_challenge. */
enum sasl_result sasl_salt(struct sasl *, const char *nonce,
    const struct scram_secret *, struct span *challenge);

/* After SASL_READY of a proof: what to send before SASL_PROVED. */
struct span sasl_prove(struct sasl *, const struct scram_secret *);

/*
 * After SASL_READY of a token that is refused: what to send before
 * SASL_FAILED.
 */
struct span sasl_refuse_token(struct sasl *);

void sasl_wipe(struct sasl *);

#endif
