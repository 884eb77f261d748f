/*
 * metadata - annotations of a mailbox or of the server (RFC 5464)
 *
 * The file pneu.metadata of a folder has them all: a line "ENTRY SIZE",
 * the value, LF.  Entry names are in lower case.  Those of the server are
 * in pneu.metadata-server of the root.  The folder's file goes where the
 * folder goes, and ends with it.
 */
#ifndef STORE_METADATA_H
#define STORE_METADATA_H

#include "store/boxtext.h"

/* All zero is an empty one. */
struct metadata {
	struct buf text;
};

/* What a name of an entry may be: RFC 5464, section 3.2. */
bool metadata_entry_ok(struct span entry);

/* Whether such a one may be made: those of a vendor have four levels. */
bool metadata_may_be(struct span entry);

/*
 * Read those of the folder at path, or of the server whose root it is.
 * None is no error.  0, or -1 and errno.  metadata_free after either.
 */
MUST int metadata_load(struct metadata *, const char *path, bool server);
void metadata_free(struct metadata *);

/* From *at = 0 on; valid until metadata_free. */
bool metadata_next(const struct metadata *, size_t *at, struct span *entry,
    struct span *value);

/* In any case; false when there is none. */
bool metadata_get(
    const struct metadata *, struct span entry, struct span *value);

struct metadata_change {
	struct span entry, value; /* value.p NULL: it is removed */
};

/* The text of the file with all of them done; false when it is too much. */
MUST bool metadata_edit(const struct metadata *, const struct metadata_change *,
    size_t n, struct buf *text);

/* Change the file so: all of them or none. */
enum boxtext_result metadata_set(struct boxes *, const char *path, bool server,
    const struct metadata_change *, size_t n);

/* To another folder, over what is there. */
MUST int metadata_copy(const char *from, const char *to);

#endif
