/*
 * authserv - whose Authentication-Results a field is (RFC 8601)
 *
 *	authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ...
 *
 * Fed what stands behind the colon a byte at a time, with the line ends of
 * folding, it says as soon as it is known whether the authserv-id is ours.
 */
#ifndef MAIL_AUTHSERV_H
#define MAIL_AUTHSERV_H

#include "base/span.h"

enum authserv_is { AUTHSERV_MORE, AUTHSERV_OURS, AUTHSERV_OTHER };

/* All zero is a fresh one. */
struct authserv {
	size_t depth; /* of comments */
	size_t n;     /* of our name, so many bytes have been seen */
	bool began, quoted, escaped, differs;
};

enum authserv_is authserv_next(struct authserv *, struct span ours, char);

#endif
