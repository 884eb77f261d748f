/*
 * chain - filters, one behind the other, while a message arrives
 *
 * Each reads the message on standard input and writes the one to pass on.
 * mrecv stands between all of them, so it knows of each whether it wrote
 * a message; what the last one wrote goes to a spool.  Nothing a chain
 * wrote counts before chain_end has said OK.
 */
#ifndef MRECV_CHAIN_H
#define MRECV_CHAIN_H

#include <sys/types.h>

#include "io/out.h"
#include "mrecv.h"

enum { LINK_BUF = 8192, LINE_BUF = 1024 };

struct link {
	const struct stage *stage;
	pid_t pid;                /* 0: none, or reaped */
	int in, out, err, commit; /* our ends; -1 when closed */
	bool eof;                 /* nothing follows what is in buf */
	enum { HEADER_UNKNOWN, HEADER_YES, HEADER_NO } header;
	size_t n, nline, nlast;
	char buf[LINK_BUF];  /* to be written to `in` */
	char line[LINE_BUF]; /* of standard error, unfinished */
	char last[LINE_BUF]; /* the last whole one */
};

struct chain {
	struct link link[MRECV_STAGES];
	size_t n;
	struct out *spool;
	int64_t patience; /* seconds */
	bool stuck;       /* nothing moved for that long */
};

/* What became of the message in the hands of a filter. */
struct outcome {
	enum verdict verdict;
	bool drop;
	char hold[LINE_BUF];               /* a reason, or "" */
	bool logged;                       /* what failed */
	bool refused;                      /* not a failure: a milter said so */
	int code;                          /* 0: the usual one */
	char text[LIMIT_MILTER_REPLY + 1]; /* "5.7.1 spam", or "" */
	const char *what;                  /* the stage's name */
	char why[64];
};

/*
 * Start n filters.  The first reads what chain_write is given, or `input`
 * when that is not -1.  0, or -1 with errno and nothing left running.
 */
MUST int chain_start(struct chain *, const struct stage *, size_t n,
    char *const *envp, int input, struct out *spool, int64_t patience);

void chain_write(struct chain *, struct span);

/* The message is whole: let them finish, and say what they did. */
void chain_end(struct chain *, struct outcome *);

/* Kill what runs and close what is open. */
void chain_abort(struct chain *);

/* "5.7.1 text" of that class, printable and short enough, or "". */
void take_reply_text(struct span line, char cls, char *to, size_t size);

#endif
