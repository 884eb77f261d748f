/*
 * milter - the mail server's side of the milter protocol, version 6
 *
 * A pure engine for one connection to a milter.  What a step of the mail
 * is about is put into `out` by the function of its name; when that
 * returns true the milter answers, and milter_next gives the answer:
 *
 *	if (milter_mail(&m, sender, args))
 *		for (;;)
 *			switch (milter_next(&m, &in)) {
 *			case MILTER_MORE: ... write m.out, read more
 *
 * Steps that the milter did not want, and answers that it does not give,
 * are known from its options: then nothing is put, or false returned.
 * Macros go in front of each step.  There is no RFC; the numbers are those
 * of libmilter's mfdef.h.  A packet that is too long, not of its form, not
 * agreed upon or not in its place is MILTER_BROKEN.
 */
#ifndef SMTP_MILTER_H
#define SMTP_MILTER_H

#include "base/buf.h"
#include "base/limits.h"

enum { MILTER_CHUNK = 65535 }; /* of the body, in one packet */

enum milter_event {
	MILTER_MORE,   /* write `out`, then give more input */
	MILTER_BROKEN, /* this is no milter: close */

	/* the answer */
	MILTER_READY, /* to milter_open: the options are agreed */
	MILTER_CONTINUE,
	MILTER_ACCEPT,
	MILTER_REJECT,
	MILTER_TEMPFAIL,
	MILTER_REPLY,   /* refuse with `code` and `text` */
	MILTER_DISCARD, /* take the message and drop it */
	MILTER_SKIP,    /* no more of the body is wanted */
	MILTER_CLOSE,   /* close the connection of the client */

	MILTER_PROGRESS, /* wait on */

	/* changes, between milter_end and its answer */
	MILTER_ADD_FIELD,    /* name, value */
	MILTER_INSERT_FIELD, /* name, value, index */
	MILTER_CHANGE_FIELD, /* the same; without a value it goes */
	MILTER_ADD_RCPT,     /* value, args */
	MILTER_DELETE_RCPT,  /* value */
	MILTER_SENDER,       /* value, args */
	MILTER_BODY,         /* value: a piece of the new body */
	MILTER_QUARANTINE    /* value: the reason */
};

/* Lists of macros, numbered as a milter numbers them. */
enum milter_list {
	MILTER_AT_CONNECT,
	MILTER_AT_HELO,
	MILTER_AT_MAIL,
	MILTER_AT_RCPT,
	MILTER_AT_DATA,
	MILTER_AT_END,
	MILTER_AT_EOH,
	MILTER_LISTS
};

enum milter_asked {
	MILTER_ASKED_NOTHING,
	MILTER_ASKED_OPTIONS,
	MILTER_ASKED_CONNECT,
	MILTER_ASKED_HELO,
	MILTER_ASKED_MAIL,
	MILTER_ASKED_RCPT,
	MILTER_ASKED_DATA,
	MILTER_ASKED_UNKNOWN,
	MILTER_ASKED_FIELD,
	MILTER_ASKED_EOH,
	MILTER_ASKED_BODY,
	MILTER_ASKED_END
};

struct milter_conf {
	/* The value of a macro, named without braces; p NULL for none. */
	struct span (*macro)(void *arg, struct span name);
	void *arg;
};

struct milter {
	struct milter_conf conf;
	struct buf out;

	/* of the event; valid until the next call */
	struct span name, value, args;
	uint32_t index;
	int code;        /* 400 to 599 */
	struct buf text; /* lines between LFs, each with its enhanced
			    status; printable */

	/* its own */
	uint32_t version, actions, steps; /* as agreed */
	enum milter_asked asked;
	struct buf packet; /* its length, what it is, its data */
	size_t want;
	bool list_set[MILTER_LISTS];
	struct buf lists[MILTER_LISTS];
};

void milter_init(struct milter *, const struct milter_conf *);
void milter_free(struct milter *);

/* Begin, and agree on options: MILTER_READY. */
void milter_open(struct milter *);

/* ip is "" when it is not known. */
bool milter_connect(
    struct milter *, struct span host, struct span ip, uint16_t port);
bool milter_helo(struct milter *, struct span name);

/* Bare addresses; parameters between blanks. */
bool milter_mail(struct milter *, struct span sender, struct span args);
bool milter_rcpt(struct milter *, struct span rcpt, struct span args);
bool milter_data(struct milter *);
bool milter_unknown(struct milter *, struct span line);

/* A field, its body as it stands behind the colon, lines ended by LF. */
bool milter_field(struct milter *, struct span name, struct span body);
bool milter_eoh(struct milter *);

/* At most MILTER_CHUNK bytes, lines ended by CRLF. */
bool milter_body(struct milter *, struct span piece);

/* The message is whole. */
bool milter_end(struct milter *);

/* Whether the body is wanted at all. */
bool milter_wants_body(const struct milter *);

/* The message comes to nothing; what follows is a new one. */
void milter_abort(struct milter *);

/* The connection ends. */
void milter_quit(struct milter *);

/*
 * It ends for the milter, and milter_connect may follow on the same one.
 * False, with nothing put, when the milter is too old for that.
 */
bool milter_quit_nc(struct milter *);

enum milter_event milter_next(struct milter *, struct span *in);

#endif
