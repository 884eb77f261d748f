/*
 * dsn - delivery status notifications: RFC 3464 in RFC 6522
 *
 * Builds the text of a notification, lines ended by LF: its header, a part
 * for people, a part for programs, and the head of the third part, behind
 * which the caller puts the original message or its header and then
 * dsn_end.  With utf8 the parts are those of RFC 6533.
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include "base/buf.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_EXPANDED, /* its alias has led to other addresses */
	DSN_RELAYED   /* to a host that says no more of it */
};

struct dsn_rcpt {
	struct span address;
	struct span orcpt;  /* "rfc822;x+2By" as in ORCPT=, or empty; of type
			       utf-8 with \x{HEX} in it (RFC 6533) */
	struct span status; /* "5.1.1" */
	struct span text;   /* what was said; "550 no such user" is a reply */
	struct span remote; /* who said it, a host, or empty */
};

struct dsn {
	enum dsn_action action;
	const char *me;    /* our host name */
	const char *id;    /* of the notification: Message-ID and boundary */
	const char *orig;  /* queue id of the original */
	struct span to;    /* the sender of the original */
	struct span envid; /* xtext, or empty */
	int64_t now, arrived;
	int64_t until; /* DSN_DELAYED: when it will be given up */
	int64_t by;    /* Deliver-By-Date (RFC 2852), 0 for none */
	int64_t held;  /* Future-Release-Request (RFC 4865), 0 for none */
	bool full;     /* the third part is the whole message */
	bool utf8;
	bool body_8bit; /* the third part may have bytes above 0x7f */
	const struct dsn_rcpt *rcpts;
	size_t nrcpts;
};

/* False when it did not fit in the buffer. */
bool dsn_put(struct buf *, const struct dsn *);

/* The last line, behind the third part, which ended in a LF or not. */
bool dsn_end(struct buf *, const struct dsn *);

#endif
