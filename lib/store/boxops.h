/*
 * boxops - what the files that implement boxes.h have in common
 */
#ifndef STORE_BOXOPS_H
#define STORE_BOXOPS_H

#include "base/buf.h"
#include "store/boxes.h"

/* Whether the folder ".A.B" (or "", INBOX) exists. */
bool boxes_is_folder(struct boxes *, const char *dir);

/* Append ".A.B" and LF for each folder, of those below one if given. */
MUST int boxes_folders(struct boxes *, const char *below, struct buf *dirs);

#endif
