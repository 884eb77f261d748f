/*
 * cte - undo a Content-Transfer-Encoding (RFC 2045, section 6)
 *
 * Fed the text as it is on the wire (CRLF) in pieces of any size; lenient:
 * what is no base64 is passed over, what is no quoted-printable stays.
 */
#ifndef MAIL_CTE_H
#define MAIL_CTE_H

#include "base/span.h"

enum cte_kind { CTE_IDENTITY, CTE_BASE64, CTE_QP, CTE_UNKNOWN };

/* "7bit", "8bit", "binary" and p NULL are the identity. */
enum cte_kind cte_kind(struct span encoding);

enum { CTE_PIECE = 512 };

/* All zero with kind set is a fresh one. */
struct cte {
	enum cte_kind kind; /* CTE_UNKNOWN is passed on as it is */
	uint32_t bits;
	int nbits;
	int state;
	char held;
	char piece[CTE_PIECE + 4];
};

/*
 * The next piece (n > 0), valid until the next call; false when *in is
 * used up.
 */
bool cte_next(struct cte *, struct span *in, struct span *piece);

#endif
