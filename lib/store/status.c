/* What is known of a folder and its files without a view of it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/wire.h"
#include "store/mdname.h"
#include "store/view.h"

/* The file of a message, found again where it was renamed. */
static int
stat_msg(struct folder *f, size_t i, struct stat *st)
{
	char path[512];

	for (int tries = 0; tries < 2; tries++) {
		if (f->ix.entry[i].msg.gone) {
			errno = ENOENT;
			return -1;
		}
		index_file(&f->ix, &f->ix.entry[i], path);
		if (fstatat(f->ix.fd, path, st, 0) == 0)
			return 0;
		if (errno != ENOENT || (tries == 0 && view_find_again(f) == -1))
			return -1;
	}
	return -1;
}

int
folder_date(struct folder *f, size_t i, int64_t *date)
{
	struct stat st;

	*date = f->ix.entry[i].msg.date;
	if (*date != 0)
		return 0;
	if (stat_msg(f, i, &st) == -1)
		return -1;
	*date = (int64_t)st.st_mtime != 0 ? (int64_t)st.st_mtime : 1;
	view_learnt(f, i, 0, *date);
	return 0;
}

static int
count_size(struct folder *f, size_t i, uint64_t *size)
{
	static char buf[65536];
	struct view_reader r;
	struct wire w = { 0 };
	ssize_t n;

	if (view_reader_open(&r, f, i, true, FOLDER_SIZE) == -1)
		return -1;
	while ((n = view_reader_next(&r, buf, sizeof(buf))) > 0)
		wire_count(&w, (struct span){ buf, (size_t)n });
	view_reader_close(&r);
	if (n == -1)
		return -1;
	wire_end(&w, true);
	*size = w.size;
	view_learnt(f, i, w.size, 0);
	return 0;
}

int
folder_size(struct folder *f, size_t i, uint64_t *size)
{
	*size = f->ix.entry[i].msg.size;
	return *size > 0 ? 0 : count_size(f, i, size);
}

void
folder_measured(struct folder *f, size_t i, uint64_t size)
{
	struct entry *e = &f->ix.entry[i];

	if (size == e->msg.size)
		e->bits |= ENTRY_MEASURED;
	else if (size > 0)
		view_learnt(f, i, size, 0);
}

uint64_t
folder_measure_text(struct folder *f, size_t i, struct span text)
{
	struct wire w = { 0 };

	wire_count(&w, text);
	wire_end(&w, true);
	folder_measured(f, i, w.size);
	return w.size;
}

/* The size is known, and the file has the size that goes with it. */
static bool
is_vouched_for(const struct index *ix, const struct entry *e, int fd, bool sent)
{
	struct mdname m = mdname_parse(index_name(ix, e));
	struct stat st;

	if ((sent ? index_counted(e) : e->msg.size) == 0)
		return false;
	if (!m.has_s)
		return !sent;
	return fstat(fd, &st) == 0 && m.s == (uint64_t)st.st_size;
}

int
folder_measure(struct folder *f, size_t i, int fd, bool sent, uint64_t *size)
{
	static char buf[65536];
	struct entry *e = &f->ix.entry[i];
	struct wire w = { 0 };
	off_t at = 0;
	ssize_t n;

	*size = e->msg.size;
	if ((e->bits & ENTRY_MEASURED) != 0)
		return 0;
	if (is_vouched_for(&f->ix, e, fd, sent))
		return 0;
	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		wire_count(&w, (struct span){ buf, (size_t)n });
		at += n;
	}
	if (n == -1)
		return -1;
	wire_end(&w, true);
	*size = w.size;
	if (w.size > 0)
		view_learnt(f, i, w.size, 0);
	return 0;
}

static int
add_sizes(const char *path, struct folder_status *st)
{
	struct folder *f;
	uint64_t size;

	if (folder_open(&f, path, false) == -1)
		return -1;
	st->size = 0;
	for (size_t i = 0; i < folder_count(f); i++)
		if (folder_size(f, i, &size) == 0)
			st->size += size;
	folder_close(f);
	return 0;
}

int
folder_status(const char *path, struct folder_status *st, bool want_size)
{
	struct index ix;
	const struct tally *t = &ix.tally;
	int r;

	if (index_open(&ix, path) == -1)
		return -1;
	if ((r = index_lock(&ix)) == 0) {
		r = index_scan(&ix, false);
		if (r == 0)
			r = index_sync_numbers(&ix);
		*st = (struct folder_status){ .messages = t->messages,
			.recent = t->fresh,
			.unseen = t->unseen,
			.deleted = t->deleted,
			.uidnext = ix.uidnext,
			.uidvalidity = ix.uidvalidity,
			.modseq = ix.modseq,
			.size = t->size };
		snprintf(st->id, sizeof(st->id), "%s", ix.id);
		index_unlock(&ix);
	}
	if (r == 0 && want_size && t->unsized > 0)
		r = add_sizes(path, st);
	index_close(&ix);
	return r;
}

int
folder_touch(const char *path)
{
	struct index ix;
	struct index_list l;
	int r;

	if (index_open(&ix, path) == -1)
		return -1;
	if ((r = index_lock(&ix)) == 0) {
		index_list_begin(&ix, &l, RECORD_FLAGS, ix.modseq + 1);
		index_list_end(&ix, &l);
		r = index_commit(&ix);
		if (r == 0)
			r = index_sync(&ix);
		index_unlock(&ix);
	}
	index_close(&ix);
	return r;
}
