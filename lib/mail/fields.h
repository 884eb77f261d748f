/*
 * fields - change a header that is held in memory
 *
 * The text is a header without the blank line behind it, lines ended by
 * LF.  Fields are counted as a milter counts them: every field that is a
 * name, a colon and its folded lines; what is not one counts for nothing,
 * and neither does what stands in front of `first`.
 *
 * A value is what follows the colon, its blank included.  It may come
 * folded, with any kind of line end; lines that would not belong to the
 * field get a tab in front, empty ones are left out.
 */
#ifndef MAIL_FIELDS_H
#define MAIL_FIELDS_H

#include "base/buf.h"

struct fields {
	struct buf text; /* its max bounds the header */
	size_t first;    /* where the counted fields begin */
};

/*
 * False, with the text as it was, when it does not fit.
 *
 * At the end; in front of field `index`, counted from 0, or at the end
 * where there are not so many.
 */
MUST bool fields_add(struct fields *, struct span name, struct span value);
MUST bool fields_insert(
    struct fields *, uint32_t index, struct span name, struct span value);

/*
 * The nth field of that name, counted from 1 (0 is the first, too), gets
 * that value; an empty one takes it away.  Where there are not so many, a
 * value is added at the end.
 */
MUST bool fields_change(
    struct fields *, uint32_t nth, struct span name, struct span value);

#endif
