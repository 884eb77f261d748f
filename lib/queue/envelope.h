/*
 * envelope - the head of a queue file, pneu-queue(5)
 *
 *	pneu-queue 1
 *	from SENDER [PARAMETER...]
 *	to RCPT [PARAMETER...]
 *	received TIME IP HELO WITH
 *	auth LOGIN
 *	size 000000004711
 *
 * and a blank line, behind which the message begins.  Written by
 * queue_begin; here it is read, and its marks are changed in place.
 */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

#include "base/arena.h"
#include "base/limits.h"

enum mark {
	MARK_TO, /* open */
	MARK_OK, /* delivered */
	MARK_NO, /* failed, and its DSN is owed */
	MARK_XX  /* failed, and the sender was told */
};

struct envelope_rcpt {
	enum mark mark;
	size_t at; /* where the two letters stand in the file */
	struct span address;
	struct span args; /* "NOTIFY=FAILURE ORCPT=rfc822;x", or empty */
};

/* Spans are in the arena; what was "-" or "<>" is empty. */
struct envelope {
	struct span sender;
	struct span args; /* RET= ENVID= BODY= SMTPUTF8 REQUIRETLS BY=
			     HOLDUNTIL= */
	struct span ip, helo, with, auth;
	int64_t received;
	struct envelope_rcpt *rcpts;
	size_t nrcpts;
	uint64_t size;     /* CRLF octets of the message, as accepted */
	size_t message_at; /* where the message begins in the file */
};

enum envelope_result {
	ENVELOPE_OK,
	ENVELOPE_MORE, /* the blank line has not come yet */
	ENVELOPE_BAD,
	ENVELOPE_NEWER /* a format that this release does not know */
};

/*
 * Parse the front of a file.  The texts point into `text`, except those
 * that had %XX in them, which are in the arena like the array.
 */
MUST enum envelope_result envelope_parse(
    struct arena *, struct span text, struct envelope *);

/*
 * Read it from an open file, from its beginning, without moving the
 * offset.  0, or -1 and errno: EBADMSG for one that does not parse,
 * EPROTO for a newer format, E2BIG past LIMIT_ENVELOPE.
 */
MUST int envelope_read(int fd, struct arena *, struct envelope *);

/* Memory enough for any envelope_read. */
enum { ENVELOPE_ARENA = 4 * LIMIT_ENVELOPE };

/* Change a mark in the file and in *r.  0, or -1 and errno. */
MUST int envelope_mark(int fd, struct envelope_rcpt *r, enum mark);

/*
 * The value of NAME=VALUE in args, or of NAME alone (empty); false when it
 * is not there.  Names fold case.
 */
bool envelope_arg(struct span args, const char *name, struct span *value);

/* Whether NOTIFY of args asks for "SUCCESS", "FAILURE" or "DELAY";
 * `dflt` when there is no NOTIFY. */
bool envelope_notify(struct span args, const char *what, bool dflt);

/* HOLDUNTIL=TIME (RFC 4865): not to be tried before. */
bool envelope_hold_until(struct span args, int64_t *t);

/* When the time of a message began: it was received, or released. */
int64_t envelope_since(const struct envelope *);

/* BY=TIME;R or ;N, and T behind (RFC 2852), as a point in time. */
struct deliver_by {
	int64_t at;
	bool back;  /* R: too late it is returned; N: the sender is told */
	bool trace; /* T: the sender is told of each relay */
};
bool envelope_deliver_by(struct span args, struct deliver_by *);

/* Whether the message has 8-bit addresses or was sent with SMTPUTF8. */
bool envelope_utf8(const struct envelope *);

/* How many recipients have this mark. */
size_t envelope_count(const struct envelope *, enum mark);

#endif
