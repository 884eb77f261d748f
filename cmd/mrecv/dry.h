/*
 * dry - mrecv -n: what would be decided, and why
 *
 * A session is read from standard input, as from the client that the
 * environment names, and each decision is a line on standard output:
 *
 *	STEP [ARG] <tab> DECISION <tab> BECAUSE
 *
 * Nothing is changed and no command is started.  Without -n all of these
 * do nothing.
 */
#ifndef MRECV_DRY_H
#define MRECV_DRY_H

#include "mrecv.h"

/* Before anything is said. */
void dry_open(struct mrecv *);

/* A line; arg may be empty. */
void dry_line(const struct mrecv *, const char *step, struct span arg,
    const char *decision, const char *because);

/* The same for a reply. */
void dry_reply(const struct mrecv *, const char *step, struct span arg,
    int code, const char *text, const char *because);

/* With -v. */
void dry_reason(const struct mrecv *, const char *step, struct span arg,
    const char *decision, const char *because);

/* What the engine said by itself: the replies behind the first n bytes. */
void dry_engine(struct mrecv *, size_t n);

/* The message is whole: what would be done with it. */
void dry_message(struct mrecv *);

/* It is not taken. */
void dry_refusal(const struct mrecv *, int code, struct span why);

/* A line more of the session for the engine; false at the end. */
MUST bool dry_fill(struct mrecv *);

/* What is said: -vv shows it. */
void dry_flush(struct mrecv *);

#endif
