/*
 * mauth - what its parts share
 *
 *	main.c     options, what is known of the connection
 *	greeter.c  without privileges: the dialogue
 *	monitor.c  answers the greeter, starts TLS
 *	offer.c    which mechanisms there are now
 *	judge.c    who it is: users, secrets
 *	token.c    who it is: a command for tokens
 *	checkpw.c  the same by a checkpassword program
 *	server.c   becomes the user and the server
 *	below.c    waits for a server that may give the connection back
 */
#ifndef CMD_MAUTH_H
#define CMD_MAUTH_H

#include "auth/sasl.h"
#include "auth/seat.h"
#include "auth/secrets.h"
#include "auth/session.h"
#include "auth/users.h"
#include "base/greet.h"
#include "io/env.h"
#include "io/net.h"

/* Descriptors of UCSPI-TLS; ctl is -1 when there is none to be had. */
struct tls_fds {
	int ctl, in, out;
};

/* What TLS knows of the peer's certificate. */
struct cert {
	bool verified;
	char email[LIMIT_ADDRESS + 1], cn[LIMIT_ADDRESS + 1];
	bool known; /* it is that of user */
	struct user user;
};

struct mauth {
	const char *conn; /* MAIL_CONN */
	const struct greet_proto *proto;
	const char *scope; /* of `secrets` */
	enum seat_service seats;
	const char *run_as;    /* -u, or NULL */
	char *const *check;    /* words of -k, or NULL */
	char *const *program;  /* what follows the options */
	char path[LIMIT_PATH]; /* where it was found */
	struct greet_conf conf;
	struct net_peer peer;
	struct tls_fds tls;
	char tls_facts[128]; /* "TLSv1.3 CIPHER", "" without */
	struct sasl_conf sasl;
	char mechs[160];                  /* what both have */
	char masked[4096];                /* what is hidden from the peer */
	char binding[SCRAMD_BINDING_MAX]; /* tls-exporter */
	size_t nbinding;
	struct cert cert;
	struct env env; /* of the server */
	bool back;      /* -r: it comes back after the server */
	size_t nunread;
	char unread[LIMIT_SESSION_UNREAD]; /* what that had not used */
	bool root;
	uid_t greeter_uid, uid; /* uid and gid of -u */
	gid_t greeter_gid, gid;
	unsigned sessions; /* of a user at once; 0: any number */
	int64_t deadline;  /* of the whole dialogue before login */
};

/* How a greeter ended that was not killed. */
enum greeter_end {
	GREETER_QUIT,
	GREETER_TIMEOUT = 10,
	GREETER_EOF,
	GREETER_LOST,    /* an error of the connection, or of ours */
	GREETER_INJECTED /* input behind STARTTLS */
};

/* The child: talks to the peer on 0 and 1, and to the monitor on fd. */
_Noreturn void greeter(struct mauth *, int fd);

/* Somebody who proved it. */
struct login {
	struct user user;
	const char *mech;
	struct scram_secret keys; /* of a proof */
	char label[SECRETS_LABEL_MAX + 1];
	int seat; /* among the sessions of the user, or -1 (seat.h) */
};

/*
 * The parent: answer the greeter until somebody logged in (with the rest
 * of the session filled in), or exit.
 */
void monitor(
    struct mauth *, pid_t child, int fd, struct login *, struct session *);

/* Which mechanisms are offered, now or behind TLS that just began. */
void offer(struct mauth *);

/*
 * A fact that TLS tells; false for one that is for us alone and goes into
 * no environment.
 */
bool take_fact(struct mauth *, struct span name, struct span value);

/*
 * Who has shown what.  True with *l set; false with what the peer may know
 * in *failure, and why for the log.
 */
bool judge(struct mauth *, const struct sasl *, struct login *l,
    enum greet_failure *failure, const char **why);

/* The salt for somebody who wants to prove a secret; false: later. */
MUST bool judge_salt(
    const struct mauth *, const char *name, struct scram_secret *);

/* The same by the program of -k. */
bool checkpw(struct mauth *, const struct sasl *, struct login *l,
    enum greet_failure *failure, const char **why);

/* Whether the file `token` has a command. */
bool token_is_configured(void);

/* The same as judge, for a token, by that command. */
bool token_judge(struct mauth *, const struct sasl *, struct login *l,
    enum greet_failure *failure, const char **why);

/* What `mauth -k -` does below such a program: print who it is now. */
int checkpw_report(void);

/* Become the server. */
_Noreturn void server(struct mauth *, const struct login *, struct session *);

/*
 * Run it as a child, and wait for its end: returns when the client is to be
 * greeted again, else exits with its status.
 */
void server_below(struct mauth *, struct login *, struct session *);

#endif
