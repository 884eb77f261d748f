/*
 * journal - the records of changes to a folder since its snapshot
 *
 * A journal begins with a header that names its format, its generation
 * and the UIDVALIDITY, and goes on with records of a length, a CRC, a
 * type and a body (pneu-index(5)).  It only grows.  The first record that
 * is short or damaged ends it.  Pure bytes: files are index.c's.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/buf.h"
#include "store/format.h"

enum {
	JOURNAL_HEADER = 64,
	JOURNAL_CHECKED = 32,
	JOURNAL_STATE = 60,
	JOURNAL_RECORD_MAX = 262144
};

enum record_type {
	RECORD_NEW = 'N',     /* a message and its UID */
	RECORD_MOVED = 'M',   /* a file has another name, other flags */
	RECORD_FLAGS = 'F',   /* flags and keywords that we set */
	RECORD_TAKEN = 'V',   /* no longer \Recent, now in cur/ */
	RECORD_GONE = 'X',    /* expunged */
	RECORD_KEYWORD = 'K', /* the name of a keyword */
	RECORD_UIDNEXT = 'U', /* UIDs below this are used up */
	RECORD_TRUST = 'T',   /* mtimes of the directories */
	RECORD_SIZE = 'S',    /* sizes that were counted */
	RECORD_FACTS = 'C'    /* where texts are in the cache */
};

void journal_put_header(struct buf *, uint64_t gen, uint32_t uidvalidity);
enum format_result journal_header(
    struct span, uint64_t *gen, uint32_t *uidvalidity);

/*
 * The second half of the header: which snapshot was found to be whole, by
 * what only another file, or a change of this one, would alter.
 */
struct journal_checked {
	uint64_t ino, size;
	int64_t ctime_ns;
	bool kept; /* and it is on disk */
};
void journal_put_checked(char half[JOURNAL_HEADER - JOURNAL_CHECKED],
    const struct journal_checked *);
/* Whether it is this one; whether one was on disk. */
bool journal_is_checked(struct span header, const struct journal_checked *);
bool journal_is_kept(struct span header);

/*
 * In the header's last four bytes instead: a sync of this file has failed.
 * What was in it then may never be on disk, whatever later syncs say.
 */
extern const char journal_lost[5];
bool journal_is_lost(struct span header);

/*
 * A record is begun, its body appended to b, and ended.  seed (the
 * generation) makes records of another journal bad.
 */
size_t record_begin(struct buf *, enum record_type);
void record_end(struct buf *, size_t begun, uint64_t seed);

/*
 * Take the next whole record off *in.  False, and *in as it was, when
 * there is none.
 */
bool record_next(struct span *in, uint64_t seed, char *type, struct span *body);

#endif
