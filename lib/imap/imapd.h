/*
 * imapd - the commands of an IMAP client, out of bytes
 *
 * An imapd is fed what the client sends, in pieces of any size, and gives
 * one command at a time: its tag, its name and a tree of arguments.  It
 * reads literals (RFC 3501, section 4.3; RFC 7888), checks their size
 * before it asks for them, and answers all that is no command.  The
 * messages of APPEND and REPLACE are not kept: they come out in pieces.
 *
 * Such a command comes in segments, each with the arguments up to the next
 * message (MULTIAPPEND, RFC 3502; CATENATE, RFC 4469; "UTF8 (" of RFC
 * 9755): IMAPD_MESSAGE, pieces, IMAPD_MESSAGE, pieces, IMAPD_END.
 *
 * What it says goes into `out`; the caller adds its own replies there or
 * anywhere, after it has passed on what is in `out`.
 */
#ifndef IMAP_IMAPD_H
#define IMAP_IMAPD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

enum imap_type {
	IMAP_ATOM, /* also numbers, sets, flags, BODY[... */
	IMAP_QUOTED,
	IMAP_LITERAL,
	IMAP_LIST /* text is empty, list the first element or NULL */
};

struct imap_arg {
	enum imap_type type;
	struct span text;
	struct imap_arg *list, *next;
};

enum imapd_event {
	IMAPD_MORE,    /* feed more; flush out first */
	IMAPD_COMMAND, /* tag, name, uid and args are set */
	IMAPD_MESSAGE, /* the same for a segment, with a message next: call
			  imapd_accept or imapd_refuse */
	IMAPD_PIECE,   /* a piece of the message */
	IMAPD_END,     /* the last segment: the command is complete */
	IMAPD_ABORT,   /* it was wrong behind a message; answered */
	IMAPD_LINE,    /* what imapd_line asked for is in text */
	IMAPD_CLOSE    /* too many errors: flush and close */
};

enum imapd_state {
	IMAPD_AT_START,
	IMAPD_IN_LINE,
	IMAPD_IN_LITERAL,
	IMAPD_AT_MESSAGE,
	IMAPD_IN_MESSAGE,
	IMAPD_SKIP_LITERAL,
	IMAPD_SKIP_LINE,
	IMAPD_PLAIN_LINE,
	IMAPD_CLOSED
};

struct imapd_literal {
	struct span text;
	struct imapd_literal *next;
};

/* imapd_init makes a fresh one. */
struct imapd {
	/* the command: valid until the next one begins */
	struct span tag, name; /* the name without "UID " */
	bool uid;              /* it had that */
	struct imap_arg *args;
	/* Of a segment: in how many lists it begins, whose rest is its first
	 * argument, and in how many it ends, the last argument. */
	unsigned inside, open;
	struct span text;     /* IMAPD_LINE, IMAPD_PIECE */
	uint64_t message;     /* IMAPD_MESSAGE: its size */
	bool nonsync, binary; /* {n+}, ~{n} */
	struct arena arena;   /* of the command, and of a segment behind the
				 first: released with it */

	struct buf *out;
	enum imapd_state state;
	struct buf line;
	char last; /* before the present byte */
	uint64_t left;
	char *fill; /* where the present literal goes */
	size_t literals;
	struct imapd_literal *first, **tail;
	unsigned errors;
	bool streaming; /* behind the first message */
	struct arena_mark mark;
};

/* max_arena bounds what a command may take, also by e->arena. */
void imapd_init(struct imapd *, struct buf *out, size_t max_arena);
void imapd_free(struct imapd *);

enum imapd_event imapd_next(struct imapd *, struct span *in);

/* Whether nothing of a further command has been read yet. */
bool imapd_idle(const struct imapd *);

/* Whether a message follows behind args, to be accepted or refused. */
bool imapd_has_message(const struct imapd *);

/*
 * After IMAPD_MESSAGE: have the message sent, or not (the caller answers
 * the command; what comes unasked is passed over).
 */
void imapd_accept(struct imapd *);
void imapd_refuse(struct imapd *);

/* The next line is no command, but comes as IMAPD_LINE (AUTHENTICATE,
 * IDLE). */
void imapd_line(struct imapd *);

/* Answer "TAG BAD text" and count it; too many of these: IMAPD_CLOSE. */
void imapd_bad(struct imapd *, const char *text);

/* Whether the argument is an atom or a string of any kind. */
bool imap_is_string(const struct imap_arg *);

#endif
