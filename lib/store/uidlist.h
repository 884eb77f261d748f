/*
 * uidlist - the UIDs that Dovecot or Courier gave to the files of a folder
 *
 * dovecot-uidlist, versions 1 and 3, and courierimapuiddb, which is
 * version 1 (pneu-migrate(7)).  Rows come in the order of the file.  What
 * they point to lies in the text.
 */
#ifndef STORE_UIDLIST_H
#define STORE_UIDLIST_H

#include "base/span.h"

struct uidlist {
	uint32_t uidvalidity, uidnext;
	uint32_t last;  /* UID */
	unsigned bad;   /* lines that were passed over */
	bool extended;  /* version 3 */
	struct span in; /* what is left */
};

struct uidlist_row {
	uint32_t uid;
	struct span base; /* the name in front of ":2," */
	struct span uidl; /* of POP3; empty: none of its own */
	uint64_t wire;    /* CRLF size; 0: not told */
};

/* Begin with the text of a file; false when it is none of these. */
MUST bool uidlist_begin(struct uidlist *, struct span text);

/*
 * The next row whose UID is larger than the one before; others, and lines
 * that are none, are counted as bad.  False at the end.
 */
bool uidlist_next(struct uidlist *, struct uidlist_row *);

#endif
