/*
 * gzip - messages that are compressed on disk
 *
 * A file of a Maildir that begins as a gzip file does is a message
 * compressed (as Dovecot's zlib has them): who reads it gets the plain
 * text.  S= and W= in its name are the sizes of that.  One that is damaged,
 * or larger than any message, is shown as its bytes.
 *
 * They are written where the file `imap` of the configuration says so, and
 * where a message itself begins like a gzip file, so that it comes back.
 */
#ifndef STORE_GZIP_H
#define STORE_GZIP_H

#include "base/span.h"

/* "compress gzip" in the file `imap`; read again after a second. */
bool gzip_wanted(void);

/* Whether an open file, or the front of one, begins like one. */
bool gzip_is(int fd);
bool gzip_starts(struct span);

/* The same for a name below a directory. */
bool gzip_is_at(int dirfd, const char *name);

/*
 * For the open file of a message in the folder at this path: a descriptor
 * of the plain text, at its beginning, with the same mtime; fd is then
 * closed.  fd itself, when it is no gzip file.  -1 and errno, fd closed.
 */
MUST int gzip_plain(const char *folder, int fd);

#endif
