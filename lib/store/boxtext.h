/*
 * boxtext - a small text of ours that belongs to a mailbox
 *
 * Rights and metadata: a file in the folder, whose first line names its
 * kind (format.h).  It is read whole.  A change is made under the lock of
 * the root (boxfile.h), by another file that takes its place.
 */
#ifndef STORE_BOXTEXT_H
#define STORE_BOXTEXT_H

#include "store/boxes.h"

struct boxtext {
	const char *name, *kind;
	size_t max;
	bool lenient; /* what is none of ours counts as empty */
};

enum boxtext_result {
	BOXTEXT_OK,
	BOXTEXT_TOOMANY, /* of what it may hold */
	BOXTEXT_FAILED   /* errno */
};

/*
 * The text of the file in the folder at path; empty when there is none.
 * 0, or -1 and errno (EPROTO: not one that we can read).  buf_free after
 * either.
 */
MUST int boxtext_load(const struct boxtext *, const char *path, struct buf *);

/* Replace the text by what edit makes of it; false from edit: too many. */
enum boxtext_result boxtext_change(const struct boxtext *, struct boxes *,
    const char *path,
    bool (*edit)(void *ctx, const struct buf *old, struct buf *new), void *ctx);

/* To another folder, over what is there; none stays none. */
MUST int boxtext_copy(const struct boxtext *, const char *from, const char *to);

#endif
