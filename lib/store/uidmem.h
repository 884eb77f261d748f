/*
 * uidmem - the memory of UIDs outside the folders
 *
 * `pneu.uidvalidity` in the root of a Maildir remembers for each folder,
 * also a deleted one, its UIDVALIDITY and the highest UID given.  So a
 * folder whose index is lost, or that was put back from a backup, is
 * noticed.  A line a folder, of fixed-width numbers: of the lines of one
 * name the last counts.  The highest UID is overwritten in place, another
 * UIDVALIDITY is a line at the end, so that a write cut short takes none
 * back; in a file of more than a mebibyte it is overwritten, too.  The file is
 * its own lock and is never renamed or removed.  After a sync that failed it
 * says so, until all of its lines were written again and synced.
 */
#ifndef STORE_UIDMEM_H
#define STORE_UIDMEM_H

#include <sys/types.h>

#include "base/span.h"

/*
 * More than that is given by other servers, or to an index that is kept
 * nowhere: time gets there in 2097.
 */
static const uint32_t UIDMEM_OURS = 0xf0000000;

struct uidmem {
	int fd;      /* -1 when not open */
	bool remote; /* another node may write it, too */
	off_t at;
	const char *path;              /* the folder's, as the caller has it */
	uint32_t uidvalidity, highest; /* 0 when nothing is remembered */
	bool lost;                     /* a sync of the file has failed */
	char name[256];
};

/*
 * For the folder whose directory is path, an absolute or relative path
 * without a trailing slash, which stays as long as this is open.  0; -1
 * and errno (EPROTO: a newer format).
 */
MUST int uidmem_open(struct uidmem *, const char *path);
void uidmem_close(struct uidmem *); /* keeps errno */

/*
 * A UIDVALIDITY that no folder of this Maildir has had; remembered.  That
 * of a folder without a memory need not be on disk yet.
 */
MUST int uidmem_fresh(struct uidmem *, uint32_t *uidvalidity);

/*
 * It may be told: a power cut takes from the disk what it will, a fresh one
 * is greater.  Who asks for many syncs few times.
 */
MUST int uidmem_promise(struct uidmem *, uint32_t uidvalidity);

/* What is remembered is on disk, before a folder is removed. */
MUST int uidmem_sync(const char *path);

/*
 * Remember; written, and synced when UIDVALIDITY changes.  Where it is not
 * open nothing is.
 */
MUST int uidmem_set(struct uidmem *, uint32_t uidvalidity, uint32_t highest);

#endif
