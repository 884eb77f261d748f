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
#include "store/scan.h"
#include "store/uidmem.h"

enum {
	ENTRY_NEW = 1,     /* the file is in new/ */
	ENTRY_ODD = 2,     /* its name is not the canonical one: as it stands */
	ENTRY_FRESH = 4,   /* \Recent for the next session that asks */
	ENTRY_NAMED = 8,   /* its size is what its name says */
	ENTRY_SAVED = 15,  /* the bits that go to disk */
	ENTRY_NEWS = 16,   /* changed, and not told yet */
	ENTRY_LEARNT = 32, /* its size or date is not in the journal yet */
	ENTRY_MEASURED = 64 /* we have seen that its size is right */
};

enum { ENTRY_FACTS = 3, ENTRY_SIZE = 64 };

/* As it stands in the snapshot, too, on machines of that byte order. */
struct entry {
	struct msg msg;             /* msg.name: index_name */
	uint32_t fact[ENTRY_FACTS]; /* where in the cache; 0: nowhere */
	uint16_t len, bits;
};

/* Of the messages that are there; what is seen in passing keeps it right. */
struct tally {
	uint64_t size; /* of those whose size is known */
	uint32_t messages, fresh, unseen, deleted, unsized;
	uint32_t unseen_from; /* no unseen message has a lower UID */
	uint32_t fresh_from;  /* nor one that is \Recent for somebody */
};

/* UIDs that were expunged together. */
struct vanished {
	uint32_t first, last;
	uint64_t modseq;
};

enum { INDEX_ID = 32 };

struct trust {
	int64_t new_ns, cur_ns; /* -1: none known */
	unsigned trusted;       /* SCAN_*: those that were 2 s old when read */
};

struct index {
	char path[LIMIT_PATH];
	int fd, lock_fd, journal_fd;
	bool remote;      /* other machines may change it, too */
	uint64_t gen;     /* 0: to be loaded (again) */
	uint64_t applied; /* bytes of the journal */
	uint64_t synced;  /* up to here */
	bool unsynced;    /* behind that is what may not be lost */
	bool first;       /* the snapshot is nothing without its journal */
	bool loose;       /* and neither need be on disk yet */
	bool made;        /* by us, under a UIDVALIDITY that nobody had */
	bool lost;        /* a sync has failed: another snapshot, or nothing */
	bool locked;
	bool unkept; /* in memory alone: see index_open_unkept */
	struct journal_checked snap; /* the snapshot that was loaded */
	char id[INDEX_ID];           /* of the mailbox */
	uint32_t uidvalidity, uidnext;
	uint32_t told; /* the UIDVALIDITY that a session was told, or 0 */
	uint64_t modseq;
	struct trust trust;
	struct entry *entry; /* a room of io/room.h */
	size_t n, cap, shown;
	size_t ngone, nnews; /* of these entries, how many are */
	struct tally tally;
	const char *map; /* names of the snapshot: mapped, or read */
	size_t nmap, map_size;
	const char *mapped_names;
	struct buf names;          /* later ones */
	size_t names_live;         /* bytes of it when it was last tidied */
	struct vanished *vanished; /* by rising MODSEQ */
	size_t nvanished, vanished_cap;
	uint64_t vanished_floor; /* below that it is not known what went */
	char keyword[LIMIT_KEYWORDS][LIMIT_KEYWORD + 1];
	int nkeywords;
	struct uidmem mem;
	struct buf out; /* records to be committed */
	bool own;       /* what is applied is no news to us */
	bool reset;     /* UIDVALIDITY changed under a session */
	bool ahead;     /* memory knows what no journal had room for */
	bool compact;   /* the journal is long: when it is unlocked */
	bool bulk;      /* no journal has it: the next commit is a snapshot */
};

/*
 * A journal over this size, and over a part of the snapshot's, is replaced
 * by a new snapshot; tests make it small.
 */
extern uint64_t index_journal_max;

/* Open the directory and the lock; nothing is loaded.  0, or -1 and errno. */
MUST int index_open(struct index *, const char *path);

/*
 * An index that is never written, for a folder that has none where nothing
 * can be written.  Its UIDVALIDITY is one that no other index is given
 * (uidmem.h), and by chance.  0; -1 and errno, ENOSPC: there is an index.
 */
MUST int index_open_unkept(struct index *, const char *path);
void index_close(struct index *); /* keeps errno */

/*
 * Take the lock, load or make the index if need be, and replay what
 * others have appended.  0; -1 and errno, unlocked (EPROTO: newer format;
 * EAGAIN: somebody holds the lock; ESTALE: UIDVALIDITY changed).
 */
MUST int index_lock(struct index *);
MUST int index_lock_in(struct index *, int wait_ms);
void index_unlock(struct index *); /* keeps errno */

/* Both, for one piece of work; open and lock fail with all closed. */
MUST int index_open_locked(struct index *, const char *path);
void index_unlock_close(struct index *); /* keeps errno */

/* The directories (SCAN_*) whose mtimes tell of every change. */
unsigned index_trusted(const struct index *);

/* Whether nothing can have changed: no lock is needed to know. */
bool index_quiet(const struct index *, bool believe);

/*
 * Under the lock: compare with the directories and commit what differs.
 * believe: an mtime that is the recorded one is enough, trusted or not.
 */
