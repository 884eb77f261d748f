/*
 * msend - what its files share
 *
 *	main.c     options, the two ways of being called
 *	jobs.c     -J: jobs in, results out
 *	message.c  the message on its way: size, 8 bits, to the wire
 *	route.c    the hosts of a domain, in the order to be tried
 *	conn.c     a connection, in the clear or with TLS
 *	seven.c    the message for a host that takes 7 bits only
 *	fit.c      what a message needs of a host, what fits in a transaction
 *	session.c  an SMTP session on it, kept for the next message
 *	group.c    recipients of one next hop together
 */
#ifndef MSEND_H
#define MSEND_H

#include <sys/types.h>

#include "base/arena.h"
#include "io/net.h"
#include "io/tls.h"
#include "queue/envelope.h"
#include "smtp/smtpc.h"

enum { HOSTS_MAX = 10, MX_MAX = 5, NEXT_HOP_SIZE = 300 };

struct options {
	bool by_mx;          /* no -h, or -h :PORT */
	struct net_addr hop; /* -h; its port also by MX */
	int64_t step;        /* -t: seconds that any step may take, 0: the
				times of RFC 5321 */
	bool explain;        /* -n */
	unsigned verbose;
};

extern struct options opt;

/* A host to be tried. */
struct host {
	char name[256]; /* its name, for TLS and the log */
	struct net_addr addr;
};

struct route {
	struct host hosts[HOSTS_MAX];
	size_t n;
	bool secure; /* nobody could have changed the names of the hosts */
	/* n == 0: why there is none */
	enum verdict verdict;
	char code[SMTPC_CODE], why[200];
};

/*
 * Find the hosts of a recipient domain: its MX in order of preference, or
 * itself (RFC 5321, section 5.1); a null MX refuses (RFC 7505).
 */
void route_find(struct span domain, struct route *);

/* The message: a descriptor, where it begins, and what is known of it. */
struct message {
	int fd;
	off_t at;
	const char *id; /* or NULL */
	struct span sender, args;
	uint64_t size; /* on the wire, without doubled dots */
	bool eight_bit, header_8bit;
	/* by message_asks */
	bool smtputf8, requiretls;
	bool timed; /* by holds */
	struct deliver_by by;
};

/* What its parameters ask for. */
void message_asks(struct message *);

/* A host that was reached. */
struct peer {
	const struct smtpc *smtpc;
	bool verified; /* TLS, with a certificate for its name */
	bool secure;   /* of route */
};

/* Why a message can't go to a recipient by this host, and a permanent
 * code; NULL when it can. */
const char *message_unfit(const struct message *, const struct smtpc_rcpt *,
    const struct peer *, const char **code);

/* It was to be delivered by now, or to come back. */
bool message_late(const struct message *);

/* This host took it: whether that is to be reported (JOB_RELAYED). */
bool message_relayed(
    const struct message *, const struct smtpc_rcpt *, const struct peer *);

/* What to say of it to this host. */
void message_mail(
    const struct message *, const struct peer *, struct smtpc_mail *);

/* Its domains in ASCII; false, and some may be, when one has no such form. */
bool message_ascii(struct arena *, struct smtpc_mail *);

/*
 * Copy those recipients that may go in one transaction with this server
 * (RFC 9422) to part, and where they stand to index: how many.
 */
size_t message_pick(const struct smtpc *, const struct smtpc_rcpt *, size_t n,
    const bool *skip, struct smtpc_rcpt *part, size_t *index);

/* Read it through for size and 8-bit bytes.  0, or -1 and errno. */
MUST int message_measure(struct message *);

/*
 * Give the message as it goes to the wire: CRLF, dots doubled, a bare CR
 * as a blank; seven: after seven_can, by that.  put returns false to stop.
 * 0; -1 and errno (a failure of put: EPIPE).
 */
MUST int message_put(const struct message *, bool seven,
    bool (*put)(void *ctx, struct span), void *ctx);

/* Whether a message can be written in 7 bits; it is read through. */
bool seven_can(const struct message *);
void seven_forget(void); /* another message */

/* Give it so, lines ended by LF, like message_put. */
MUST int seven_put(
    const struct message *, bool (*put)(void *ctx, struct span), void *ctx);

struct conn {
	int fd;
	struct tls *tls;
	bool named; /* TLS was asked to check a host name */
	char ip[NET_IP_SIZE];
};

/* 0, or -1 with one line in why. */
MUST int conn_open(
    struct conn *, const struct host *, int64_t deadline, char *why);
MUST int conn_start_tls(
    struct conn *, const char *name, int64_t deadline, char *why);

/* At most max bytes: > 0; 0 at the end; -1 with why. */
ssize_t conn_read(
    struct conn *, char *, size_t max, int64_t deadline, char *why);
MUST int conn_write(struct conn *, struct span, int64_t deadline, char *why);
void conn_close(struct conn *);

enum { WHY_SIZE = 300, SESSION_TLS = 100 };

/*
 * Send a message to recipients of one next hop: every host of the route
 * is tried until each recipient has a result.  key names the next hop; a
 * session with the same key that is still open is used again.  n is at
 * most LIMIT_JOB_RCPTS.
 */
void session_send(const struct message *, const struct route *, const char *key,
    struct smtpc_rcpt *, size_t n);

/* The dialogue of the last session_send, lines; "" when nothing failed. */
struct span session_transcript(void);

/* Where the last session_send went, and its TLS; "" when there was none. */
const char *session_host(void);
const char *session_tls(void);

/* Whether a session is open; say QUIT and close it. */
bool session_open(void);
void session_close(void);

/*
 * Send to at most LIMIT_JOB_RCPTS recipients of any domain, those at one
 * next hop in one transaction, and log what became of each.  Who has a
 * result already is left out.  With -n, print where each would go, and
 * give them that result.
 */
void send_all(const struct message *, struct smtpc_rcpt *, size_t n);

/* -J: jobs on standard input, results on standard output. */
int jobs(void);

#endif
