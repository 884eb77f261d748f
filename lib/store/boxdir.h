/*
 * boxdir - the folders of a Maildir, as directories
 *
 * A folder is named as it stands on disk: ".A.B", or "" for INBOX.
 */
#ifndef STORE_BOXDIR_H
#define STORE_BOXDIR_H

#include "base/buf.h"
#include "store/boxes.h"

bool boxdir_exists(struct boxes *, const char *dir);

/*
 * Append ".A.B" and LF for each folder, INBOX not among them, of those
 * below one if given.  0, or -1 and errno.
 */
MUST int boxdir_list(struct boxes *, const char *below, struct buf *dirs);

/*
 * An empty one, with tmp, new and cur, synced; `note` is what its file
 * maildirfolder holds.  BOX_OK, BOX_EXISTS or BOX_FAILED.
 */
enum box_result boxdir_make(struct boxes *, const char *dir, struct span note);

extern const char boxdir_note_name[];

/* Remove it with all that is in it; logged when it can't be.  Keeps errno. */
void boxdir_unmake(struct boxes *, const char *dir);

#endif
