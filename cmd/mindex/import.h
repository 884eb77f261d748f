/*
 * import - what the ways to bring mail in have in common
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "mindex.h"
#include "store/bring.h"

enum { IMPORT_BATCH = 200 }; /* messages that are committed together */

/* The mailbox that messages go into. */
struct target {
	const char *name;
	char path[LIMIT_PATH];
	bool exists; /* always, but for -n */
	bool made;   /* by us, now */
	struct bring bring;
	size_t taken, known; /* messages; of a run */
	/* With -n, of the message that would be written: */
	uint64_t size;
	bool open_line; /* its last one has no end */
};

/* Open it, made when it is not there.  False when it could not be. */
MUST bool target_open(struct target *, const char *name);

/*
 * Whether UIDs under this UIDVALIDITY, 0 for none, can be taken over: it has
 * it from a run before, or nothing was ever in it, and it gets it now.
 */
bool target_keeps(struct target *, uint32_t uidvalidity);

/* UIDs below that are used up. */
void target_uidnext(struct target *, uint32_t uidnext);

/* Whether a message of that base is there; it is counted then. */
bool target_has(struct target *, const char *base);

/* With -n: whether the sizes of messages are to be known. */
bool target_foretells(void);

/*
 * What was written is a message.  Dies when it can't be kept, or with -n
 * could not be for the quota.
 */
void target_done(struct target *, const struct bring_msg *);

void target_commit(struct target *);

/* Commit, say what was done, close. */
void target_close(struct target *);

int import_mbox(char **argv);
int import_maildir(char **argv);
int import_imap(char **argv);

#endif
