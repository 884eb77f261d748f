/*
 * received - the trace field of RFC 5321, section 4.4
 *
 *	Received: from HELO (NAME [192.0.2.1])
 *		by HOST with ESMTPS (TLSv1.3 CIPHER) id ID
 *		for <rcpt>; Sun, 22 Nov 2026 22:44:31 +0000
 *
 * What stands in it must be printable; the caller has seen to that.
 */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include "base/buf.h"

struct received {
	const char *helo; /* NULL leaves the "from" clause out */
	const char *name; /* that DNS confirms; NULL or "" for none */
	const char *ip;   /* "" for a local peer */
	const char *by, *with, *id;
	const char *tls;  /* "TLSv1.3 CIPHER", or "" */
	struct span rcpt; /* the only recipient, or empty */
	int64_t date;
};

/* Append the field, lines ended by LF; what buf_put returns. */
bool received_put(struct buf *, const struct received *);

/*
 * The registered name of the protocol (RFC 3848; RFC 6531, section 4.3):
 * "ESMTPSA", "LMTP". Static text.
 */
const char *received_with(
    bool lmtp, bool esmtp, bool utf8, bool tls, bool auth);

#endif
