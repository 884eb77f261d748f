/* MOVE within a file system: a rename a message. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "io/log.h"
#include "store/transfer.h"

/* Two folders are locked in the order of their inodes, by everybody. */
static bool
target_first(const struct transfer *t)
{
	struct stat a, b;

	return fstat(t->from->ix.fd, &a) == 0 && fstat(t->to->fd, &b) == 0 &&
	    b.st_ino < a.st_ino;
}

static int
lock_one(struct index *ix)
{
	if (index_lock(ix) == -1)
		return -1;
	if (index_scan(ix, true) == 0)
		return 0;
	index_unlock(ix);
	return -1;
}

static int
lock_both(struct transfer *t)
{
	struct index *a = &t->from->ix, *b = t->to;

	if (a == b)
		return lock_one(a);
	if (target_first(t)) {
		a = t->to;
		b = &t->from->ix;
	}
	if (lock_one(a) == -1)
		return -1;
	if (lock_one(b) == 0)
		return 0;
	index_unlock(a);
	return -1;
}

/* A new snapshot of the one is made when the other is unlocked, too. */
static void
unlock_both(struct transfer *t)
{
	bool later = t->to->compact && t->to != &t->from->ix;

	if (t->to != &t->from->ix) {
		t->to->compact = false;
		index_unlock(t->to);
	}
	index_unlock(&t->from->ix);
	if (later)
		index_compact_unlocked(t->to);
}

static int
rename_one(struct transfer *t, size_t k)
{
	const struct index *ix = &t->from->ix;
	char path[512];

	index_file(ix, &ix->entry[t->idx[k]], path);
	return renameat(ix->fd, path, t->to->fd, transfer_name(t, k));
}

static void
undo(struct transfer *t)
{
	const struct index *ix = &t->from->ix;
	char path[512];
	int err = errno;

	for (size_t k = 0; k < t->n; k++) {
		if (!t->item[k].placed)
			continue;
		index_file(ix, &ix->entry[t->idx[k]], path);
		if (renameat(t->to->fd, transfer_name(t, k), ix->fd, path) == 0)
			t->item[k].placed = false;
	}
	buf_clear(&t->to->out);
	buf_clear(&t->from->ix.out);
	errno = err;
}

/* All of them, or as before. */
static int
rename_all(struct transfer *t)
{
	for (size_t k = 0; k < t->n; k++) {
		t->item[k].placed = rename_one(t, k) == 0;
		if (!t->item[k].placed) {
			undo(t);
			return -1;
		}
	}
	return 0;
}

/*
 * A file that another program has renamed is looked for once, when all are
 * where they were: else they would be new ones there, or gone.
 */
static int
rename_found(struct transfer *t)
{
	if (transfer_prepare(t) == -1)
		return -1;
	if (rename_all(t) == 0)
		return 0;
	if (errno != ENOENT || view_look_again(t->from) == -1 ||
	    transfer_prepare(t) == -1)
		return -1;
	return rename_all(t);
}

/* Where this fails, the next look at the directory finds it. */
static void
put_gone(struct transfer *t)
{
	struct index *ix = &t->from->ix;
	struct index_list l;
	unsigned dirs = SCAN_CUR;

	index_list_begin(ix, &l, RECORD_GONE, ix->modseq + 1);
	for (size_t k = 0; k < t->n; k++) {
		const struct entry *e = &ix->entry[t->idx[k]];

		if ((e->bits & ENTRY_NEW) != 0)
			dirs |= SCAN_NEW;
		index_list_item(ix, &l, e->msg.uid);
	}
	index_list_end(ix, &l);
	index_put_own_change(ix, dirs);
	ix->own = true;
	if (index_commit(ix) == -1)
		log_error(ix->path, NULL);
	ix->own = false;
}

static int
move_all(struct transfer *t, uint32_t *uids)
{
	if (rename_found(t) == -1)
		return -1;
	if (transfer_put_new(t, uids) == -1) {
		undo(t);
		return -1;
	}
	put_gone(t);
	if (index_sync(t->to) == -1 || fs_sync_dir(t->to->fd, "cur") == -1)
		return -1;
	return t->to == &t->from->ix ? 0 : fs_sync_dir(t->from->ix.fd, "cur");
}

int
transfer_move(struct transfer *t, uint32_t *uidvalidity, uint32_t *uids)
{
	int r;

	t->from->waiting = false;
	if (lock_both(t) == -1)
		return -1;
	r = move_all(t, uids);
	*uidvalidity = t->to->uidvalidity;
	if (r == 0) {
		transfer_put_facts(t, uids);
		transfer_count(t, true);
	} else if (errno == EXDEV) {
		r = 1;
	}
	unlock_both(t);
	return r;
}
