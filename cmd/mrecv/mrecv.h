/*
 * mrecv - what the parts of the program share
 */
#ifndef MRECV_H
#define MRECV_H

#include "auth/users.h"
#include "io/env.h"
#include "io/in.h"
#include "io/net.h"
#include "queue/queue.h"
#include "smtp/smtpd.h"

enum {
	MRECV_STAGES = 16,
	COMMIT_FD = 3, /* MAIL_COMMITFD of filters and sinks */
	MRECV_MESSAGES = LIMIT_SMTP_MAILS
};

/* What a message passes on its way: a filter (-F), or a milter (-m). */
struct stage {
	const char *name; /* for the log */
	bool optional;    /* "?": go on without it when it fails */
	size_t number;    /* of its command, or of its address */
	char **argv;      /* of a filter; NULL: a milter */
	struct net_addr addr;
};

struct mrecv {
	/* what the command line says */
	bool submission, lmtp, preauth;
	bool dry;         /* -n: decide, print, do nothing */
	unsigned verbose; /* -v */
	char **sink;
	struct stage stages[MRECV_STAGES];
	size_t nstages, nfilters; /* so many of them are filters */
	bool direct; /* the sink is `mqueue add`: we write the queue */

	/* the connection */
	struct in in;
	struct net_peer peer;
	const char *conn;
	char tls[128];                 /* "TLSv1.3 CIPHER", or "" */
	char client[LIMIT_DOMAIN + 1]; /* a name that DNS confirms, or "" */
	struct smtpd s;
	int64_t end;   /* deadline of the session */
	bool answered; /* since the deadline of a command was set */
	const char *why;
	unsigned ids; /* given away */
	unsigned accepted;
	char hold[LIMIT_REPLY_TEXT + 1]; /* why this message is held, or "" */

	/* who submits; only with -S and -p */
	bool known;          /* somebody is: they may send anywhere */
	bool by_login;       /* by SMTP AUTH */
	struct span hello;   /* what mauth was told: "EHLO name" */
	bool trusted;        /* root: as anybody */
	enum verdict lookup; /* whether `user` could be read */
	struct user user;    /* OK only */
	char login[LIMIT_LOGIN + 1];
	char mech[32]; /* how they did prove it, or "" */

	struct queue queue; /* fd -1 when it can't be opened */
	uint64_t floor;     /* of free space */
	int64_t command_time, data_time, filter_time, milter_time;
};

/* limits.c: read the file once, then ask. */
enum mrecv_limit {
	MRECV_MESSAGE,
	MRECV_FREE_SPACE,
	MRECV_SESSION_TIME,
	MRECV_COMMAND_TIME,
	MRECV_DATA_TIME,
	MRECV_FILTER_TIME,
	MRECV_SINK_TIME,
	MRECV_MILTER_TIME,
	MRECV_DNS_TIME,
	MRECV_GREET_DELAY,
	MRECV_TARPIT_ERRORS,
	MRECV_TARPIT_DELAY,
	MRECV_MESSAGES_LOGIN,
	MRECV_RCPTS_LOGIN,
	MRECV_MESSAGES_ADDRESS,
	MRECV_RCPTS_ADDRESS,
	MRECV_MESSAGES_NETWORK,
	MRECV_RCPTS_NETWORK,
	MRECV_GREYLIST_DELAY,
	MRECV_GREYLIST_RETRY,
	MRECV_GREYLIST_KNOWN
};
void limits_read(void);
uint64_t limit_of(enum mrecv_limit);

/* identity.c: find out who is there.  Dies when that can't be said. */
void identify(struct mrecv *);

/*
 * commands.c: the commands of the command line, by number: the filters in
 * their order, then the sink, if it is a command; and the milters.  Made ready
 * before confine(); dies if that fails.
 */
void commands_open(const struct mrecv *);

/* As spawn, but for argv: args follow the words of the sink. */
struct spawn;
MUST pid_t command_start(size_t i, const struct spawn *, char *const *args);
int command_wait(pid_t, int64_t deadline); /* its status, as spawn_wait's */
void command_kill(pid_t);

/* Connect to the ith milter: as net_connect. */
MUST int command_connect(size_t i, int64_t deadline, bool *temp);

/* confine.c: give up what is not needed from here on.  Dies if it can't. */
void confine(const struct mrecv *);
/*
 * connect.c: read the files of the policy, and ask DNS about the client:
 * before there is a sandbox.  Then, whether the client is to be greeted;
 * if not, that has been said.
 */
void policy_open(struct mrecv *);
bool policy_greet(struct mrecv *);

/*
 * A trusted peer has said whom it speaks for (XCLIENT): m->peer, m->client,
 * perhaps m->known, are another's from now on.  DNS is not asked about
 * them: no list lists them, and the name is the one that was said, or not
 * known because the peer's DNS failed.
 */
void policy_peer(struct mrecv *, bool name_failed);

/* Whether `access` lets such a client in; if not, that has been said. */
bool policy_admit(struct mrecv *);

/* xclient.c: answer SMTPD_XCLIENT. */
void xclient(struct mrecv *);

/* patience.c: before a reply, let a client wait that has made errors. */
void patience_tarpit(struct mrecv *);

/* policy.c: answer SMTPD_MAIL and SMTPD_RCPT. */
void policy_mail(struct mrecv *);
void policy_rcpt(struct mrecv *);

/*
 * message.c: answer SMTPD_DATA, _BODY, _END and _ABORT.  An abort is
 * logged with r's code and text, or why.
 */
void message_begin(struct mrecv *);
void message_write(struct mrecv *);
void message_end(struct mrecv *);
void message_abort(struct mrecv *, enum smtp_reply r, const char *why);

/*
 * serve.c: the dialogue, to its end.  Flush what was said: 0, or -1 when
 * the client is gone.
 */
void serve(struct mrecv *);
int flush(struct mrecv *);

/*
 * stage.c: option -F, -F?, -m or -m?; getopt stands behind it.  False when
 * its argument is missing.
 */
bool stage_add(struct mrecv *, int letter, char *argv[]);

/*
 * milter.c: what the milters say to SMTPD_MAIL, _RCPT and _DATA when
 * nobody else is against it.  False: the client has been told no.  And the
 * end of the session for them.
 */
bool milters_mail(struct mrecv *);
bool milters_rcpt(struct mrecv *);
bool milters_data(struct mrecv *);
void milters_quit(struct mrecv *);

/* starttls.c: 0, or -1 when there is no TLS and so no client. */
int starttls(struct mrecv *);
void tls_facts(struct mrecv *);
bool tls_offered(void);

/* childenv.c: what a filter or the sink of this message may know. */
void child_env(struct mrecv *, struct env *, const char *id);

/* The protocol's name in Received and MAIL_WITH. */
const char *protocol(const struct mrecv *);

/* Begin a log line with what is known of the message. */
struct logline;
void log_message(
    struct mrecv *, struct logline *, const char *event, const char *id);
void log_refusal(struct mrecv *, const char *id, struct span rcpt, int code,
    struct span why);

#endif