MUST int index_scan(struct index *, bool believe);

/* Write, apply and clear `out`; may replace the snapshot. */
MUST int index_commit(struct index *);

/*
 * synced.c: all that was applied is on disk when it returns 0.  After a
 * sync that failed the kernel holds what it could not write to be written,
 * so that a journal which was not synced once is never trusted again, by
 * whichever process: a new snapshot takes its place, or this fails.
 * Without the lock it takes it for that.
 */
MUST int index_sync(struct index *);

/* Tell who opens this journal later that a sync has failed. */
void index_distrust(int journal_fd);

/*
 * The same for who tells UIDVALIDITY, UIDNEXT and how many messages there
 * are, but no UID: a first index need not be on disk for that.  One that a
 * power cut takes away is made again with a greater UIDVALIDITY.
 */
MUST int index_sync_numbers(struct index *);

/*
 * The same for who shows UIDs and has time later: a first index of our own
 * need not be on disk while nothing but its snapshot was shown, which is
 * there whole or goes with its UIDVALIDITY.  index_settle: now it is.
 */
MUST int index_sync_shown(struct index *);
MUST int index_settle(struct index *);

/* Replace the snapshot and begin a new journal, under the lock. */
MUST int index_compact(struct index *);

/* At the end of a session, when it has time: a journal worth a snapshot. */
void index_shorten(struct index *);

/* compact.c: the same, mostly without it: a failure is logged. */
void index_compact_unlocked(struct index *);
void index_journal_name(char *dst, size_t size, uint64_t gen);
int index_make_journal(struct index *, uint64_t gen); /* -1 and errno */
/* The snapshot that was loaded is whole: remember it. */
void index_note_checked(struct index *);

/* Load all; reload.c: in place of what a session sees.  0, -1 and errno. */
MUST int index_load(struct index *);
MUST int index_reload(struct index *);

/* table.c: room for so many more entries; dies when there is none. */
void index_room(struct index *, size_t more);
void index_free_table(struct index *);

/*
 * Before a name is put behind the others: when most of those are names
 * that were, they go.  So a session of any length, while others rename
 * files, keeps a few times what it needs at most; a first index, which only
 * adds, is never tidied.
 */
void index_tidy_names(struct index *);

/*
 * Count an entry in (add) or out, before and after it is changed; one that
 * has gone counts for nothing.
 */
void index_count(struct index *, const struct entry *, bool add);

/* One that is there has gone: it is counted out, and stays numbered. */
void index_gone(struct index *, struct entry *);

/* Told now, if the session sees it. */
void index_news(struct index *, struct entry *);

/* vanished.c: remember; what is too much is forgotten, the oldest first. */
void index_vanish(struct index *, uint32_t uid, uint64_t modseq);

/*
 * Forget all messages and begin with this UIDVALIDITY, under the lock; the
 * first commit makes the files.
 */
void index_begin(struct index *, uint32_t uidvalidity);

/* The first entry with a UID of at least uid; ix->n when there is none. */
size_t index_lower(const struct index *, uint32_t uid);
struct entry *index_find(struct index *, uint32_t uid);

/* The file's name below the folder ("cur/..."), into dst of 512 bytes. */
const char *index_file(const struct index *, const struct entry *, char *dst);
struct span index_base(const struct index *, const struct entry *);
struct span index_name(const struct index *, const struct entry *);

/* Its size if it was counted, else 0: the name tells it again. */
uint64_t index_counted(const struct entry *);

/* It was counted; another one than before is that of another text. */
void index_set_size(struct index *, struct entry *, uint64_t size);

/* Records to be committed. */
struct index_new {
	uint32_t uid;
	struct span file;
	bool in_new, fresh;
	uint64_t keywords, modseq;
	int64_t date; /* 0: not known */
	uint64_t size;
	int64_t saved; /* 0: now; -1: not known */
};
void index_put_new(struct index *, const struct index_new *);
/* Many of them, without a record each: the next commit is a snapshot. */
void index_add(struct index *, const struct index_new *);
uint32_t index_saved(const struct index_new *);
void index_put_moved(
    struct index *, uint32_t uid, struct span file, bool in_new, uint64_t);
void index_put_keyword(struct index *, int k, struct span name);
void index_put_uidnext(struct index *, uint32_t uidnext, uint64_t modseq);
void index_put_trust(struct index *, const struct trust *);

/*
 * The mtimes of the directories (SCAN_*) that we have changed, as they are
 * now, not to be trusted.
 */
void index_put_own_change(struct index *, unsigned dirs);

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
enum { SNAPSHOT_HEADER = 4096 };
enum snapshot_result snapshot_load(struct index *);
/* All of it is as it was written; that costs a look at every byte. */
bool snapshot_check(const struct index *);
/* What a file is known by; named as for fresh_stat.  0, or -1 and errno. */
MUST int snapshot_identify(
    int dirfd, const char *name, struct journal_checked *);
/* Whether the file is still the one that was loaded. */
bool snapshot_is_same(const struct index *);
/* snapwrite.c: a file of this name; synced, unless loose.  0, -1 and errno. */
MUST int snapshot_write(struct index *, uint64_t gen, const char *name);
extern const char snapshot_name[];

#endif
