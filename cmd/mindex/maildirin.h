/*
 * maildirin - the messages of a folder of any Maildir, to be copied
 *
 * With what our index knows of them, or that of Dovecot or Courier, or the
 * names alone.
 */
#ifndef MAILDIRIN_H
#define MAILDIRIN_H

#include "foreign.h"
#include "import.h"

struct maildirin {
	char path[LIMIT_PATH];
	struct folder *ours; /* or NULL: */
	struct foreign theirs;
	size_t *order; /* files of theirs */
	size_t n;
	uint32_t uidvalidity; /* 0: there are no UIDs */
	uint32_t uidnext;
};

struct maildirin_msg {
	char file[512]; /* below the folder */
	uint32_t uid;   /* 0: none */
	uint16_t flags;
	struct buf keywords; /* names */
};

/* 0, or -1 and errno. */
MUST int maildirin_open(struct maildirin *, const char *path);
void maildirin_close(struct maildirin *);

/* Message i < n; false when it has gone. */
MUST bool maildirin_get(struct maildirin *, size_t i, struct maildirin_msg *);

/* Open its file to read; -1 and errno. */
MUST int maildirin_file(struct maildirin *, size_t i);

/*
 * Copy all that is not there into the mailbox; with `uids` under the UIDs
 * that they have, if the mailbox has none yet.
 */
void maildirin_copy(const char *name, const char *from, bool uids);

#endif
