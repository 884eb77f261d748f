/* Messages of one folder into another: COPY, and MOVE where it can't do. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "io/out.h"
#include "store/mdname.h"
#include "store/transfer.h"

static int
copy_bytes(int from, int to)
{
	static char buf[65536];
	ssize_t r;

	while ((r = read(from, buf, sizeof(buf))) > 0)
		if (write_all(to, buf, (size_t)r, INT64_MAX) == -1)
			return -1;
	return r == -1 || fsync(to) == -1 ? -1 : 0;
}

/* In tmp/ of the target until it gets its place. */
static void
tmp_name(const struct transfer *t, size_t k, char *dst, size_t size)
{
	const char *name = transfer_name(t, k) + 4;

	snprintf(dst, size, "tmp/%.*s", (int)strcspn(name, ",:"), name);
}

/* Where no hard link can be made; without a lock, for it takes its time. */
static int
stage(struct transfer *t, size_t k)
{
	char tmp[512];
	int64_t date;
	int from, to, r;

	if (folder_date(t->from, t->idx[k], &date) == -1 ||
	    (from = view_open_file(t->from, t->idx[k])) == -1)
		return -1;
	tmp_name(t, k, tmp, sizeof(tmp));
	to = openat(
	    t->to->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	t->item[k].staged = to != -1;
	r = to == -1 ? -1 : copy_bytes(from, to);
	if (r == 0)
		r = fs_touch(to, date);
	fs_close(from);
	fs_close(to);
	return r;
}

static int
place(struct transfer *t, size_t k)
{
	const struct index *ix = &t->from->ix;
	const char *to = transfer_name(t, k);
	char path[512];
	int r;

	if (t->foreign) {
		tmp_name(t, k, path, sizeof(path));
		r = renameat(t->to->fd, path, t->to->fd, to);
	} else {
		index_file(ix, &ix->entry[t->idx[k]], path);
		r = linkat(ix->fd, path, t->to->fd, to, 0);
	}
	t->item[k].placed = r == 0;
	return r;
}

/* Take back what was done so far; keeps errno. */
static void
undo(struct transfer *t)
{
	char path[512];
	int err = errno;

	for (size_t k = 0; k < t->n; k++) {
		struct transfer_item *it = &t->item[k];

		if (!it->staged && !it->placed)
			continue;
		tmp_name(t, k, path, sizeof(path));
		unlinkat(t->to->fd, it->placed ? transfer_name(t, k) : path, 0);
		it->staged = it->placed = false;
	}
	buf_clear(&t->to->out);
	errno = err;
}

/*
 * The journal is synced before the directory: where one transaction holds
 * both, the second has nothing left to do.
 */
static int
place_all(struct transfer *t, uint32_t *uids)
{
	for (size_t k = 0; k < t->n; k++)
		if (place(t, k) == -1)
			return -1;
	if (transfer_put_new(t, uids) == -1 || index_sync(t->to) == -1)
		return -1;
	return fs_sync_dir(t->to->fd, "cur");
}

/* Bytes first; then all get their names and UIDs together. */
static int
attempt(struct transfer *t, uint32_t *uidvalidity, uint32_t *uids)
{
	bool ready = false;
	int r = 0;

	if (t->foreign) {
		if (index_lock(t->to) == -1)
			return -1;
		r = transfer_prepare(t);
		index_unlock(t->to);
		for (size_t k = 0; k < t->n && r == 0; k++)
			r = stage(t, k);
		ready = true;
	}
	if (r == -1 || index_lock(t->to) == -1)
		return -1;
	r = index_scan(t->to, true);
	if (r == 0 && !ready)
		r = transfer_prepare(t);
	if (r == 0)
		r = place_all(t, uids);
	if (r == 0)
		transfer_put_facts(t, uids);
	else
		undo(t);
	*uidvalidity = t->to->uidvalidity;
	index_unlock(t->to);
	return r;
}

/* The file system makes no (more) hard links. */
static bool
no_links(int err)
{
	return err == EXDEV || err == EPERM || err == EMLINK ||
	    err == EOPNOTSUPP || err == ENOSYS || err == EACCES;
}

/* Keywords that others have set stand in no file's name. */
static int
catch_up(struct transfer *t)
{
	if (t->to == &t->from->ix)
		return 0; /* so will the lock */
	if (index_lock(&t->from->ix) == -1)
		return -1;
	index_unlock(&t->from->ix);
	return 0;
}

static int
copy(struct transfer *t, uint32_t *uidvalidity, uint32_t *uids)
{
	bool looked = false;

	if (catch_up(t) == -1)
		return -1;
	while (attempt(t, uidvalidity, uids) == -1) {
		undo(t);
		if (errno == ENOENT && !looked) {
			/* Renamed, or gone: the next attempt tells. */
			looked = true;
			if (view_find_again(t->from) == -1)
				return -1;
		} else if (!t->foreign && no_links(errno)) {
			t->foreign = true;
		} else {
			return -1;
		}
	}
	return 0;
}

int
folder_copy(struct folder *f, const size_t *idx, size_t n, const char *to_path,
    bool move, uint32_t *uidvalidity, uint32_t *uids)
{
	struct transfer t;
	int r = 1;

	if (move && !f->rw) {
		errno = EROFS;
		return -1;
	}
	if (transfer_open(&t, f, idx, n, to_path) == -1)
		return -1;
	if (move && !t.foreign)
		r = transfer_move(&t, uidvalidity, uids);
	if (r == 1) {
		r = copy(&t, uidvalidity, uids);
		if (r == 0)
			transfer_count(&t, false);
		if (r == 0 && move)
			r = folder_expunge(f, idx, n);
	}
	transfer_close(&t);
	return r;
}
