/*
 * mtls - what its files share
 *
 *	main.c     options; serves one connection or listens
 *	listen.c   the listener: sockets, accepting, children
 *	launch.c   the processes of a connection: which, and when
 *	slots.c    connections that last: limits, in all and by address
 *	renew.c    the listener executed anew, with its sockets and slots
 *	keys.c     the server's keys, read again when they change
 *	session.c  one connection: who the peer is, the program's start
 *	half.c     the half of a connection that speaks TLS: its start
 *	pump.c     the same: bytes in both directions
 *	proxy.c    the same: who is behind a proxy
 */
#ifndef MTLS_H
#define MTLS_H

#include <sys/types.h>

#include "base/limits.h"
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
	int64_t handshake;   /* seconds for all of it */
	struct net_peer peer;
	bool proxied; /* the peer is a proxy: a header comes first */
	bool no_half; /* plain, and there is no pneu-tls */
};

/* Log that a connection ended before the program had it. */
void refuse(const struct mtls *, const char *conn, const char *why);

/* keys.c */

/* Make m->ctx with the keys of the configuration; dies without any. */
void keys_load(struct mtls *);

/* Whether there is a key at all, without reading it; dies if not. */
void keys_look(void);

/* Load them again if their files changed; keeps the last good pair. */
void keys_refresh(struct mtls *);

/* Whether the files, as they are now, could be loaded. */
bool keys_good(struct mtls *);

/* session.c */

/* What the halves of a connection share: the first is the program's end. */
struct pairs {
	int data[2], ctl[2];
};

MUST bool pairs_open(struct pairs *);
void pairs_close(struct pairs *, int end);

/* What the program is told of a connection that is called conn. */
struct env;
void session_env(const struct mtls *, struct env *, const char *conn);

/* Whether a connection has another half at all. */
bool session_has_half(const struct mtls *);

/* Facts (facts.h) that have to come before the program is started. */
unsigned session_facts(const struct mtls *);

/* Become the TLS half of a connection on fd. */
_Noreturn void session_half(struct mtls *, int fd, struct pairs *);

/*
 * Serve one connection on fd, called conn, and become the program; does
 * not return.  m->peer is known.  life: a pipe's end that gets a byte when
 * the program starts and is closed then, or -1.  pairs: with the other
 * ends to the TLS half that runs or is yet to come, closed here; NULL:
 * there is none yet.
 */
_Noreturn void session(
    struct mtls *, int fd, const char *conn, int life, struct pairs *);

/* half.c */

/*
 * The TLS half, for good: a proxy's header, the handshake on net within
 * m->handshake, facts to the other half, then bytes between net and app
 * until both have ended.  ctl: facts are written there; with MODE_STARTTLS
 * it is SSLCTLFD's other end, and TLS waits for its 'y'.
 */
_Noreturn void half(struct mtls *, int net, int app, int ctl);

/*
 * Wait for the peer until the deadline.  Ends this half when it is past,
 * or when the other one has gone and nobody waits for this.
 */
void half_wait(
    const struct mtls *, int net, short events, int ctl, int64_t until);

/* End this half, and log why. */
_Noreturn void half_give_up(const struct mtls *, const char *why);

/* proxy.c */

/* Find out whether the peer is a proxy; NULL, or why it can't be served. */
const char *proxy_look(struct mtls *);

/*
 * Read a proxy's header off net, as half_wait does.  m->peer is then who is
 * behind it, and facts say so.
 */
struct buf;
void proxy_header(
    struct mtls *, int net, int ctl, int64_t until, struct buf *facts);

/* Move bytes until one side has ended and all is written; then close. */
void pump(struct tls *, int net, int app);

/* launch.c */

/* Make what is to be ready; also again and again, when it has gone. */
void launch_prepare(struct mtls *);

/* To be polled, or -1; and what it says. */
int launch_fd(void);
void launch_hear(void);

/* Nothing is handed to what is ready any more. */
void launch_end(void);

/*
 * Start what serves fd, which is closed here in any case; false, and
 * errno, when that can't be.
 */
bool launch(struct mtls *, int fd, const char *conn);

/* A program has asked for the TLS half of its connection, or has ended. */
struct slot;
void launch_half(struct mtls *, struct slot *);

/* slots.c */

/* What a TLS half that was not asked for yet will need. */
struct parked {
	int net, data, ctl; /* ctl -1: there is none */
};

/* A connection that lasts: until its program and its TLS half have ended. */
struct slot {
	pid_t pid;  /* the program, if it is our child; 0 when reaped */
	pid_t half; /* the TLS half, 0 when there is none */
	int life;   /* as in session(), -1 when closed */
	struct parked parked;
	bool begun; /* the program has started */
	int64_t since;
	char group[NET_IP_SIZE]; /* net_peer_group */
	char conn[16];
	char ip[NET_IP_SIZE];
};

extern struct slots {
	struct slot *slot;
	size_t n, max, max_address;
	size_t nparked, max_parked;
} slots;

/* Make room, by the configuration's limits; dies without memory. */
void slots_init(void);

/*
 * Whether a connection of peer may come in: NULL, or why not.  May end
 * connections whose handshake is not done, which are logged.
 */
const char *slots_refuse(const struct mtls *, const struct net_peer *);

/*
 * Let the number of descriptors be what the slots need, or again what it
 * was when we were started.
 */
void slots_files(bool ours);

/*
 * For a connection that has begun to be served; never full, when it was
 * not refused.
 */
struct slot *slots_add(const char *conn, const struct net_peer *);

/* Keep these for a TLS half, or close and forget them. */
void slots_park(struct slot *, const struct parked *);
void slots_unpark(struct slot *);

/* A child has ended. */
void slots_reaped(pid_t);

/* Ask poll for all that slots wait for: how many were put at p. */
struct pollfd;
size_t slots_poll(struct pollfd *p);

/* A descriptor of one of them can be read. */
void slots_heard(struct mtls *, int fd);

/* listen.c */

/* A child, or a child of what is ready, died of that signal. */
void listener_fault(int sig);

/* In a child: of the listener's descriptors only these are left. */
void leave_listener(int *keep, size_t n);

/* renew.c */

enum { SOCKETS_MAX = 32 };

/*
 * Execute ourselves anew, keeping sockets and slots.  Returns if that
 * can't be done now.
 */
void renew(struct mtls *, const int *fds, int n, char *const *argv);

/* Take what the process before us kept: the number of sockets, or 0. */
int renewed(int *fds);

/* Whether there was one: its descriptors are open here. */
bool is_renewed(void);

/* Listen on these addresses; returns on SIGTERM. */
void listener(struct mtls *, char *const *addrs, size_t n, char *const *argv);

#endif
