/*
 * side - a file beside the index that may be lost
 *
 * What took long to find out of a whole folder and can be found out again:
 * orders and threads.  Replaced as a whole, not synced; one that is
 * damaged, of another UIDVALIDITY or half written is as good as none.
 */
#ifndef STORE_SIDE_H
#define STORE_SIDE_H

#include "base/buf.h"

/* Read "pneu.NAME" of a folder into b; its content begins at an address
 * that is good for any type.  False when there is none that is good. */
bool side_read(const char *path, const char *name, uint32_t uidvalidity,
    struct buf *b, struct span *content);

/* The content of what such a file holds; false when it is not good. */
bool side_content(struct span file, uint32_t uidvalidity, struct span *content);

/* Errors are forgotten. */
void side_write(const char *path, const char *name, uint32_t uidvalidity,
    struct span content);

#endif
