/*
 * boxname - names of mailboxes, and the folders that hold them
 */
#ifndef STORE_BOXNAME_H
#define STORE_BOXNAME_H

#include "base/buf.h"
#include "base/limits.h"
#include "store/boxes.h"

/* A folder's name in the Maildir: "" for INBOX, else ".A.B". */
enum { BOXNAME_DIR = 256 };

/*
 * Check a name in UTF-8 and find its folder.  False for what can't be a
 * mailbox: empty, empty levels, control characters, bad UTF-8, a "." or
 * "/" that is not the separator, or too long.
 */
MUST bool boxname_dir(struct span name, char separator, char dir[BOXNAME_DIR]);

/* The name of a folder ".A.B" into b; false when it is no mailbox's. */
MUST bool boxname_of(struct buf *b, const char *dir, char separator);

/* The same two for a user's names, with the prefix of them. */
MUST bool boxname_dir_in(
    const struct boxes *, struct span name, char dir[BOXNAME_DIR]);
MUST bool boxname_of_in(const struct boxes *, struct buf *, const char *dir);

/* Whether dir is below parent: ".A.B" is below ".A". */
bool boxname_below(const char *dir, const char *parent);

#endif
