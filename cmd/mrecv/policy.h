/*
 * policy - what policy.c, access.c and connect.c know of the session
 */
#ifndef MRECV_POLICY_H
#define MRECV_POLICY_H

#include "io/slots.h"
#include "mrecv.h"
#include "queue/access.h"

enum { POLICY_LISTS = 16 };

struct policy {
	struct arena arena; /* of the session */
	struct access access;
	bool access_broken; /* it is there and can't be read */

	/* what DNS says about the peer, if it is one that it is asked about */
	bool foreign;
	struct pattern_list lists[POLICY_LISTS];
	size_t nlists;
	bool client_failed;

	int64_t greet_at; /* when a client that waits is greeted */
	unsigned errors;  /* those that were paid for */

	struct slots rates, greylist; /* fd -1: nothing is limited */
	bool counted;                 /* the message at hand */
};

extern struct policy policy;

/* What an answer rests on, beside its text. */
struct ruling {
	bool no;  /* code and text are to be said */
	int code; /* of the reply */
	char text[LIMIT_REPLY_TEXT + 1];
	char why[64];  /* "access:3" */
	bool drop;     /* take the recipient, and forget it */
	bool allow;    /* and ask no more */
	bool greylist; /* unless it has come before */
	char hold[LIMIT_REPLY_TEXT + 1];
};

/* What `access` says about the recipient at hand. */
void access_rule(struct mrecv *, struct ruling *);

/*
 * Whether it refuses the connection: said instead of the greeting.  r->allow
 * is set also then when it does not.
 */
bool access_greeting(struct mrecv *, struct ruling *);

/*
 * rate.c: open what is needed.  Then: whether that is one recipient too
 * many, which sets r->no; whether it is the first time that it comes.
 */
void memory_open(struct mrecv *);
void rate_rule(struct mrecv *, struct ruling *);
void greylist_rule(struct mrecv *, struct ruling *);

/*
 * patience.c: wait until it is time for the greeting.  True when the client
 * speaks first.
 */
bool patience_early(struct mrecv *);

#endif
