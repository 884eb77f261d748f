/*
 * ehlo - the reply to EHLO and LHLO
 *
 * One list of keywords for all who answer: mauth's greeter before a login
 * and mrecv after it or without one.  Only what mrecv keeps is here; what
 * depends on the moment comes in the conf.
 */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include "base/buf.h"
#include "base/limits.h"

struct ehlo_conf {
	const char *host;
	const char *auth; /* "PLAIN LOGIN", or NULL when none is offered */
	uint64_t size;    /* largest message; 0 is SIZE with no number */
	bool starttls;    /* offered, and not active yet */
	bool queue;       /* mrecv's sink is the queue */
	bool tls;         /* active */
	bool submission;
	bool xclient; /* to this peer */
	int64_t now;
};

/* The whole multi-line 250. */
void ehlo_reply(struct buf *, const struct ehlo_conf *);

#endif
