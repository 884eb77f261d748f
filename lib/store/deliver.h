/*
 * deliver - messages that are delivered get their UIDs at once
 *
 * The index of a folder learns of new files while they are at hand: what
 * FETCH will ask for was digested while they were written, and no
 * directory has to be read for them.  It is all for speed: who can't have
 * the lock in time delivers without the index, and the next who looks
 * finds the files.
 */
#ifndef STORE_DELIVER_H
#define STORE_DELIVER_H

#include "store/maildir.h"

struct delivery;

/*
 * In front of maildir_place: waits wait_ms for the lock at most, and holds
 * it.  NULL when there is no index to be had.
 */
struct delivery *delivery_begin(const char *path, int wait_ms);

/* Behind maildir_place into new/, and before maildir_done. */
void delivery_add(struct delivery *, const struct maildir_file *);

/* Written and unlocked; d may be NULL.  Nothing is synced. */
void delivery_end(struct delivery *);

#endif
