/*
 * events - programs of the user's that hear what happened to messages
 *
 * Rules are lines of the file `events` of the configuration and of
 * `pneu.events` in the Maildir (pneu-events(5)).  What a rule waits for is
 * written into `pneu.event-queue` in the Maildir, and a process apart,
 * forked before the sandbox closes, runs the programs one after the other:
 * a slow one delays nobody, and what is not done yet is done later, also
 * by another session.  Without rules there are no files and no process.
 */
#ifndef STORE_EVENTS_H
#define STORE_EVENTS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

enum event_kind {
	EVENT_MOVED = 1,
	EVENT_COPIED = 2,
	EVENT_APPENDED = 4,
	EVENT_FLAGGED = 8,
	EVENT_EXPUNGED = 16
};

struct event {
	enum event_kind kind;
	struct span from, to; /* mailboxes, UTF-8; empty for none */
	struct span dir;      /* the folder it is in now: "", ".A.B" */
	uint32_t uidvalidity; /* of that folder */
	uint32_t uid;         /* in it */
	struct span flags;    /* "\Seen $Junk", as they are now */
	struct span changed;  /* EVENT_FLAGGED: "+ \Seen" and the like */
};

struct event_rule {
	unsigned kinds;
	const char *from, *to, *flag; /* NULL: any */
	char *const *argv;
	struct event_rule *next;
};

struct events {
	struct arena arena;
	struct event_rule *rules; /* NULL: nothing to do, ever */
	char root[LIMIT_PATH], login[LIMIT_LOGIN + 1];
	int dir;          /* the Maildir */
	int queue;        /* the file; -1 before there is one */
	struct buf lines; /* noted, and not written yet */
	int kick;         /* to the process that runs them; -1: none */
};

/* Read the rules.  Bad lines are logged and hurt only themselves. */
void events_open(struct events *, const char *root, const char *login);

/* Add the rule of a line.  NULL, or what is wrong with it. */
const char *events_rule(struct events *, struct span line);

/*
 * Fork the process that runs what is in the queue; before the sandbox
 * closes.  Does nothing without rules.  0, or -1 and errno.
 */
MUST int events_start(struct events *);

/* Whether a rule may wait for this kind. */
bool events_want(const struct events *, enum event_kind);

/* Note one; what no rule waits for is dropped. */
void events_note(struct events *, const struct event *);

/* Write what was noted, and have it run.  A failure is logged. */
void events_flush(struct events *);

/* Flush and let the process end when the queue is empty. */
void events_close(struct events *);

/* eventrun.c: run what is in the queue until it is empty. */
void events_run(struct events *);

/* The rule matches; an event's text fields as they are in a line. */
bool events_match(const struct event_rule *, const struct event *);

/*
 * A line of the queue: a state ('+' to do, '1' to '9' so many times
 * failed, '-' done), the word of the kind and the fields, tabs between,
 * %XX inside.  False for a line that is none.
 */
bool events_parse(struct span line, struct event *, struct buf *fields);

const char *event_name(enum event_kind);

#endif
