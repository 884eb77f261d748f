/*
 * append - messages on their way into a mailbox (APPEND, REPLACE)
 */
#ifndef MIMAPD_APPEND_H
#define MIMAPD_APPEND_H

#include "event.h"

struct append {
	struct imap *im;
	struct folder_append *f;
	struct span name; /* of the mailbox */
	size_t replaced;  /* REPLACE: the message, or SIZE_MAX */

	/* of the present message */
	bool options;  /* it has flags or a date, and nothing else yet */
	bool catenate; /* it is made of parts */
	bool part;     /* a part of it is there, or comes next */
	uint16_t flags;
	struct buf keywords;
	int64_t date;
	uint64_t size;
	bool after_cr;
	int spool; /* literal8: what came, as it came; -1: none */
	bool nul, odd;

	/* the mailbox that a URL has named last */
	struct folder *other;
	char other_path[LIMIT_PATH];
};

/* n octets more of the present message; false when there is no room. */
bool append_add(struct append *, uint64_t n);
/* Both answer, and are false. */
bool append_too_big(struct append *);
bool append_failed(struct append *);

/* text.c: a piece of the message, as it is on the wire */
void append_text(struct append *, struct span);
/* The literal that comes is a literal8: a whole message. */
bool append_binary(struct append *);
/* The message is whole; false when it is answered. */
bool append_text_end(struct append *);
void append_text_drop(struct append *);

/* url.c: what this URL of CATENATE names; false when it is answered */
bool append_url(struct append *, struct span url);
void append_url_close(struct append *);

#endif
