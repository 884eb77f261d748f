/*
 * smtpd - the server's side of SMTP, submission and LMTP
 *
 * A pure engine: the bytes of a client go in, events come out, replies
 * gather in `out`.  It knows the grammar and the order of commands, and
 * answers what is wrong with those itself; only decisions come out.  After
 * SMTPD_MAIL, _RCPT, _DATA and _END the caller decides with smtpd_reply
 * before it calls smtpd_next again.  How the input is cut never changes
 * what happens.
 *
 *	for (;;)
 *		switch (smtpd_next(&s, &in.data)) {
 *		case SMTPD_MORE: ... write s.out, read more
 *
 * Only CRLF ends a line: a bare CR or LF, in a command or behind DATA,
 * ends the session (SMTP smuggling).  In a chunk of BDAT it is refused, and
 * the session goes on, because where the chunk ends is beyond doubt.
 */
#ifndef SMTP_SMTPD_H
#define SMTP_SMTPD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "mail/crlfin.h"
#include "mail/dotin.h"
#include "mail/unbinary.h"
#include "smtp/reply.h"

enum smtpd_event {
	SMTPD_MORE,    /* write `out`, then give more input */
	SMTPD_FLUSH,   /* write `out`, then call again */
	SMTPD_MAIL,    /* may `sender` send?  Reply SMTP_SENDER_OK or not */
	SMTPD_RCPT,    /* is `rcpt` good?  SMTP_RCPT_OK or not */
	SMTPD_DATA,    /* begin a message?  SMTP_GO_AHEAD or not; so, too,
			  when it comes by BDAT */
	SMTPD_BODY,    /* `piece` of the message, lines ended by LF */
	SMTPD_END,     /* it is whole: answer it, LMTP once for each rcpt */
	SMTPD_ABORT,   /* it will never be whole, as `aborted` says; the client
			  has been told, or will be after the dot or chunk */
	SMTPD_XCLIENT, /* the peer is to be `xclient`: smtpd_restart, or a
			  reply that says why not */
	SMTPD_TLS,     /* write `out`, start TLS, call smtpd_tls_started */
	SMTPD_CLOSE    /* write `out` and close */
};

enum {
	SMTPD_MAIL_ARGS = 384, /* of mail_args, with its NUL */
	SMTPD_RCPT_ARG = LIMIT_ORCPT + 64
};

enum smtpd_state {
	SMTPD_NEW,   /* no HELO yet */
	SMTPD_READY, /* no transaction */
	SMTPD_SENDER,
	SMTPD_RCPTS,    /* at least one recipient is good */
	SMTPD_IN_BODY,  /* behind DATA */
	SMTPD_IN_CHUNK, /* behind BDAT, of a message or not */
	SMTPD_CHUNKS,   /* of a message, one is over and the last is not */
	SMTPD_CLOSED
};

struct smtpd_conf {
	const char *host;
	bool lmtp;
	bool submission;  /* brackets may be missing */
	bool tls_offered; /* STARTTLS can be done */
	bool tls_active;
	bool logged_in;
	bool xclient;      /* the peer may say whom it speaks for */
	bool queue;        /* the sink is one: it keeps what is promised */
	uint64_t size_max; /* of a message, CRLF octets */
};

/* XCLIENT's attributes. */
enum smtpd_xclient_name {
	SMTPD_XNAME,
	SMTPD_XADDR,
	SMTPD_XPORT,
	SMTPD_XPROTO,
	SMTPD_XHELO,
	SMTPD_XLOGIN,
	SMTPD_XDESTADDR,
	SMTPD_XDESTPORT,
	SMTPD_XCLIENTS
};

/* Names and ports are well formed; "" is what the peer does not know. */
struct smtpd_xclient {
	bool given[SMTPD_XCLIENTS];
	bool later[SMTPD_XCLIENTS]; /* not known now: [TEMPUNAVAIL] */
	char value[SMTPD_XCLIENTS][LIMIT_DOMAIN + 1];
};

struct smtpd {
	struct smtpd_conf conf;
	struct buf out;
	enum smtpd_state state;
	int64_t now; /* the caller's, kept fresh by it: seconds since 1970 */

