/*
 * boxfile - the files of names in the root of a Maildir
 *
 * `subscriptions` as Dovecot writes it (folder names without the leading
 * dot, one a line; its second format, with tabs, is read and kept) and
 * `pneu.special-use` ("Sent .Sent" a line).  Changes are made under the
 * root's pneu.lock and take effect by rename.
 */
#ifndef STORE_BOXFILE_H
#define STORE_BOXFILE_H

#include "base/buf.h"
#include "store/boxes.h"

enum { BOXFILE_MAX = 4194304 };

/* Append ".A.B" and LF for each subscribed folder, "INBOX" for INBOX. */
MUST int boxfile_subscribed(int rootfd, struct buf *dirs);

/* Add or take out one; "" is INBOX. */
MUST int boxfile_subscribe(int rootfd, const char *dir, bool subscribe);

/* The special use of each folder, as lines "NUMBER DIR". */
MUST int boxfile_uses(int rootfd, struct buf *lines);

/* Give dir these uses (0: none) alone, and take them from other folders. */
MUST int boxfile_set_use(int rootfd, const char *dir, unsigned use);

/* A folder was renamed: its uses go with it. */
MUST int boxfile_move_use(int rootfd, const char *from, const char *to);

/*
 * The same for the texts of these files: special uses without the first
 * line, that names the format.  The edits append the text as it is to be,
 * and tell whether it is another.
 */
void boxfile_dirs(struct span text, struct buf *dirs);
bool boxfile_edit(
    struct span text, const char *dir, bool subscribe, struct buf *new);
void boxfile_use_lines(struct span text, struct buf *lines);
bool boxfile_edit_use(
    struct span text, const char *dir, unsigned use, struct buf *new);

/* A use by its name in lower case; 0 when it is none. */
unsigned boxfile_use(struct span name);

/* The lock of the root: a descriptor to close, or -1 and errno. */
MUST int boxfile_lock(int rootfd);

/*
 * A folder whose small files are to be changed, with that lock: its
 * descriptor, or -1 and errno.  The end closes both and keeps errno.
 */
MUST int boxfile_begin(int rootfd, const char *path, int *lock);
void boxfile_end(int fd, int lock);

#endif
