/*
 * foreign - what another server keeps about the messages of a folder
 *
 * Dovecot's dovecot-uidlist, dovecot-keywords and dovecot-acl; Courier's
 * courierimapuiddb, courierimapkeywords and courierimapacl; isync's
 * .uidvalidity and the names with ",U=".  Read, never written.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "base/buf.h"
#include "base/limits.h"
#include "store/adopt.h"
#include "store/scan.h"

enum foreign_kind {
	FOREIGN_NONE,
	FOREIGN_DOVECOT,
	FOREIGN_COURIER,
	FOREIGN_ISYNC
};

struct foreign {
	enum foreign_kind kind;
	uint32_t uidvalidity, uidnext;
	struct adopt_msg *msg; /* by rising UID; names lie in files */
	size_t n, cap;
	struct scan files;
	size_t *place; /* of a file: its message, counted from 1; 0: none */
	const char *keyword[LIMIT_KEYWORDS];
	char keyword_text[LIMIT_KEYWORDS][LIMIT_KEYWORD + 1];
	int nkeywords;
	struct buf uidls; /* lines of pneu.uidl */
	size_t nuidls;
	unsigned bad;    /* lines that were passed over */
	bool lettered;   /* all letters for keywords are in use */
	size_t gone;     /* rows without a file */
	size_t unlisted; /* files without a row */
};

extern const char *const foreign_file[]; /* by kind */

/*
 * Read what there is in the folder path; inbox: the names of POP3, too.
 * 0, or -1 and errno (EILSEQ: the file is none that we know).
 */
MUST int foreign_read(struct foreign *, const char *path, bool inbox);
void foreign_free(struct foreign *);

/* The same for adopt_index: it points into the foreign one. */
struct adopt foreign_adopt(const struct foreign *);

/* The number of a keyword of this name, made if need be; or -1. */
int foreign_keyword(struct foreign *, struct span name);

/* Put down a name of POP3, if it is one. */
void foreign_uidl(struct foreign *, uint32_t uid, struct span name);

/* courier.c: the keywords of each message. */
MUST int courier_keywords(struct foreign *, int dirfd);

/* courier.c: the names of POP3. */
MUST int courier_uidls(struct foreign *, int dirfd);

/*
 * foreignacl.c: give the mailbox the rights that it had with Courier or
 * Dovecot, unless -n.
 */
void foreign_acl(const char *name, const char *path, bool dovecot);

/* The message of a file by the name's base; or NULL. */
struct adopt_msg *foreign_find(struct foreign *, struct span base);

#endif
