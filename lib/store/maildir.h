/*
 * maildir - put a message into a Maildir folder, whole or not at all
 *
 * Written to tmp/, synced, renamed into new/ or cur/, the directory
 * synced: after maildir_commit the message survives a power cut, before
 * it nothing is there.  Names are
 * TIME.MuPpQn.HOST,S=size,W=crlf-size[:2,flags].  Bytes are stored as they
 * are, with one LF added when the last line has none; compressed, where
 * store/gzip.h says so.
 *
 * The steps can be taken one by one, so that many deliveries share one
 * sync of the directory.
 *
 * A file can be read by a digester while it is written, so that the index
 * knows what FETCH will ask for.
 */
#ifndef STORE_MAILDIR_H
#define STORE_MAILDIR_H

#include "base/span.h"
#include "io/out.h"
#include "mail/digest.h"
#include "mail/wire.h"

struct maildir {
	int fd; /* the folder */
	char path[512];
};

enum { MAILDIR_NAME = 256 };

struct maildir_file {
	struct maildir *md;
	int fd;
	char tmp[MAILDIR_NAME];  /* below tmp/ */
	char name[MAILDIR_NAME]; /* final, "" before maildir_place */
	bool in_cur;
	uint64_t size;    /* bytes of the file */
	struct wire wire; /* counts the CRLF size */
	struct digester *digester;
	bool gzip; /* wanted; begun with the first byte */
	struct deflate *deflate;
	struct buf head, body; /* facts of maildir_sync, if any */
	struct out out;
	char buf[16384];
};

/*
 * Open a folder; `create` makes it with tmp, new and cur, mode 0700, as
 * the caller.  0, or -1 and errno.
 */
MUST int maildir_open(struct maildir *, const char *path, bool create);
void maildir_close(struct maildir *); /* keeps errno */

/* A file in tmp/, unique on all nodes. */
MUST int maildir_create(struct maildir *, struct maildir_file *);

/*
 * Behind maildir_create: have the message digested by one that no other
 * file uses before this one is synced.  head and body then hold what
 * digest_put makes, until maildir_done.
 */
void maildir_digest(struct maildir_file *, struct digester *);

/* Errors are sticky until maildir_sync. */
void maildir_write(struct maildir_file *, struct span);

/* All written and on disk; still in tmp/. */
MUST int maildir_sync(struct maildir_file *);

/*
 * Rename into new/, or cur/ with flags ("S", "" for none) when flags is
 * not NULL.  date sets the mtime (0: now).
 */
MUST int maildir_place(struct maildir_file *, const char *flags, int64_t date);

/* Sync the directory of what was placed. */
MUST int maildir_sync_dir(struct maildir *, bool cur);

/* sync, place, sync_dir. */
MUST int maildir_commit(struct maildir_file *, const char *flags, int64_t date);

/* Remove what there is of it and close; keeps errno. */
void maildir_abort(struct maildir_file *);

/* Close after a commit or place. */
void maildir_done(struct maildir_file *);

/* Remove files in tmp/ that are older than 36 hours. */
void maildir_clean(struct maildir *);

#endif
