#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "io/deadline.h"
#include "io/fresh.h"
#include "io/fs.h"
#include "store/scan.h"

enum { LOCK_WAIT_MS = 30000, ALL_AT_ONCE = 1048576 };
enum { REMOTE_WAIT_MS = 3000, REMOTE_LOOK_MS = 20 };
/* A journal is long when it has so much of the snapshot's size. */
enum { WORK_PART = 4, END_PART = 128 };
enum { UID_GAP = 262144, MODSEQ_GAP = 1048576 };

uint64_t index_journal_max = 65536;

static const size_t buf_max = (size_t)1 << 31;

static int
open_dir(struct index *ix, const char *path)
{
	memset(ix, 0, sizeof(*ix));
	ix->fd = ix->lock_fd = ix->journal_fd = ix->mem.fd = -1;
	buf_init(&ix->names, buf_max);
	index_free_table(ix);
	buf_init(&ix->out, buf_max);
	if (!span_cstr(span_of(path), ix->path, sizeof(ix->path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	ix->fd = fs_open_dir(path);
	return ix->fd == -1 ? -1 : 0;
}

int
index_open(struct index *ix, const char *path)
{
	if (open_dir(ix, path) == -1)
		return -1;
	ix->remote = fs_is_remote(ix->fd);
	ix->lock_fd = openat(ix->fd, "pneu.lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
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

	fs_close(ix->journal_fd);
	fs_close(ix->lock_fd);
	fs_close(ix->fd);
	ix->fd = ix->lock_fd = ix->journal_fd = -1;
	uidmem_close(&ix->mem);
	index_free_table(ix);
	buf_free(&ix->names);
	buf_free(&ix->out);
	free(ix->vanished);
	ix->vanished = NULL;
	ix->nvanished = ix->vanished_cap = 0;
	errno = err;
}

static void
close_journal(struct index *ix)
{
	fs_close(ix->journal_fd);
	ix->journal_fd = -1;
}

void
index_begin(struct index *ix, uint32_t uidvalidity)
{
	uint64_t gen = (uint64_t)unix_now();
	unsigned char id[INDEX_ID / 2 - 3];
	struct buf hex = { .max = INDEX_ID };

	index_free_table(ix);
	fs_random(id, sizeof(id));
	enc_hex(&hex, (struct span){ (const char *)id, sizeof(id) });
	snprintf(ix->id, sizeof(ix->id), "F%.*s", (int)hex.n, hex.p);
	buf_free(&hex);
	ix->uidvalidity = uidvalidity;
	ix->uidnext = 1;
	ix->modseq = 1;
	ix->vanished_floor = 0;
	ix->nvanished = 0;
	ix->trust = (struct trust){ .new_ns = -1, .cur_ns = -1 };
	ix->nkeywords = 1;
	snprintf(ix->keyword[0], sizeof(ix->keyword[0]), "$Forwarded");
	ix->gen = gen > ix->gen ? gen : ix->gen;
	close_journal(ix);
	ix->applied = ix->synced = 0;
	ix->unsynced = false;
	ix->first = ix->bulk = true;
	ix->loose = !ix->remote;
	ix->lost = false;
}

int
index_open_unkept(struct index *ix, const char *path)
{
	uint32_t r;

	if (open_dir(ix, path) == -1)
		return -1;
	if (faccessat(ix->fd, snapshot_name, F_OK, 0) == 0) {
		index_close(ix);
		errno = ENOSPC;
		return -1;
	}
	fs_random(&r, sizeof(r));
	index_begin(ix, UIDMEM_OURS + 1 + r % (UINT32_MAX - UIDMEM_OURS - 1));
	ix->first = ix->loose = ix->bulk = false;
	ix->unkept = true;
	return 0;
}

/* Messages get new UIDs from 1 on. */
static int
make_index(struct index *ix)
{
	uint32_t uidvalidity;

	if (!fs_is_at(ix->fd, ix->path)) {
		errno = ENOENT; /* it was deleted, or has another name now */
		return -1;
	}
	if (uidmem_fresh(&ix->mem, &uidvalidity) == -1)
		return -1;
	index_begin(ix, uidvalidity);
	/* elsewhere others see what is unsynced only when they like to */
	ix->made = !ix->remote;
	return 0;
}

/* Apply what the journal has behind what was applied: 0, -1 and errno. */
static int
apply_more(struct index *ix)
{
	struct buf b;
	ssize_t r = 1;

	buf_init(&b, buf_max);
	while (r > 0 && buf_room(&b, 65536) != NULL) {
		r = pread(ix->journal_fd, b.p + b.n, 65536,
		    (off_t)(ix->applied + b.n));
		if (r > 0)
			b.n += (size_t)r;
	}
	if (r != -1)
		ix->applied += index_replay(ix, buf_span(&b));
	buf_free(&b);
	return r == -1 ? -1 : 0;
}

/* The size of the journal, whoever wrote it: as catch_up. */
static int
ask_size(const struct index *ix, struct fresh *f)
{
	if ((ix->remote && fresh_touch(ix->journal_fd) == -1) ||
	    fresh_stat(ix->journal_fd, "", f) == -1)
		return errno == ESTALE || errno == ENOENT ? 1 : -1;
	return f->nlink == 0;
}

/*
 * Read what was appended since; a torn end is cut off (under the lock).
 * What another node has written may come later than its size.  0; -1 and
 * errno; 1 when it is no longer the journal.
 */
static int
catch_up(struct index *ix)
{
	int64_t end = deadline_now() + REMOTE_WAIT_MS;
	struct fresh f;
	int r;

	for (;;) {
		if ((r = ask_size(ix, &f)) != 0)
			return r;
		if (f.size <= ix->applied)
			return 0;
		if (apply_more(ix) == -1)
			return -1;
		if (f.size <= ix->applied)
			return 0;
		if (!ix->remote || deadline_now() >= end)
			return ftruncate(ix->journal_fd, (off_t)ix->applied);
		poll(NULL, 0, REMOTE_LOOK_MS);
	}
}

/*
 * The journal that the snapshot names; one that is lost is made again.  1:
 * it is lost, and the snapshot with it.  Where names are remembered (early)
 * it may be the snapshot that was: -1 and ESTALE.
 */
static int
open_journal(struct index *ix, bool early, bool *checked)
{
	char name[64], head[JOURNAL_HEADER];
	uint32_t uidvalidity = 0;
	uint64_t gen = 0;
	enum format_result r = FORMAT_BAD;
	ssize_t n;

	index_journal_name(name, sizeof(name), ix->gen);
	ix->applied = ix->synced = JOURNAL_HEADER;
	fresh_name(ix->fd, name);
	ix->journal_fd = openat(ix->fd, name, O_RDWR | O_CLOEXEC);
	if (ix->journal_fd == -1 && errno != ENOENT)
		return -1;
	if (ix->journal_fd != -1) {
		if ((n = pread(ix->journal_fd, head, sizeof(head), 0)) == -1)
			return -1;
		r = journal_header(
		    (struct span){ head, (size_t)n }, &gen, &uidvalidity);
	}
	if (r == FORMAT_NEWER) {
		errno = EPROTO;
		return -1;
	}
	if (r == FORMAT_OK && gen == ix->gen &&
	    uidvalidity == ix->uidvalidity) {
		struct span s = { head, sizeof(head) };

		*checked = journal_is_checked(s, &ix->snap);
		ix->lost = journal_is_lost(s);
		ix->loose = ix->first && !journal_is_kept(s);
		return 0;
	}
	if (early) {
		errno = ESTALE;
		return -1;
	}
	if (ix->first)
		return 1;
	ix->loose = false;
	close_journal(ix);
	ix->journal_fd = index_make_journal(ix, ix->gen);
	return ix->journal_fd == -1 ? -1 : 0;
}

/*
 * What the memory outside the folder says of what was loaded.  If the
 * snapshot is not the file that was written (a copy was put back) and the
 * memory knows nothing better (it was put back with it), some UIDs were
 * given since, and nobody knows how many.
 */
static int
check_memory(struct index *ix, bool moved)
{
	uint32_t highest = ix->uidnext - 1;

	if (ix->mem.uidvalidity != ix->uidvalidity &&
	    !fs_is_at(ix->fd, ix->path)) {
		/* It was renamed: this is the memory of another folder. */
		uidmem_close(&ix->mem);
		return 0;
	}
	if (ix->mem.uidvalidity != 0 && ix->mem.uidvalidity != ix->uidvalidity)
		return make_index(ix);
	if (ix->mem.uidvalidity != 0 && ix->mem.highest > highest) {
		index_put_uidnext(
		    ix, ix->mem.highest + 1, ix->modseq + MODSEQ_GAP);
		return index_commit(ix);
	}
	if (moved && highest > 0 && highest < UINT32_MAX - 2 * UID_GAP) {
		index_put_uidnext(
		    ix, ix->uidnext + UID_GAP, ix->modseq + MODSEQ_GAP);
		return index_commit(ix);
	}
	return uidmem_set(&ix->mem, ix->uidvalidity, highest);
}

/* early: what is not there may be there soon, or be what was. */
static int
load_once(struct index *ix, bool early)
{
	enum snapshot_result r;
	bool checked = false;
	int lost;

	ix->made = ix->lost = false;
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
	if (r != SNAPSHOT_OK)
		return make_index(ix);
	if ((lost = open_journal(ix, early, &checked)) == -1)
		return -1;
	if (lost || ((!checked || ix->loose) && !snapshot_check(ix)))
		return make_index(ix);
	if (!checked)
		index_note_checked(ix);
	if ((lost = catch_up(ix)) == 1)
		errno = ESTALE;
	return lost != 0 ? -1 : check_memory(ix, !checked);
}

/* All of it, into an empty table. */
int
index_load(struct index *ix)
{
	int64_t end = deadline_now() + REMOTE_WAIT_MS;
	bool early = ix->remote;
	int r;

	while ((r = load_once(ix, early)) == -1 && errno == ESTALE && early) {
		close_journal(ix);
		early = deadline_now() < end;
		poll(NULL, 0, REMOTE_LOOK_MS);
	}
	if (r == -1 && errno == ESTALE)
		errno = EAGAIN;
	return r;
}

int
index_lock(struct index *ix)
{
	return index_lock_in(ix, LOCK_WAIT_MS);
}

int
index_lock_in(struct index *ix, int wait_ms)
{
	int r;

	if (ix->reset) {
		errno = ESTALE;
		return -1;
	}
	if (ix->unkept)
		return 0;
	if (fs_lock(ix->lock_fd, true, deadline_now() + wait_ms) == -1)
		return -1;
	ix->locked = true;
	if (ix->gen == 0 || ix->ahead || !snapshot_is_same(ix) ||
	    (r = catch_up(ix)) == 1)
		r = index_reload(ix);
	if (r == -1)
		index_unlock(ix);
	return r;
}

void
index_unlock(struct index *ix)
{
	int err = errno;

	if (ix->unkept)
		return;
	fs_unlock(ix->lock_fd);
	ix->locked = false;
	if (ix->compact)
		index_compact_unlocked(ix);
	ix->compact = false;
	errno = err;
}

unsigned
index_trusted(const struct index *ix)
{
	int64_t now = fs_clock_ns(-1);
	unsigned dirs = ix->trust.trusted;

	if (!scan_is_old(ix->trust.new_ns, now))
		dirs &= ~(unsigned)SCAN_NEW;
	if (!scan_is_old(ix->trust.cur_ns, now))
		dirs &= ~(unsigned)SCAN_CUR;
	return dirs;
}

int
index_open_locked(struct index *ix, const char *path)
{
	if (index_open(ix, path) == -1)
		return -1;
	if (index_lock(ix) == 0)
		return 0;
	index_close(ix);
	return -1;
}

void
index_unlock_close(struct index *ix)
{
	index_unlock(ix);
	index_close(ix);
}

bool
index_quiet(const struct index *ix, bool believe)
{
	struct fresh f;
	int64_t new_ns, cur_ns;

	return ix->gen != 0 && fresh_stat(ix->journal_fd, "", &f) == 0 &&
	    f.nlink > 0 && f.size == ix->applied &&
	    scan_mtimes(ix->fd, &new_ns, &cur_ns) == 0 &&
	    new_ns == ix->trust.new_ns && cur_ns == ix->trust.cur_ns &&
	    (believe || index_trusted(ix) == SCAN_ALL);
}

/*
 * So much at once becomes a snapshot: the journal would be read again.
 * Files of a first index that it replaces may have told numbers.
 */
static int
commit_all(struct index *ix)
{
	uint64_t put = ix->gen, gen; /* the records are of this one */

	if (ix->loose && ix->journal_fd != -1 && index_settle(ix) == -1) {
		ix->gen = 0;
		return -1;
	}
	gen = ix->gen; /* another where a sync has failed */
	ix->gen = put;
	index_replay(ix, buf_span(&ix->out));
	ix->gen = gen;
	buf_clear(&ix->out);
	ix->bulk = false;
	if (index_compact(ix) == 0)
		return 0;
	ix->gen = 0;
	return -1;
}

static bool
is_long(const struct index *ix, uint64_t part)
{
	return ix->gen != 0 && ix->applied > index_journal_max &&
	    ix->applied > ix->snap.size / part;
}

void
index_shorten(struct index *ix)
{
	if (is_long(ix, END_PART))
		index_compact_unlocked(ix);
}

/* Nothing in it but what the directories tell, too. */
static bool
is_told_by_files(const struct index *ix)
{
	struct span s = buf_span(&ix->out), body;
	char type;

	while (record_next(&s, ix->gen, &type, &body))
		if (strchr("MXVTSC", type) == NULL)
			return false;
	return s.n == 0;
}

/*
 * On a full disk messages can be removed all the same.  No MODSEQ grows by
 * what is in no journal; the next look finds it all again.
 */
static void
go_ahead(struct index *ix)
{
	uint64_t modseq = ix->modseq;

	index_replay(ix, buf_span(&ix->out));
	ix->modseq = modseq;
	for (size_t i = 0; i < ix->n; i++)
		if (ix->entry[i].msg.modseq > modseq)
			ix->entry[i].msg.modseq = modseq;
	ix->ahead = true;
}

static int
append_out(const struct index *ix)
{
	if (ix->out.over) {
		errno = EFBIG;
		return -1;
	}
	if (fs_write_at(
		ix->journal_fd, buf_span(&ix->out), (off_t)ix->applied) == -1)
		return -1;
	return ix->remote ? fresh_flush(ix->journal_fd) : 0;
}

static int
commit_journal(struct index *ix)
{
	if (append_out(ix) == -1) {
		int err = errno;

		if (ftruncate(ix->journal_fd, (off_t)ix->applied) == -1)
			err = errno;
		if ((err == ENOSPC || err == EDQUOT) && is_told_by_files(ix)) {
			go_ahead(ix);
			buf_clear(&ix->out);
			return 0;
		}
		buf_clear(&ix->out);
		ix->gen = 0; /* memory may be ahead of the disk: load again */
		errno = err;
		return -1;
	}
	ix->applied += index_replay(ix, buf_span(&ix->out));
	buf_clear(&ix->out);
	/* A journal that grows on is only slower. */
	ix->compact = is_long(ix, WORK_PART);
	return 0;
}

int
index_commit(struct index *ix)
{
	int r;

	if (ix->out.n == 0 && !ix->bulk)
		return 0;
	if (ix->gen == 0) { /* one before has failed: not behind its back */
		buf_clear(&ix->out);
		ix->bulk = false;
		errno = EIO;
		return -1;
	}
	if (ix->unkept) {
		index_replay(ix, buf_span(&ix->out));
		buf_clear(&ix->out);
		ix->bulk = false;
		return 0;
	}
	r = ix->bulk || (ix->out.n > ALL_AT_ONCE && ix->out.n > ix->snap.size)
	    ? commit_all(ix)
	    : commit_journal(ix);
	if (r == -1)
		return -1;
	if (ix->uidnext - 1 > ix->mem.highest)
		return uidmem_set(&ix->mem, ix->uidvalidity, ix->uidnext - 1);
	return 0;
}
