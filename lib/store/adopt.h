/*
 * adopt - messages that bring their UIDs along
 *
 * A folder that another server kept gets an index with that server's
 * UIDVALIDITY and UIDs, and messages of another server are added under
 * the UIDs that they had there.
 */
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "store/folder.h"

struct adopt_msg {
	uint32_t uid;
	struct span file; /* its name in new/ or cur/ */
	bool in_new;
	uint64_t keywords; /* bit i: keyword[i] of struct adopt */
	uint64_t wire;     /* CRLF size; 0: what the name says */
};

struct adopt {
	uint32_t uidvalidity, uidnext;
	const char *const *keyword;
	int nkeywords;
	const struct adopt_msg *msg; /* by rising UID */
	size_t n;
};

/* What an index says of itself; 0, or -1 and errno (ENOENT: no index). */
MUST int adopt_has_index(const char *path, uint32_t *uidvalidity);

/*
 * A new index in place of what the folder has.  Files that are not in the
 * list get their UIDs from uidnext on when the folder is opened.  Sessions
 * that have it open end.  0, or -1 and errno.
 */
MUST int adopt_index(const char *path, const struct adopt *);

/* No message that comes gets a UID below uidnext.  0, or -1 and errno. */
MUST int adopt_uidnext(const char *path, uint32_t uidnext);

#endif
