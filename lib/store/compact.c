/* A new snapshot in place of a long journal. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/out.h"
#include "store/index.h"

enum { AGAIN_MAX = 16777216 };

void
index_journal_name(char *dst, size_t size, uint64_t gen)
{
	snprintf(dst, size, "pneu.journal.%llu", (unsigned long long)gen);
}

static int
write_journal(int fd, struct span header, struct span records, bool loose)
{
	if (write_all(fd, header.p, header.n, DEADLINE_NEVER) == -1 ||
	    write_all(fd, records.p, records.n, DEADLINE_NEVER) == -1)
		return -1;
	return loose ? 0 : fsync(fd);
}

/* A journal with these records, on disk (unless loose) but for its name. */
static int
make_journal(struct index *ix, uint64_t gen, struct span records)
{
	char name[64];
	struct buf b;
	int fd, r, err;

	index_journal_name(name, sizeof(name), gen);
	/* another file: one of that name may be open, or come back in part */
	if (unlinkat(ix->fd, name, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(ix->fd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	buf_init(&b, JOURNAL_HEADER);
	journal_put_header(&b, gen, ix->uidvalidity);
	r = write_journal(fd, buf_span(&b), records, ix->loose);
	err = errno;
	buf_free(&b);
	if (r == -1) {
		close(fd);
		unlinkat(ix->fd, name, 0);
		errno = err;
		return -1;
	}
	return fd;
}

int
index_make_journal(struct index *ix, uint64_t gen)
{
	return make_journal(ix, gen, SPAN(""));
}

void
index_note_checked(struct index *ix)
{
	char half[JOURNAL_HEADER - JOURNAL_CHECKED];
	size_t n =
	    (ix->lost ? JOURNAL_STATE : JOURNAL_HEADER) - JOURNAL_CHECKED;

	ix->snap.kept = !ix->loose;
	journal_put_checked(half, &ix->snap);
	if (fs_write_at(ix->journal_fd, (struct span){ half, n },
		JOURNAL_CHECKED) == -1)
		return; /* it is checked again the next time */
}

/* Files of writers that were killed, and of generations before. */
static void
sweep(struct index *ix)
{
	DIR *dir = fs_list_dir(ix->fd, ".");
	int64_t old = unix_now() - 3600;
	char mine[64];
	struct dirent *d;
	struct stat st;

	if (dir == NULL)
		return;
	index_journal_name(mine, sizeof(mine), ix->gen);
	while ((d = readdir(dir)) != NULL)
		if ((strncmp(d->d_name, "pneu.journal.", 13) == 0 &&
			strcmp(d->d_name, mine) != 0) ||
		    (strncmp(d->d_name, "pneu.snapshot.new.", 18) == 0 &&
			fstatat(ix->fd, d->d_name, &st, 0) == 0 &&
			st.st_mtime < old))
			unlinkat(ix->fd, d->d_name, 0);
	closedir(dir);
}

/* Written without the lock: on two nodes a process may have one number. */
static void
new_name(char *dst, size_t size)
{
	uint64_t r;

	fs_random(&r, sizeof(r));
	snprintf(dst, size, "pneu.snapshot.new.%ld.%llx", (long)getpid(),
	    (unsigned long long)r);
}

/*
 * The journal first, then the snapshot that names it; the table in memory
 * is as it was, and so is what is mapped of the snapshot before.
 */
static int
swap(struct index *ix, uint64_t gen, const char *name, struct span records)
{
	struct journal_checked snap;
	int fd = make_journal(ix, gen, records);

	if (fd == -1)
		return -1;
	if (renameat(ix->fd, name, ix->fd, snapshot_name) == -1) {
		fs_close(fd);
		return -1;
	}
	if ((!ix->loose && fs_sync_dir(ix->fd, "") == -1) ||
	    snapshot_identify(ix->fd, snapshot_name, &snap) == -1) {
		index_distrust(fd);
		fs_close(fd);
		return -1;
	}
	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	ix->journal_fd = fd;
	ix->gen = gen;
	ix->applied = ix->synced = JOURNAL_HEADER + records.n;
	ix->unsynced = ix->lost = false;
	ix->snap = snap;
	index_note_checked(ix);
	sweep(ix);
	return 0;
}

int
index_compact(struct index *ix)
{
	uint64_t gen = ix->gen + 1;
	char name[64];
	int r, err;

	ix->compact = false;
	new_name(name, sizeof(name));
	if (snapshot_write(ix, gen, name) == -1)
		return -1;
	r = swap(ix, gen, name, SPAN(""));
	err = errno;
	if (r == -1)
		unlinkat(ix->fd, name, 0);
	errno = err;
	return r;
}

/* The records from `from` on, as those of the other generation. */
static bool
records_again(struct index *ix, uint64_t from, uint64_t gen, struct buf *b)
{
	uint64_t n = ix->applied - from;
	struct buf raw = { .max = AGAIN_MAX };
	struct span s, body;
	bool ok = n <= AGAIN_MAX && buf_room(&raw, (size_t)n) != NULL;
	char type;

	if (ok && n > 0)
		ok = pread(ix->journal_fd, raw.p, (size_t)n, (off_t)from) ==
		    (ssize_t)n;
	s = (struct span){ raw.p, ok ? (size_t)n : 0 };
	while (record_next(&s, ix->gen, &type, &body)) {
		size_t at = record_begin(b, (enum record_type)type);

		buf_put(b, body);
		record_end(b, at, gen);
	}
	buf_free(&raw);
	return ok && s.n == 0 && !b->over;
}

/* What others did while the snapshot was written goes behind it. */
static int
swap_locked(struct index *ix, uint64_t was, uint64_t from, const char *name)
{
	struct buf b = { .max = 2 * AGAIN_MAX };
	int r = -1;

	if (ix->gen == was && records_again(ix, from, was + 1, &b))
		r = swap(ix, was + 1, name, buf_span(&b));
	buf_free(&b);
	return r;
}

void
index_compact_unlocked(struct index *ix)
{
	uint64_t gen = ix->gen, from = ix->applied;
	char name[64];

	ix->compact = false;
	new_name(name, sizeof(name));
	if (gen == 0)
		return;
	if (index_sync(ix) == -1) {
		log_error(ix->path, NULL);
		return;
	}
	if (ix->gen != gen)
		return; /* it has made one */
	if (snapshot_write(ix, gen + 1, name) == -1) {
		log_error(ix->path, NULL);
		return;
	}
	if (index_lock(ix) == -1) {
		unlinkat(ix->fd, name, 0);
		return;
	}
	if (swap_locked(ix, gen, from, name) == -1)
		unlinkat(ix->fd, name, 0); /* somebody else was faster */
	ix->compact = false;
	index_unlock(ix);
}
