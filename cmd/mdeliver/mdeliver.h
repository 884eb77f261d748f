/*
 * mdeliver - what its files share
 *
 *	main.c     options, the three ways of being called
 *	plan.c     where each recipient leads: users, aliases, domains
 *	include.c  lists that aliases name
 *	source.c   the message: a queue file, or standard input
 *	file.c     put messages into Maildirs, many at a time
 *	asks.c     what the sender asked for, for who gets it next
 *	forward.c  hand a message to mqueue add, or to an alias's command
 *	batch.c    do what was planned, as the users it is for
 *	jobs.c     -J
 *
 * As root it parses nothing of a message or an envelope: that is done by
 * a child for each user, which becomes that user first.
 */
#ifndef MDELIVER_H
#define MDELIVER_H

#include <sys/types.h>

#include "auth/users.h"
#include "base/arena.h"
#include "base/die.h"
#include "io/conf.h"

enum {
	BATCH_JOBS = 16,
	LOCK_WAIT_MS = 200, /* for the index of a folder */
	TARGETS_MAX = 500,  /* of one message */
	ALIAS_DEPTH = 10,
	CODE_SIZE = 12,
	TEXT_SIZE = 300
};

/* A message that several targets read, each from its own descriptor. */
struct source {
	int fd;      /* to be read with pread */
	bool queued; /* an envelope stands in front */
	off_t at;    /* where the message begins, unless queued */
	char id[17]; /* "" when not known */
	char sender[LIMIT_ADDRESS + 1]; /* unless queued */
};

enum target_kind {
	TARGET_BOX,     /* file into the Maildir `path` */
	TARGET_FORWARD, /* queue again for the address `path` */
	TARGET_COMMAND  /* run the command `path` */
};

/* One thing to do for one recipient. */
struct target {
	enum target_kind kind;
	struct source *source;
	size_t rcpt;         /* whose: index into the batch's recipients */
	const char *address; /* for Delivered-To */
	const char *path;
	uid_t uid;
	gid_t gid;
	uint64_t quota_bytes, quota_messages; /* of a box; 0: none */
	bool by_alias; /* so once is enough for several recipients */
	bool done;
	const struct target *twin; /* what becomes of that one, or NULL */
	enum verdict verdict;
	char code[CODE_SIZE], text[TEXT_SIZE];
};

struct rcpt_state {
	struct source *source;
	struct span address;
	enum verdict verdict; /* the worst of its targets */
	char code[CODE_SIZE], text[TEXT_SIZE];
	bool decided; /* before any target was tried */
};

struct batch {
	struct arena arena;
	struct target *targets;
	size_t ntargets, max_targets;
	struct rcpt_state *rcpts;
	size_t nrcpts, max_rcpts;
	bool explain; /* -n */
};

/* An empty batch; what it holds is freed by batch_free. */
void batch_init(struct batch *);
void batch_free(struct batch *);

/*
 * Add a recipient of a message: find its targets, or decide at once (no
 * such user).  With explain, print the steps.
 */
void plan_add(struct batch *, struct source *, struct span address);

/*
 * Open a list of addresses, as root by a child of that uid.  0, or -1 and
 * errno.  include_close tells whether all of it was read.
 */
MUST int include_open(struct conf *, const char *path, uid_t, gid_t, pid_t *);
bool include_close(struct conf *, pid_t);

/* To standard output, control characters as "?". */
void print_plain(struct span);

/* Do it all, as the users it is for, and set each recipient's verdict. */
void batch_run(struct batch *);

/* Set what became of a target. */
void target_set(struct target *, enum verdict, const char *code,
    const char *fmt, ...) PRINTF(4, 5);

/*
 * File these TARGET_BOX targets, at most BATCH_JOBS: all are written and
 * synced, then renamed, then each folder synced once.
 */
void file_targets(struct target *const *, size_t n);

/* What the sender asked for, into the environment of who gets it next.
 * False: it can't be kept. */
struct env;
MUST bool asks_pass(struct env *, const struct target *);

/* Hand one TARGET_FORWARD or TARGET_COMMAND on. */
void forward_target(struct target *);

/*
 * Open a queue file below the queue directory: regular, one link, no
 * symbolic link.  0, or -1 and errno.
 */
MUST int source_open_queued(struct source *, const char *file);

/*
 * Standard input, copied to an unlinked file where it can't be read
 * twice.  Waits for the commit byte of MAIL_COMMITFD; dies with EXIT_TEMP
 * when the message is not to be taken.
 */
void source_open_stdin(struct source *, const char *sender);

/*
 * Read the message from its beginning, with Return-Path and Delivered-To
 * in front and every Return-Path of its own left out.  put gets it in
 * pieces.  0; -1 and errno; 1 when address is in a Delivered-To field
 * already: a loop.
 */
MUST int source_read(struct source *, const char *address,
    void (*put)(void *ctx, struct span), void *ctx);

/* The sender; for a queued message its envelope is parsed.  NULL: bad. */
const char *source_sender(struct source *);

/* -J: jobs on standard input, results on standard output. */
int jobs(void);

#endif
