/*
 * greet - what the engines before login have in common
 *
 * mauth's greeter runs one of these without privileges until the peer has
 * proved who it is: smtp_greet, pop3_greet, imap_greet.  Engines are pure:
 * bytes in, events out, replies into a bounded buffer.  SASL payloads are
 * base64-decoded by the engine; USER/PASS and LOGIN commands come out as
 * mechanism PLAIN.
 *
 *	next() -> GREET_AUTH or GREET_RESPONSE: the greeter asks the monitor
 *	and then calls challenge(), or fail(), or stops (proved): the success
 *	reply is the server's to say, which gets state().
 */
#ifndef BASE_GREET_H
#define BASE_GREET_H

#include "base/buf.h"

enum { GREET_STATE_MAX = 1024, GREET_SIZE_MAX = 65536 };

enum greet_event {
	GREET_MORE,     /* feed more; flush out first */
	GREET_TLS,      /* the go-ahead is in out: flush, then start TLS */
	GREET_AUTH,     /* an exchange begins: mech, and maybe a response */
	GREET_RESPONSE, /* the client's answer to a challenge */
	GREET_CANCEL,   /* the client gave the exchange up; answered */
	GREET_END       /* flush and close */
};

enum greet_failure {
	GREET_WRONG,   /* wrong user or password, one text for both */
	GREET_LATER,   /* we can't tell now: a failure of ours */
	GREET_PRIVACY, /* not without TLS */
	GREET_MECH,    /* no such mechanism */
	GREET_SYNTAX,  /* the exchange does not parse */
	GREET_REFUSED, /* proved, but may not use this service */
	GREET_FULL,    /* proved, but has too many sessions already */
	GREET_LIMIT    /* too many failures: fail, then GREET_END is next */
};

struct greet_conf {
	const char *host;
	const char *mechs; /* "PLAIN LOGIN", as offered */
	bool tls_offered;  /* STARTTLS can be done */
	bool tls_active;
	bool plain_ok; /* a password may be sent now (TLS, loopback) */
	uint64_t size; /* of the largest message, for SMTP; 0: no number */
	bool again;    /* after a session: without a greeting */
	bool queue;    /* for SMTP: what mrecv takes goes to the queue */
	unsigned login_delay; /* for POP3: seconds between logins; 0: any */
	int64_t now;
};

/* Whether a mechanism is one of those in conf, in any case. */
bool greet_offers(const struct greet_conf *, struct span mech);

struct greet_auth {
	struct span mech;     /* GREET_AUTH */
	struct span response; /* decoded; valid until next() */
	bool has_response;
};

struct greet_proto {
	const char *service; /* "smtp", "pop3", "imap" */
	size_t size;         /* of the engine's struct */
	/* Fresh, with the greeting in out.  conf must stay. */
	void (*init)(void *, struct buf *out, const struct greet_conf *);
	enum greet_event (*next)(void *, struct span *in, struct greet_auth *);
	void (*challenge)(void *, struct span);
	void (*fail)(void *, enum greet_failure);
	/* After GREET_TLS: everything the client said is forgotten. */
	void (*tls_started)(void *);
	/* What the server must know: IMAP tag and ENABLEs, EHLO name. */
	struct span (*state)(void *);
	/* Say good-bye unasked: idle too long (timeout), or shutting down. */
	void (*bye)(void *, bool timeout);
};

#endif
