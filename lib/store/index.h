/*
 * index - what is known of a folder: snapshot and journal, in memory
 *
 * The table of messages in UID order, as the snapshot and the journal
 * after it say, kept up to date under the folder's lock.  Changes are
 * gathered as records (index_put_*) and become true together by
 * index_commit, which appends them to the journal and applies them.
 *
 * Files, all in the folder: pneu.lock, pneu.snapshot, pneu.journal.GEN;
 * pneu-index(5) has their formats.  The first `shown` entries are what a
 * session sees: they stay in place, gone or not, until folder_refresh
 * drops them.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "base/limits.h"
#include "store/folder.h"
#include "store/journal.h"
#include "store/uidmem.h"

enum {
	ENTRY_NEW = 1,   /* the file is in new/ */
	ENTRY_ODD = 2,   /* its name is not the canonical one: as it stands */
	ENTRY_FRESH = 4, /* \Recent for the next session that asks */
	ENTRY_SAVED = 7, /* the bits that go to disk */
	ENTRY_NEWS = 8,  /* changed, and not told yet */
	ENTRY_SIZED = 16 /* its size is not in the journal yet */
};

enum { ENTRY_FACTS = 3 };

struct entry {
	struct msg msg;
	uint32_t fact[ENTRY_FACTS]; /* where in the cache; 0: nowhere */
	size_t name;                /* in names, as the file was seen */
	uint16_t len, bits;
};

struct trust {
	int64_t new_ns, cur_ns; /* -1: none known */
	bool trusted;           /* both were 2 s old when they were read */
};

struct index {
	char path[LIMIT_PATH];
	int fd, lock_fd, journal_fd;
	uint64_t gen;      /* 0: to be loaded (again) */
	uint64_t applied;  /* bytes of the journal */
	uint64_t synced;   /* up to here */
	bool unsynced;     /* behind that is what may not be lost */
	uint64_t snapshot; /* bytes of the snapshot */
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	struct trust trust;
	struct entry *entry;
	size_t n, cap, shown;
	struct buf names;
	char keyword[LIMIT_KEYWORDS][LIMIT_KEYWORD + 1];
	int nkeywords;
	struct uidmem mem;
	struct buf out; /* records to be committed */
	bool own;       /* what is applied is no news to us */
	bool reset;     /* UIDVALIDITY changed under a session */
};

/*
 * A journal over this size, and over half of the snapshot's, is replaced
 * by a new snapshot; tests make it small.
 */
extern uint64_t index_journal_max;

/* Open the directory and the lock; nothing is loaded.  0, or -1 and errno. */
MUST int index_open(struct index *, const char *path);
void index_close(struct index *);

/*
 * Take the lock, load or make the index if need be, and replay what
 * others have appended.  0; -1 and errno, unlocked (EPROTO: newer format;
 * EAGAIN: somebody holds the lock; ESTALE: UIDVALIDITY changed).
 */
MUST int index_lock(struct index *);
void index_unlock(struct index *);

/* Whether nothing can have changed: no lock is needed to know. */
bool index_quiet(const struct index *, bool believe);

/*
 * Under the lock: compare with the directories and commit what differs.
 * believe: an mtime that is the recorded one is enough, trusted or not.
 */
MUST int index_scan(struct index *, bool believe);

/* Write, apply and clear `out`; may replace the snapshot. */
MUST int index_commit(struct index *);

/* All that was applied is on disk when it returns 0. */
MUST int index_sync(struct index *);

/* Replace the snapshot and begin a new journal, under the lock. */
MUST int index_compact(struct index *);

/* Forget all messages and begin with this UIDVALIDITY, under the lock. */
MUST int index_begin(struct index *, uint32_t uidvalidity);

/* The first entry with a UID of at least uid; ix->n when there is none. */
size_t index_lower(const struct index *, uint32_t uid);
struct entry *index_find(struct index *, uint32_t uid);

/* The file's name below the folder ("cur/..."), into dst of 512 bytes. */
const char *index_file(const struct index *, const struct entry *, char *dst);
struct span index_base(const struct index *, const struct entry *);

/* Records to be committed. */
struct index_new {
	uint32_t uid;
	struct span file;
	bool in_new, fresh;
	uint64_t keywords, modseq;
	int64_t date;
	uint64_t size;
};
void index_put_new(struct index *, const struct index_new *);
void index_put_moved(
    struct index *, uint32_t uid, struct span file, bool in_new, uint64_t);
void index_put_keyword(struct index *, int k, struct span name);
void index_put_uidnext(struct index *, uint32_t uidnext, uint64_t modseq);
void index_put_trust(struct index *, const struct trust *);

/* The mtimes as they are now, not to be trusted. */
void index_put_own_change(struct index *);

/*
 * Lists of any length: begun, items, ended.  type GONE, TAKEN, FLAGS,
 * SIZE or FACTS; an item is its UID, then what the type has behind it.
 */
struct index_list {
	enum record_type type;
	uint64_t modseq;
	size_t begun;
};
void index_list_begin(
    struct index *, struct index_list *, enum record_type, uint64_t modseq);
void index_list_item(struct index *, struct index_list *, uint32_t uid);
void index_list_end(struct index *, struct index_list *);

/* replay.c: apply the records of s; how many bytes were good. */
size_t index_replay(struct index *, struct span s);

/* snapshot.c */
enum snapshot_result {
	SNAPSHOT_OK,
	SNAPSHOT_NONE,
	SNAPSHOT_BAD,
	SNAPSHOT_NEWER,
	SNAPSHOT_FAILED /* errno */
};
enum snapshot_result snapshot_gen(int dirfd, uint64_t *gen);
enum snapshot_result snapshot_load(struct index *);
MUST int snapshot_write(struct index *, uint64_t gen);

void index_name_set(
    struct index *, struct entry *, struct span file, bool in_new);
void index_name_odd(const struct index *, struct entry *);

#endif
