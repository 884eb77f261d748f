/*
 * sink - the command at the end of the command line, for one message
 *
 * Called as a transport, COMMAND -f SENDER -- RCPT...; it stores nothing
 * before it has read `y` from MAIL_COMMITFD.
 */
#ifndef MRECV_SINK_H
#define MRECV_SINK_H

#include <sys/types.h>

#include "mrecv.h"

struct sink {
	pid_t pid; /* 0 when none runs */
	int in;    /* -1: closed, or it reads a file */
	int out, commit;
	int status;       /* of wait, after sink_end */
	int64_t patience; /* seconds */
	bool cut;         /* it did not take all of the message */
	size_t n, nline;
	char buf[16384]; /* to be written to `in` */
	char line[LIMIT_RESULT_LINE];
	/* what it said of each recipient */
	size_t nrcpt, next;
	struct span rcpt[LIMIT_SMTP_RCPTS];
	uint32_t result[LIMIT_SMTP_RCPTS]; /* 1 + where in `results`, or 0 */
	struct buf results;                /* "5.1.1 text", NUL, ... */
};

/* Its standard input is what sink_write gives, or `input`.  0 or -1. */
MUST int sink_start(
    struct sink *, struct mrecv *, char *const *envp, int input);
void sink_write(struct sink *, struct span);

/* The message is whole and wanted: commit, and wait for its results. */
void sink_end(struct sink *);

/* It must store nothing. */
void sink_abort(struct sink *);

/*
 * What became of recipient i.  text, of LIMIT_REPLY_TEXT + 1, gets the
 * sink's words with their enhanced status, or "".
 */
enum verdict sink_verdict(const struct sink *, size_t i, char *text);

#endif
