/*
 * scan - the files in new/ and cur/ of a Maildir folder, as they are now
 *
 * Other programs rename files while the directories are read, so a file
 * may be missed, or be seen under two names; who believes that one has
 * gone scans again first.
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "base/buf.h"

enum { SCAN_NEW = 1, SCAN_CUR = 2, SCAN_ALL = 3 };

struct scan_file {
	uint64_t time; /* mdname_time of the base */
	uint32_t name; /* offset in names */
	uint8_t len;
	uint8_t base; /* length of the base */
	bool in_new;
};

struct scan {
	struct buf names;
	struct scan_file *file; /* in mdname_order of the bases */
	size_t n, cap;
	/* Further names of a base: seen twice while it was renamed, or two
	 * files of one name.  Each stands for file[of]. */
	struct scan_twin {
		struct scan_file file;
		size_t of;
	} * twin;
	size_t ntwins, twin_cap;
	/* mtimes in ns, read before the directories were */
	int64_t new_ns, cur_ns;
};

/*
 * Read these of the directories.  All zero is a fresh one.  0, or -1 and
 * errno.
 */
MUST int scan_read(struct scan *, int dirfd, unsigned dirs);
void scan_free(struct scan *);

struct span scan_name(const struct scan *, size_t i);
struct span scan_base(const struct scan *, size_t i);

/* "cur/NAME" into dst of 512 bytes; returns dst. */
const char *scan_path(const struct scan *, const struct scan_file *, char *dst);

/* The first file whose base is not before this one (mdname_order). */
size_t scan_lower(const struct scan *, struct span base);

/* The place of a base; s->n when it is not there. */
size_t scan_find(const struct scan *, struct span base);

/*
 * An mtime so old by a clock is of no change that is still under way.  One
 * in the future is not: the clock was set back, and will be there again.
 */
enum { SCAN_SETTLE_MS = 2000 };
bool scan_is_old(int64_t mtime_ns, int64_t now_ns);
bool scan_is_future(int64_t mtime_ns, int64_t now_ns);

/* mtimes of new/ and cur/.  0, or -1 and errno. */
MUST int scan_mtimes(int dirfd, int64_t *new_ns, int64_t *cur_ns);

#endif
