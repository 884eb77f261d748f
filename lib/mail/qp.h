/*
 * qp - text as quoted-printable (RFC 2045, section 6.7)
 *
 * Fed lines ended by LF (or CRLF) in pieces of any size, gives lines ended
 * by LF of 76 characters at most.  mail/cte.h undoes it.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include "base/span.h"

enum { QP_PIECE = 512 };

/* All zero is a fresh one. */
struct qp {
	unsigned column;
	char held; /* a blank or CR whose next byte is not known yet */
	size_t n;
	char piece[QP_PIECE + 12];
};

/*
 * The next piece (n > 0), valid until the next call; false when *in is
 * used up.
 */
bool qp_next(struct qp *, struct span *in, struct span *piece);

/* There is no more: the rest, perhaps empty. */
struct span qp_end(struct qp *);

#endif
