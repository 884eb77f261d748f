/*
 * mtls - what its files share
 *
 *	main.c     options; serves one connection or listens
 *	listen.c   the listener: sockets, limits, keys, children
 *	session.c  one connection: who the peer is, the program's start
 *	half.c     the half of a connection that speaks TLS
 */
#ifndef MTLS_H
#define MTLS_H

#include <sys/types.h>

#include "io/net.h"
#include "io/tls.h"

enum mode { MODE_PLAIN, MODE_IMPLICIT, MODE_STARTTLS };

struct mtls {
	enum mode mode;
	char *const *program; /* argv of what is run */
	const char *service;  /* its base name, for the log */
	bool become;          /* root: run it as uid and gid */
	uid_t uid;
	gid_t gid;
	uid_t tls_uid; /* pneu-tls */
	gid_t tls_gid;
	struct tls_ctx *ctx; /* NULL: load when TLS is asked for */
};

/* Make m->ctx with the keys of the configuration; dies without any. */
void keys_load(struct mtls *);

/* Load them again if their files changed; keeps the last good pair. */
void keys_refresh(struct mtls *);

/*
 * Serve one connection on fd and become the program; does not return.
 * given: the connection was opened by a launcher, whose UCSPI variables
 * count.
 */
_Noreturn void session(struct mtls *, int fd, bool given);

/*
 * The TLS half, for good: handshake on net before TIME_HANDSHAKE, facts
 * to the other half, then bytes between net and app until both have
 * ended.  ctl: with MODE_IMPLICIT facts are written there; with
 * MODE_STARTTLS it is SSLCTLFD's other end, and all waits for its 'y'.
 */
_Noreturn void half(struct mtls *, int net, int app, int ctl);

/* Listen on these addresses; returns on SIGTERM. */
void listener(struct mtls *, char *const *addrs, size_t n, char *const *argv);

#endif