	/* facts for the caller */
	bool esmtp;                  /* EHLO or LHLO */
	char helo[LIMIT_DOMAIN + 1]; /* "invalid" when it is no name */
	char sender[LIMIT_ADDRESS + 1];
	bool eightbit;                   /* BODY=8BITMIME, or SMTPUTF8 */
	bool binary;                     /* BODY=BINARYMIME; pieces are text */
	bool utf8;                       /* SMTPUTF8 */
	uint64_t declared;               /* SIZE=, 0 when not given */
	int64_t hold_until;              /* HOLDFOR=, HOLDUNTIL=, else 0 */
	char ret[5];                     /* RET=, "" when not given */
	char envid[LIMIT_ENVID + 1];     /* ENVID=, xtext as it came */
	char mail_args[SMTPD_MAIL_ARGS]; /* all of these that a queue keeps */
	char rcpt[LIMIT_ADDRESS + 1];    /* the caller may rewrite it */
	char rcpt_arg[SMTPD_RCPT_ARG];   /* its "NOTIFY=NEVER ORCPT=..." */
	struct buf rcpts;                /* the good ones, a line each */
	struct buf rcpt_args;            /* a line for each of them */
	unsigned nrcpt;
	unsigned owed;                /* replies that SMTPD_END wants */
	struct smtpd_xclient xclient; /* SMTPD_XCLIENT */
	struct span piece;
	uint64_t size;           /* of the message so far, CRLF octets */
	bool quit;               /* the client said so */
	enum smtp_reply aborted; /* SMTP_RESET: the client gave it up */

	/* its own */
	struct arena scratch;
	enum smtpd_event asked; /* SMTPD_MORE: nothing */
	unsigned tried;         /* recipients that were refused */
	unsigned mails;         /* transactions so far */
	unsigned errors;
	bool overlong;
	struct dotin dotin;
	bool bdat;             /* the message comes by it */
	bool last;             /* chunk of a message */
	bool stray;            /* a chunk outside of any message */
	bool failed;           /* what follows a bad chunk is no new error */
	uint64_t chunk;        /* octets of it to come */
	enum smtpd_state back; /* behind a stray chunk */
	struct crlfin crlf;
	bool ended;                     /* unbinary knows */
	struct unbinary *unbinary;      /* in scratch, once it was needed */
	char refusal[LIMIT_SMTP_REPLY]; /* said after the dot */
};

/* Fresh, with nothing said: smtpd_greet says hello (220). */
void smtpd_init(struct smtpd *, const struct smtpd_conf *);
void smtpd_free(struct smtpd *);
void smtpd_greet(struct smtpd *);

/* Or that the client is not served; SMTPD_CLOSE is next. */
void smtpd_turn_away(struct smtpd *, int code, struct span text);

/*
 * A session that another engine began: it was told `helo` (EHLO, or HELO
 * if not esmtp; empty for none), and then logged in.  Says 235.
 */
void smtpd_resume(struct smtpd *, struct span helo, bool esmtp);

enum smtpd_event smtpd_next(struct smtpd *, struct span *in);

/* Decide what was asked. */
void smtpd_reply(struct smtpd *, enum smtp_reply);

/*
 * The same in other words: code, and text that begins with an enhanced
 * status, and so does each further line behind a LF.  Bytes that are not
 * printable become "?"; a line past LIMIT_REPLY_TEXT is cut.
 */
void smtpd_say(struct smtpd *, int code, struct span text);

/*
 * At SMTPD_END: other recipients than those that the client gave, and
 * their parameters, a line (with its LF) for each in either.  The replies
 * that are owed stay as many.  False, and nothing has changed, when they
 * are none, do not match, or are past a limit.
 */
MUST bool smtpd_set_rcpts(struct smtpd *, struct span rcpts, struct span args);

/*
 * Between SMTPD_DATA and SMTPD_END: the message can't be taken.  The rest
 * of it is passed over, without SMTPD_BODY or SMTPD_END, and this is said
 * after the dot.
 */
void smtpd_refuse(struct smtpd *, int code, struct span text);

/*
 * After the reply to SMTPD_RCPT: pass over the recipient that was just
 * accepted.  A message may then have none, and still come.  Not in LMTP.
 */
void smtpd_pass_over(struct smtpd *);

/* Whether a message is on its way, so that this is no time to end. */
bool smtpd_in_message(const struct smtpd *);

/* After SMTPD_TLS: forget all that was said without it. */
void smtpd_tls_started(struct smtpd *);

/*
 * After SMTPD_XCLIENT: forget all, and say 220 as to a new client; the
 * hello is the one that the peer told, if any.
 */
void smtpd_restart(struct smtpd *);

/* Say 421 or 221; SMTPD_CLOSE is next. */
void smtpd_bye(struct smtpd *, enum smtp_reply);

#endif
