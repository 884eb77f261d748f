/*
 * mqueue - what the parts of the program share
 */
#ifndef MQUEUE_H
#define MQUEUE_H

#include "base/die.h"
#include "queue/envelope.h"
#include "queue/job.h"
#include "queue/queued.h"
#include "queue/routes.h"
#include "queue/schedule.h"

extern struct queue queue; /* open while a verb runs */
extern struct retry retry;
extern bool dry_run; /* -n */

/* The verbs: argv[0] is the verb; the exit status. */
/* Root becomes the account the queue belongs to. */
void become_owner(bool create);

int add_main(int argc, char **argv);
int ls_main(int argc, char **argv);
int cat_main(int argc, char **argv);
int show_main(int argc, char **argv);
int next_main(int argc, char **argv);
int done_main(int argc, char **argv);
int run_main(int argc, char **argv);
int retry_main(int argc, char **argv);
int hold_main(int argc, char **argv);
int release_main(int argc, char **argv);
int rm_main(int argc, char **argv);
int bounce_main(int argc, char **argv);
int edit_main(int argc, char **argv);
int adopt_main(int argc, char **argv);
int stat_main(int argc, char **argv);
int fsck_main(int argc, char **argv);

_Noreturn void usage_of(const char *verb);

/* Open the queue or die; create it if it is not there. */
void open_queue(bool create);

/*
 * Call f for each id of argv, or of standard input for "-".  f says
 * ENOENT for an unknown one.  The exit status of the verb.
 */
int each_id(const char *verb, char **argv, int (*f)(const char *id));

/* `routes` as it stands now; empty (and said) when it can't be read. */
void load_routes(struct arena *, struct routes *);

/* What a pattern sees of a recipient (NULL: of the message). */
struct pattern_facts facts_of(const struct envelope *, struct span rcpt);

/* A new id that nothing has. */
void new_id(char id[MAIL_ID_LEN + 1]);

/* A message in the hands of next, done or run. */
struct outcome {
	struct span code, text; /* of this attempt; code empty: none yet */
};

struct attempt {
	struct queued m;
	struct arena arena;
	struct envelope e;
	struct outcome *outcome; /* one a recipient */
	struct buf story;        /* what ID.log does not have yet */
	unsigned n;              /* the number of this attempt */
	int64_t last; /* when the one before was; 0: there was none */
	bool tried;   /* something was really attempted */
};

/*
 * Open a message and read its envelope.  0; -1 and errno: EBADMSG and
 * EPROTO for an envelope that does not parse.
 */
MUST int attempt_open(struct attempt *, const char *id);
void attempt_close(struct attempt *);

/* Hold a message for a fault of its file, and log it. */
void attempt_hold(const char *id, const char *why);

/* The index of an open recipient, or -1. */
int attempt_find(const struct attempt *, struct span rcpt);

/*
 * What became of a recipient: mark it, tell the story, log it.  route is
 * the text of the command, local whether it delivers into mailboxes.
 */
void attempt_result(struct attempt *, size_t i, const char *route, bool local,
    struct span code, struct span text);

/* A line of dialogue for ID.log. */
void attempt_remark(struct attempt *, struct span text);

/*
 * All that was wanted is tried: tell the sender what must be told, give up
 * what is too old, then remove the message or put it back until it is due
 * again (`due`; 0: by the schedule).
 */
void attempt_finish(struct attempt *, int64_t due);

/* It was to be delivered in time (RFC 2852), which is over, and that was
 * not yet said. */
bool attempt_late(const struct attempt *, int64_t now);

/* The same, and it is to be returned then: no recipient is tried. */
bool attempt_overdue(const struct attempt *, int64_t now);

/* That recipient has failed. */
void attempt_return(struct attempt *, size_t i);

/*
 * Queue a notification about the recipients with pick[i] set; action is
 * one of enum dsn_action, and NOTICE_LATE for what is told apart from it.
 * True when it is in the queue, or need not be; false: later.
 */
enum { NOTICE_LATE = 16 };
bool notify(struct attempt *, int action, const bool *pick);

#endif
