#include "store/index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "store/grow.h"
#include "store/scan.h"

enum { LOCK_WAIT = 30 };

uint64_t index_journal_max = 65536;

static const size_t buf_max = (size_t)1 << 31;

int
index_open(struct index *ix, const char *path)
{
	memset(ix, 0, sizeof(*ix));
	ix->fd = ix->lock_fd = ix->journal_fd = ix->mem.fd = -1;
	buf_init(&ix->names, buf_max);
	buf_init(&ix->out, buf_max);
	if (!span_cstr(span_of(path), ix->path, sizeof(ix->path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	ix->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ix->fd == -1)
		return -1;
	ix->lock_fd =
	    openat(ix->fd, "pneu.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ix->lock_fd == -1) {
		index_close(ix);
		return -1;
	}
	return 0;
}

void
index_close(struct index *ix)
{
	int err = errno;

	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	if (ix->lock_fd != -1)
		close(ix->lock_fd);
	if (ix->fd != -1)
		close(ix->fd);
	ix->fd = ix->lock_fd = ix->journal_fd = -1;
	uidmem_close(&ix->mem);
	buf_free(&ix->names);
	buf_free(&ix->out);
	free(ix->entry);
	ix->entry = NULL;
	errno = err;
}

static void
journal_name(char *dst, size_t size, uint64_t gen)
{
	snprintf(dst, size, "pneu.journal.%llu", (unsigned long long)gen);
}

/* An empty journal, on disk but for its name. */
static int
make_journal(struct index *ix, uint64_t gen)
{
	char name[64];
	struct buf b;
	int fd;

	journal_name(name, sizeof(name), gen);
	fd = openat(ix->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	buf_init(&b, JOURNAL_HEADER);
	journal_put_header(&b, gen, ix->uidvalidity);
	if (write_all(fd, b.p, b.n, DEADLINE_NEVER) == -1 || fsync(fd) == -1) {
		int err = errno;

		close(fd);
		unlinkat(ix->fd, name, 0);
		buf_free(&b);
		errno = err;
		return -1;
	}
	buf_free(&b);
	return fd;
}

/* Files of writers that were killed, and of generations before. */
static void
sweep(struct index *ix)
{
	int fd = openat(ix->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	char mine[64];
	struct dirent *d;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	journal_name(mine, sizeof(mine), ix->gen);
	while ((d = readdir(dir)) != NULL)
		if ((strncmp(d->d_name, "pneu.journal.", 13) == 0 &&
			strcmp(d->d_name, mine) != 0) ||
		    strncmp(d->d_name, "pneu.snapshot.new.", 18) == 0)
			unlinkat(ix->fd, d->d_name, 0);
	closedir(dir);
}

int
index_compact(struct index *ix)
{
	uint64_t gen = ix->gen + 1;
	int fd;

	if ((fd = make_journal(ix, gen)) == -1)
		return -1;
	if (snapshot_write(ix, gen) == -1) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	ix->journal_fd = fd;
	ix->gen = gen;
	ix->applied = ix->synced = JOURNAL_HEADER;
	ix->unsynced = false;
	sweep(ix);
	return 0;
}

int
index_begin(struct index *ix, uint32_t uidvalidity)
{
	uint64_t gen = (uint64_t)unix_now();

	ix->uidvalidity = uidvalidity;
	ix->n = 0;
	ix->uidnext = 1;
	ix->modseq = 1;
	ix->trust = (struct trust){ .new_ns = -1, .cur_ns = -1 };
	ix->nkeywords = 1;
	snprintf(ix->keyword[0], sizeof(ix->keyword[0]), "$Forwarded");
	ix->gen = gen > ix->gen ? gen : ix->gen;
	return index_compact(ix);
}

/* Messages get new UIDs from 1 on. */
static int
make_index(struct index *ix)
{
	uint32_t uidvalidity;

	if (uidmem_fresh(&ix->mem, &uidvalidity) == -1)
		return -1;
	return index_begin(ix, uidvalidity);
}

/* Read what was appended since; a torn end is cut off (under the lock). */
static int
catch_up(struct index *ix)
{
	struct stat st;
	struct buf b;
	ssize_t r = 1;
	size_t good;

	if (fstat(ix->journal_fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size <= ix->applied)
		return 0;
	buf_init(&b, buf_max);
	while (r > 0 && buf_room(&b, 65536) != NULL) {
		r = pread(ix->journal_fd, b.p + b.n, 65536,
		    (off_t)(ix->applied + b.n));
		if (r > 0)
			b.n += (size_t)r;
	}
	if (r == -1) {
		buf_free(&b);
		return -1;
	}
	good = index_replay(ix, buf_span(&b));
	ix->applied += good;
	if (good < b.n)
		r = ftruncate(ix->journal_fd, (off_t)ix->applied);
	buf_free(&b);
	return r == -1 ? -1 : 0;
}

/* The journal that the snapshot names; one that is lost is made again. */
static int
open_journal(struct index *ix)
{
	char name[64], head[JOURNAL_HEADER];
	uint32_t uidvalidity = 0;
	uint64_t gen = 0;
	enum journal_result r = JOURNAL_BAD;
	ssize_t n;

	journal_name(name, sizeof(name), ix->gen);
	ix->applied = ix->synced = JOURNAL_HEADER;
	ix->journal_fd = openat(ix->fd, name, O_RDWR | O_CLOEXEC);
	if (ix->journal_fd == -1 && errno != ENOENT)
		return -1;
	if (ix->journal_fd != -1) {
		if ((n = pread(ix->journal_fd, head, sizeof(head), 0)) == -1)
			return -1;
		r = journal_header(
		    (struct span){ head, (size_t)n }, &gen, &uidvalidity);
	}
	if (r == JOURNAL_NEWER) {
		errno = EPROTO;
		return -1;
	}
	if (r == JOURNAL_OK && gen == ix->gen && uidvalidity == ix->uidvalidity)
		return 0;
	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	ix->journal_fd = make_journal(ix, ix->gen);
	return ix->journal_fd == -1 ? -1 : 0;
}

/* What the memory outside the folder says of what was loaded. */
static int
check_memory(struct index *ix)
{
	uint32_t highest = ix->uidnext - 1;

	if (ix->mem.uidvalidity != 0 && ix->mem.uidvalidity != ix->uidvalidity)
		return make_index(ix);
	if (ix->mem.uidvalidity != 0 && ix->mem.highest > highest) {
		index_put_uidnext(
		    ix, ix->mem.highest + 1, ix->modseq + 1048576);
		return index_commit(ix);
	}
	return uidmem_set(&ix->mem, ix->uidvalidity, highest);
}

/* False when the folder was deleted, or is another one by now. */
static bool
in_place(const struct index *ix)
{
	struct stat here, there;

	return fstat(ix->fd, &here) == 0 && stat(ix->path, &there) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* All of it, into an empty table. */
static int
load_all(struct index *ix)
{
	enum snapshot_result r;

	uidmem_close(&ix->mem);
	if (uidmem_open(&ix->mem, ix->path) == -1)
		return -1;
	r = snapshot_load(ix);
	if (r == SNAPSHOT_FAILED)
		return -1;
	if (r == SNAPSHOT_NEWER) {
		errno = EPROTO;
		return -1;
	}
	if (r != SNAPSHOT_OK && !in_place(ix)) {
		errno = ENOENT;
		return -1;
	}
	if (r != SNAPSHOT_OK)
		return make_index(ix);
	if (open_journal(ix) == -1 || catch_up(ix) == -1)
		return -1;
	return check_memory(ix);
}

/* Put what a session sees in front of what was loaded. */
static void
merge(struct index *ix, struct entry *old, size_t shown)
{
	struct entry *e = NULL, *m;
	size_t n = 0, cap = 0, from = 0;

	for (size_t i = 0; i < shown; i++) {
		e = grow_array(e, n, &cap, sizeof(*e));
		e[n] = old[i];
		e[n].name = e[n].len = 0;
		m = index_find(ix, old[i].msg.uid);
		if (m == NULL) {
			e[n].msg.gone = true;
		} else {
			e[n] = *m;
			e[n].msg.flags |= old[i].msg.flags & FLAG_RECENT;
			e[n].msg.gone = old[i].msg.gone;
			e[n].bits |= old[i].bits & ENTRY_NEWS;
			if (e[n].msg.flags != old[i].msg.flags ||
			    e[n].msg.keywords != old[i].msg.keywords)
				e[n].bits |= ENTRY_NEWS;
		}
		n++;
	}
	if (shown > 0)
		from = index_lower(ix, old[shown - 1].msg.uid + 1);
	for (; from < ix->n; from++) {
		e = grow_array(e, n, &cap, sizeof(*e));
		e[n++] = ix->entry[from];
	}
	free(ix->entry);
	ix->entry = e;
	ix->n = n;
	ix->cap = cap;
}

static int
reload(struct index *ix)
{
	struct entry *old = ix->entry;
	uint32_t uidvalidity = ix->uidvalidity;
	int r, err;

	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	ix->journal_fd = -1;
	ix->entry = NULL;
	ix->n = ix->cap = 0;
	buf_clear(&ix->names);
	buf_clear(&ix->out);
	r = load_all(ix);
	err = errno;
	if (r == 0 && ix->shown > 0 && uidvalidity != ix->uidvalidity) {
		ix->reset = true;
		err = ESTALE;
		r = -1;
	}
	if (r == -1)
		ix->gen = 0;
	merge(ix, old, ix->shown);
	free(old);
	errno = err;
	return r;
}

int
index_lock(struct index *ix)
{
	uint64_t gen = 0;
	int r;

	if (ix->reset) {
		errno = ESTALE;
		return -1;
	}
	if (fs_lock(ix->lock_fd, true, deadline_in(LOCK_WAIT)) == -1)
		return -1;
	if (ix->gen != 0 && snapshot_gen(ix->fd, &gen) == SNAPSHOT_OK &&
	    gen == ix->gen)
		r = catch_up(ix);
	else
		r = reload(ix);
	if (r == -1)
		index_unlock(ix);
	return r;
}

void
index_unlock(struct index *ix)
{
	int err = errno;

	fs_unlock(ix->lock_fd);
	errno = err;
}

bool
index_quiet(const struct index *ix, bool believe)
{
	struct stat st;
	int64_t new_ns, cur_ns;

	return ix->gen != 0 && fstat(ix->journal_fd, &st) == 0 &&
	    st.st_nlink > 0 && (uint64_t)st.st_size == ix->applied &&
	    scan_mtimes(ix->fd, &new_ns, &cur_ns) == 0 &&
	    new_ns == ix->trust.new_ns && cur_ns == ix->trust.cur_ns &&
	    (believe || ix->trust.trusted);
}

static int
append(struct index *ix)
{
	struct span s = buf_span(&ix->out);
	off_t at = (off_t)ix->applied;
	ssize_t r;

	while (s.n > 0) {
		r = pwrite(ix->journal_fd, s.p, s.n, at);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		span_take(&s, (size_t)r);
		at += r;
	}
	return 0;
}

int
index_commit(struct index *ix)
{
	int err = EFBIG;

	if (ix->out.n == 0)
		return 0;
	if (ix->out.over || append(ix) == -1) {
		err = ix->out.over ? EFBIG : errno;
		if (ftruncate(ix->journal_fd, (off_t)ix->applied) == -1)
			err = errno;
		buf_clear(&ix->out);
		ix->gen = 0; /* memory may be ahead of the disk: load again */
		errno = err;
		return -1;
	}
	ix->applied += index_replay(ix, buf_span(&ix->out));
	buf_clear(&ix->out);
	if (ix->uidnext - 1 > ix->mem.highest &&
	    uidmem_set(&ix->mem, ix->uidvalidity, ix->uidnext - 1) == -1)
		return -1;
	/* A journal that grows on is only slower. */
	if (ix->applied > index_journal_max && ix->applied > ix->snapshot / 2 &&
	    index_compact(ix) == -1)
		log_error(ix->path, NULL);
	return 0;
}

int
index_sync(struct index *ix)
{
	if (ix->synced == ix->applied || !ix->unsynced)
		return 0;
	if (fdatasync(ix->journal_fd) == -1)
		return -1;
	ix->synced = ix->applied;
	ix->unsynced = false;
	return 0;
}
