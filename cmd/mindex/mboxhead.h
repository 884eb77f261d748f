/*
 * mboxhead - the header of a message in an mbox, and what programs that
 * keep mail in mboxes have written into it
 *
 * Status, X-Status, X-Keywords, X-UID, X-IMAP, X-IMAPbase, Content-Length
 * and the X-Mozilla fields are taken out and read; all else goes to put.
 */
#ifndef MBOXHEAD_H
#define MBOXHEAD_H

#include "base/buf.h"

enum mbox_field {
	FIELD_NONE,
	FIELD_STATUS,
	FIELD_XSTATUS,
	FIELD_KEYWORDS,
	FIELD_UID,
	FIELD_IMAP,
	FIELD_IMAPBASE,
	FIELD_LENGTH,
	FIELD_MOZILLA,
	FIELD_MOZILLA2,
	FIELD_MOZILLA_KEYS
};

struct mboxhead {
	/* what was read */
	uint16_t flags;
	bool unwanted; /* deleted, or no message at all */
	bool has_length;
	uint64_t length;
	uint32_t uid, uidvalidity;
	struct buf keywords; /* names, blank-separated */
	/* where it is */
	enum { HEAD_BOL, HEAD_NAME, HEAD_KEEP, HEAD_DROP } state;
	enum mbox_field field;
	size_t n;
	char name[32];
	struct buf value;
	void (*put)(struct span);
};

void mboxhead_init(struct mboxhead *, void (*put)(struct span));
void mboxhead_free(struct mboxhead *);

/* The next text of the header, its last empty line included. */
void mboxhead_text(struct mboxhead *, struct span);

/* It ends without one: a file that was cut off. */
void mboxhead_end(struct mboxhead *);

#endif
