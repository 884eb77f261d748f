/*
 * imapurl - a URL that names a message or a part of one (RFC 5092)
 *
 * As CATENATE has them (RFC 4469; RFC 5550 adds PARTIAL): absolute, with
 * the path alone, or relative to the selected mailbox.  One with URLAUTH
 * is none of these.
 */
#ifndef IMAP_IMAPURL_H
#define IMAP_IMAPURL_H

#include "base/arena.h"

struct imapurl {
	bool absolute;
	struct span user, host; /* of an absolute one; user may be empty */
	bool selected;          /* no mailbox: the one that is selected */
	struct span mailbox;    /* decoded */
	uint32_t uidvalidity;   /* 0: any */
	uint32_t uid;
	struct span section; /* "" for all */
	bool partial;
	uint64_t from, count; /* count UINT64_MAX: to the end */
};

/* What is decoded lives in the arena.  False when it is no such URL. */
bool imapurl_parse(struct arena *, struct span, struct imapurl *);

#endif
