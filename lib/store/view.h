/*
 * view - the inside of a folder, for the files that implement folder.h
 */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "io/ahead.h"
#include "store/cache.h"
#include "store/index.h"

/* Messages whose files are read one after another, upwards. */
struct walk {
	struct ahead *ahead; /* or NULL */
	bool whole;          /* what is read of them */
	bool refused;        /* no thread could be had */
	unsigned missing;    /* of folder_digest, that they are read for */
	size_t run, last;    /* how many, and the last one */
	size_t next;         /* to be asked for */
};

struct folder {
	struct index ix; /* the first ix.shown entries are the view */
	struct cache cache;
	bool rw;
	bool woken;    /* the watch saw something: do not believe mtimes */
	size_t learnt; /* entries that know what the journal does not */
	uint32_t recent_from; /* no \Recent one has a lower UID; 0: none */
	/* Nothing was changed by us since folder_watch: what the watch sees
	 * then is by others, and the mtimes are not believed. */
	bool waiting;
	int watch;        /* -1: none */
	uint64_t watched; /* generation of the journal it watches */
	struct walk walk;
};

/* Lock and bring the table up to date, but show nothing new. */
MUST int view_lock(struct folder *, bool believe);

/* Forget the mtimes and look at the directories, under the lock. */
MUST int view_look_again(struct folder *);

/* The same without a lock held. */
MUST int view_find_again(struct folder *);

/* The file of message i, as it is. */
MUST int view_open_file(struct folder *, size_t i);

/* The number of a keyword, made if need be, under the lock; or -1. */
int view_keyword(struct index *, struct span name);

/* The same of blank-separated names, as bits; what has no number has none. */
uint64_t view_keywords(struct index *, struct span names);

/* A size or a date was found out, 0 for none: the index keeps it. */
void view_learnt(struct folder *, size_t i, uint64_t size, int64_t date);

/* Under the lock: write the facts that were put, and where they are. */
void view_flush_facts(struct index *, struct cache *);

/*
 * Read the file of a message, plain, with as few calls as can be: a short
 * read is its end.  Where it is read because something is missing (what
 * folder_digest wants, 0: nothing), files of other messages that miss it
 * are read ahead: of those not wanted whole the front, of which next gives
 * up to the end of the header at least.  The view stays as it is meanwhile.
 * next: bytes in buf; 0 at the end; -1 and errno.
 */
struct view_reader {
	struct folder *folder;
	struct ahead_file file;
	bool begun;
	uint64_t got; /* bytes so far */
};
MUST int view_reader_open(struct view_reader *, struct folder *, size_t i,
    bool whole, unsigned missing);
ssize_t view_reader_next(struct view_reader *, char *buf, size_t size);
void view_reader_close(struct view_reader *); /* keeps errno */

/* Bytes of the file, or of what it is decompressed.  0, or -1 and errno. */
MUST int view_reader_size(const struct view_reader *, uint64_t *);

/* The view changes, or the walk is over. */
void view_stop_ahead(struct folder *);

#endif
