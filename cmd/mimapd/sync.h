/*
 * sync - what a client is told that it has missed (RFC 7162)
 */
#ifndef MIMAPD_SYNC_H
#define MIMAPD_SYNC_H

#include "imap.h"

/* SELECT's QRESYNC parameter; the sets are in the command's arena. */
struct resync {
	bool asked;
	uint32_t uidvalidity;
	uint64_t since;
	bool some; /* known is given: it is about these alone */
	struct imapset known;
	struct imapset seqs, uids; /* numbers, and the UIDs they had */
};
bool resync_parse(struct imap *, const struct imap_arg *, struct resync *);
/* Nothing when it was not asked, or for another UIDVALIDITY. */
void resync_tell(struct imap *, const struct resync *);

/* VANISHED (EARLIER) of UIDs of this set that were expunged with a larger
 * MODSEQ than since. */
void resync_vanished_in(struct imap *, uint64_t since, struct span set);

/* "* VANISHED ..." line by line, none much longer than 8 KiB */
struct vanished {
	struct imapset_writer set;
	struct buf line;
	bool earlier;
};
void sync_vanished(
    struct imap *, struct vanished *, uint32_t first, uint32_t last);
void sync_vanished_end(struct imap *, struct vanished *);

#endif
