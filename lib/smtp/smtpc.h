/*
 * smtpc - the client's side of an SMTP session (RFC 5321)
 *
 * Pure: the server's bytes go in, ours come out in a bounded buffer, and
 * events say when the caller has to act.  One session, and in it one
 * transaction after another:
 *
 *	smtpc_init(&c, conf, &out)
 *	smtpc_next -> SMTPC_READY: smtpc_send(&c, &mail), or smtpc_quit(&c)
 *	smtpc_next -> SMTPC_BODY: write out, then the message, dots doubled,
 *	              then smtpc_body_done(&c)
 *	smtpc_next -> SMTPC_READY: each recipient of mail has its result
 *
 * What a server does not offer is not asked of it: parameters of the
 * message that it does not know are left out.  Whether the message may go
 * there then is the caller's to decide, by the fields of what is offered;
 * only an address that is not ASCII is never sent without SMTPUTF8, nor a
 * message that is larger than the server says.
 *
 * Where the server offers PIPELINING, MAIL, all RCPT and DATA go out in
 * one write (RFC 2920).
 */
#ifndef SMTP_SMTPC_H
#define SMTP_SMTPC_H

#include "base/buf.h"
#include "base/die.h"
#include "base/limits.h"

enum {
	SMTPC_CODE = 12,
	SMTPC_TEXT = 512,
	SMTPC_LINE = 2048, /* of the server; RFC 5321 asks for 512 */
	SMTPC_TRANSCRIPT = 4096
};

enum smtpc_event {
	SMTPC_MORE, /* write out, then feed more of the server's bytes */
	SMTPC_TLS,  /* write out is done: start TLS, then smtpc_tls_started */
	SMTPC_BODY,
	SMTPC_READY, /* nothing is under way */
	SMTPC_GONE   /* the session is over: why, and every recipient without
			a result has the temporary or permanent one of `end` */
};

enum smtpc_wait { /* what is waited for, for the caller's deadlines */
	SMTPC_WAIT_GREETING,
	SMTPC_WAIT_REPLY,
	SMTPC_WAIT_DATA,
	SMTPC_WAIT_END,
	SMTPC_WAIT_QUIT
};

struct smtpc_rcpt {
	struct span address;
	struct span args; /* NOTIFY= ORCPT=, passed on where DSN is offered */
	bool decided;
	enum verdict verdict;
	char code[SMTPC_CODE]; /* "5.1.1" */
	char text[SMTPC_TEXT]; /* "550 5.1.1 no such user" */
};

struct smtpc_mail {
	struct span sender; /* bare, may be empty */
	struct span args;   /* RET= ENVID=, passed on where DSN is offered */
	struct smtpc_rcpt *rcpts;
	size_t nrcpts;
	uint64_t size;   /* octets on the wire, 0 when not known */
	bool eight_bit;  /* the message has 8-bit bytes */
	bool smtputf8;   /* so has its header, or an address: RFC 6531 */
	bool requiretls; /* RFC 8689 */
	const char *by;  /* how it is to be late, "R" or "NT", or NULL */
	int64_t by_left; /* RFC 2852: seconds; with N also none or fewer */
};

struct smtpc_conf {
	const char *helo;
	bool starttls; /* use it when it is offered */
};

struct smtpc {
	const struct smtpc_conf *conf;
	struct buf *out;
	struct smtpc_mail *mail;
	int state;
	size_t step;     /* which reply of a group comes next */
	size_t accepted; /* recipients the server took */
	bool data_sent, tls;
	bool answered;    /* it said something about mail, but 421 */
	unsigned replies; /* whole ones, so that each has its deadline */
	bool extended;    /* it speaks ESMTP */
	bool pipelining, eightbitmime, size, dsn, smtputf8, tls_offered;
	bool requiretls, deliverby;
	uint64_t size_max;
	uint32_t by_min; /* the least that it takes with R */
	/* RFC 9422, 0: not said */
	uint32_t mail_max, rcpt_max, rcpt_domain_max;
	/* the reply that is being read */
	char line[SMTPC_LINE];
	size_t nline, nlines;
	bool line_over;
	int code;
	char reply[SMTPC_TEXT]; /* "550 5.1.1 text", lines joined by blanks */
	size_t nreply;
	/* why the session is over */
	enum verdict end;
	char end_code[SMTPC_CODE];
	char why[SMTPC_TEXT];
	/* the dialogue, its beginning dropped when it is long */
	char transcript[SMTPC_TRANSCRIPT];
	size_t ntranscript;
};

/* Fresh, waiting for the greeting.  conf and out must stay. */
void smtpc_init(struct smtpc *, const struct smtpc_conf *, struct buf *out);

/* Eat the server's bytes from the front of *in up to the next event. */
enum smtpc_event smtpc_next(struct smtpc *, struct span *in);

/* After SMTPC_TLS: what the server said before is forgotten. */
void smtpc_tls_started(struct smtpc *);

/*
 * After SMTPC_READY.  mail must stay until the next SMTPC_READY.  What
 * can't go to this server (too large, not ASCII) is decided at once.
 */
void smtpc_send(struct smtpc *, struct smtpc_mail *);

/* After SMTPC_BODY: the message was written, its last line ended. */
void smtpc_body_done(struct smtpc *);

/* Say QUIT; the next event is SMTPC_GONE. */
void smtpc_quit(struct smtpc *);

/* The connection ended or timed out: decide what is open. */
void smtpc_lost(struct smtpc *, const char *why);

/* Which deadline of RFC 5321, section 4.5.3.2 holds now. */
enum smtpc_wait smtpc_waits(const struct smtpc *);

/* Give every undecided recipient this result. */
void smtpc_decide(
    struct smtpc_mail *, enum verdict, const char *code, const char *text);

#endif
