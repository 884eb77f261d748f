/*
 * intake - look at the header of a message as it streams in
 *
 * Fed a message (lines ended by LF) in pieces of any size, it passes the
 * bytes on, counts the Received fields, notes which fields are there, and
 * leaves out what must not come in: Return-Path always (RFC 5321, section
 * 4.4), Bcc and Resent-Bcc where a message is submitted (RFC 6409,
 * section 8), and Authentication-Results that pretend to be ours (RFC 8601,
 * section 5).
 *
 * It never holds more than the beginning of a field, so there is no field
 * too long for it.  Behind the header it is done, and the caller passes the
 * body on without it.
 */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include "mail/authserv.h"

enum {
	INTAKE_NAME = 80,
	INTAKE_HELD = 1024 /* of Authentication-Results, up to whose it is;
			      beyond, it is left out */
};

enum intake_event {
	INTAKE_MORE,  /* all input used: feed more, or intake_eof */
	INTAKE_PIECE, /* *piece is to be passed on: call again */
	INTAKE_END    /* the header ends here: write what is missing, and an
			 empty line if no_blank, then call again */
};

enum intake_state {
	INTAKE_AT_BOL,
	INTAKE_IN_NAME,
	INTAKE_IN_ID, /* of Authentication-Results */
	INTAKE_IN_FIELD,
	INTAKE_ENDED
};

/* All zero is a fresh one of a message that is not submitted. */
struct intake {
	bool submission;
	struct span authserv; /* our name there; empty: all of them come in */
	bool done;     /* the body follows: intake_next has no more to say */
	bool no_blank; /* at INTAKE_END: a line that is no field follows */
	bool has_date, has_id;
	unsigned received;
	unsigned from;  /* so many fields of that name */
	uint64_t bytes; /* of the header so far */

	enum intake_state state;
	bool fields; /* there was one: a line may continue it */
	bool drop;   /* the present field is left out */
	bool blank;  /* behind the name, before the colon */
	size_t nname;
	char name[INTAKE_HELD];
	struct authserv id;
};

/*
 * The next event.  A piece stays valid until the next call, as long as
 * the memory behind *in.
 */
enum intake_event intake_next(
    struct intake *, struct span *in, struct span *piece);

/* The message ended within the header: INTAKE_END, then done. */
void intake_eof(struct intake *);

#endif
