/*
 * mtoken - what its parts share
 *
 *	main.c        options, words, the answer
 *	keys.c        PEM and JWK files
 *	introspect.c  ask the server that made the token
 *	https.c       a request and its response
 */
#ifndef CMD_MTOKEN_H
#define CMD_MTOKEN_H

#include "auth/http.h"
#include "auth/jwt.h"
#include "base/die.h"

struct mtoken {
	char token[LIMIT_TOKEN + 1];
	struct claims_want want;
	const char *keys;             /* jwt */
	const char *url, *login, *ca; /* introspect */
	int64_t deadline;
	const char *why; /* of PERM, and of TEMP where something is known */
	char text[256];  /* room for it */
	char address[LIMIT_ADDRESS + 1];
};

/* A path below the configuration folder unless it begins with "/". */
void mtoken_path(char path[LIMIT_PATH], const char *name);

/* Both leave the address of a good token in m; PERM says it is not good. */
enum verdict mtoken_jwt(struct mtoken *);
enum verdict mtoken_introspect(struct mtoken *);

/*
 * Send the request (host and port of the URL) and read all of the
 * response.  False, with m->why.
 */
MUST bool https_ask(struct mtoken *, const struct http_url *,
    struct span request, struct buf *response);

#endif
