/*
 * log - one event, one line, one write to standard error
 *
 * "PROGRAM EVENT key=value..." of at most 2 KiB, with the keys of
 * pneu-log(7).  Values from outside are quoted where needed, so that no
 * byte of theirs can make a line or a key; one that is too long is cut.
 * When standard error is the connection itself (inetd), lines go to
 * /dev/log.
 *
 *	struct logline l;
 *
 *	log_begin(&l, "accept");
 *	log_str(&l, "id", id);
 *	log_num(&l, "size", size);
 *	log_end(&l);
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include "base/span.h"

enum { LOG_LINE_SIZE = 2048 };

struct logline {
	size_t n;
	char text[LOG_LINE_SIZE];
};

/*
 * Find out where lines go, and what this connection is called: `conn` is
 * added to every line after the event (NULL for none; the string must
 * stay).  Also sets die_service.  Programs that never call it log to
 * standard error.
 */
void log_open(const char *conn);

/* As log_open, but leaves die's messages as they are for a terminal. */
void log_conn(const char *conn);

void log_begin(struct logline *, const char *event);

/* A NULL str and an empty span are written as key="". */
void log_str(struct logline *, const char *key, const char *value);
void log_span(struct logline *, const char *key, struct span value);
void log_num(struct logline *, const char *key, uint64_t value);
void log_end(struct logline *);

/*
 * A failure of ours: "PROGRAM error what=WHAT why=WHY", where why may be
 * NULL for the text of errno.
 */
void log_error(const char *what, const char *why);

#endif
