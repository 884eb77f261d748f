/*
 * uidl - unique names of POP3 that messages had on another server
 *
 * `pneu.uidl` in a folder: the lines "pneu-uidl 1" and UIDVALIDITY, then a
 * UID, a tab and the name on each line, by rising UID.  What is not in it is
 * named by UIDVALIDITY and UID.  A file for another UIDVALIDITY names
 * nothing.
 */
#ifndef STORE_UIDL_H
#define STORE_UIDL_H

#include "base/buf.h"

enum { UIDL_FILE_MAX = 134217728, UIDL_MAX = 70 }; /* RFC 1939, section 7 */

struct uidl {
	struct buf text;
	struct uidl_row *row; /* by UID */
	size_t n, cap;
};

/*
 * All zero is an empty one.  0, also when there is no such file; -1 and
 * errno (EPROTO: a newer format; EILSEQ: damaged, which names nothing).
 */
MUST int uidl_read(struct uidl *, int dirfd, uint32_t uidvalidity);
void uidl_free(struct uidl *);

/* The same for a file whose text is in u->text. */
MUST int uidl_parse(struct uidl *, uint32_t uidvalidity);

/* The name of a message; empty when it has none of its own. */
struct span uidl_find(const struct uidl *, uint32_t uid);

/* unique-id: one to 70 characters in the range 0x21 to 0x7E. */
bool uidl_ok(struct span);

/* Replace the file.  lines as above, without the first two.  0; -1, errno. */
MUST int uidl_write(int dirfd, uint32_t uidvalidity, struct span lines);

#endif
