/*
 * job - the lines between mqueue and a transport called with -J
 *
 * A job:     ID <tab> FILE <tab> ROUTE <tab> RCPT [<tab> RCPT...]
 * A result:  ID <tab> RCPT <tab> CODE <tab> TEXT
 * A remark:  ID <tab> - <tab> TEXT
 *
 * Fields are enc_pct; FILE is the path of the queue file, whose envelope
 * (queue/envelope.h) has the sender and all parameters.  CODE is an
 * enhanced status code, 2.x.x, 4.x.x or 5.x.x.  A result is one write of
 * LIMIT_RESULT_LINE bytes at most, a line a recipient, in any order, its
 * RCPT the job's byte for byte.  A remark is kept in ID.log with the
 * attempt: the dialogue that failed, a line each, written before the
 * results of its job.
 *
 * The TEXT of a 2.x.x begins with JOB_RELAYED when the next host will not
 * tell what became of it, or the sender wants to know that it was passed
 * on: then that is for us to report, if anybody wants it.  JOB_EXPANDED is
 * the same of an alias that led to another address.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#define JOB_RELAYED "relayed to "
#define JOB_EXPANDED "queued for "

#include "base/arena.h"
#include "base/buf.h"
#include "base/die.h"
#include "base/limits.h"
#include "io/ident.h"

struct job {
	char id[MAIL_ID_LEN + 1];
	const char *file, *route; /* decoded, NUL-terminated */
	struct span *rcpts;       /* decoded */
	size_t nrcpts;            /* 1 to LIMIT_JOB_RCPTS */
};

/* A line without its LF; texts are in the arena.  False: not a job. */
MUST bool job_parse(struct arena *, struct span line, struct job *);

/* Append a whole line; false, and nothing is added, when it is too long. */
bool job_put(struct buf *, const struct job *);

struct result {
	char id[MAIL_ID_LEN + 1];
	bool remark;         /* rcpt and code are empty */
	struct span rcpt;    /* decoded */
	struct span code;    /* "4.4.1" */
	enum verdict status; /* by the class of the code */
	struct span text;    /* decoded; may hold any byte */
};

MUST bool result_parse(struct arena *, struct span line, struct result *);

/*
 * Append a result line with its LF; text is cut so that it fits.  False
 * when not even the rest does.
 */
bool result_put(struct buf *, const char *id, struct span rcpt,
    const char *code, struct span text);

/* The same for a remark. */
bool remark_put(struct buf *, const char *id, struct span text);

/* Whether s is an enhanced status code of class 2, 4 or 5 (RFC 3463). */
bool result_code_ok(struct span s);

/*
 * Open the FILE of a job to read: below the queue directory of `paths`,
 * a regular file with one link, no symbolic link.  -1 and errno (EACCES
 * for what is not a queue file).
 */
MUST int job_open(const char *file);

#endif
