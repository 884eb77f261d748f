#include "store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/watch.h"
#include "store/gzip.h"
#include "store/le.h"
#include "store/mdname.h"
#include "store/scan.h"
#include "store/view.h"

int
view_lock(struct folder *f, bool believe)
{
	if (index_lock(&f->ix) == -1)
		return -1;
	if (index_scan(&f->ix, believe) == -1) {
		index_unlock(&f->ix);
		return -1;
	}
	return 0;
}

int
view_look_again(struct folder *f)
{
	f->ix.trust = (struct trust){ .new_ns = -1, .cur_ns = -1 };
	return index_scan(&f->ix, false);
}

int
view_find_again(struct folder *f)
{
	int r;

	if (index_lock(&f->ix) == -1)
		return -1;
	r = view_look_again(f);
	index_unlock(&f->ix);
	return r;
}

/* Into cur/: false when another program has moved it meanwhile. */
static bool
take_file(struct index *ix, const struct entry *e)
{
	char from[512], to[512] = "cur/";
	struct mdname m = mdname_parse(index_name(ix, e));

	index_file(ix, e, from);
	return mdname_make(to + 4, m.base, e->msg.flags,
		   (e->msg.keywords & 1) != 0, m.extra) > 0 &&
	    renameat(ix->fd, from, ix->fd, to) == 0;
}

static void
recent_from(struct folder *f, uint32_t uid)
{
	if (f->recent_from == 0 || uid < f->recent_from)
		f->recent_from = uid;
}

/* \Recent is for this session: move what is in new/ to cur/. */
static int
take_recent(struct folder *f)
{
	struct index *ix = &f->ix;
	struct index_list l;
	bool any = false, all = true;
	unsigned dirs = 0;

	if (ix->tally.fresh == 0)
		return 0;
	for (size_t i = index_lower(ix, ix->tally.fresh_from); i < ix->n; i++) {
		struct entry *e = &ix->entry[i];

		if ((e->bits & ENTRY_FRESH) == 0 || e->msg.gone)
			continue;
		e->msg.flags |= FLAG_RECENT;
		recent_from(f, e->msg.uid);
		if ((e->bits & ENTRY_NEW) != 0) {
			if (!take_file(ix, e)) {
				all = false;
				continue;
			}
			dirs = SCAN_ALL;
		}
		if (!any)
			index_list_begin(ix, &l, RECORD_TAKEN, 0);
		any = true;
		index_list_item(ix, &l, e->msg.uid);
	}
	if (!any)
		return 0;
	index_list_end(ix, &l);
	if (all)
		index_put_own_change(ix, dirs);
	return index_commit(ix);
}

static int
put_learnt(struct folder *f)
{
	struct index *ix = &f->ix;
	struct index_list l;

	if (f->learnt == 0)
		return 0;
	f->learnt = 0;
	index_list_begin(ix, &l, RECORD_SIZE, 0);
	for (size_t i = 0; i < ix->n; i++) {
		struct entry *e = &ix->entry[i];

		if ((e->bits & ENTRY_LEARNT) == 0 || e->msg.gone)
			continue;
		e->bits &= (uint16_t)~ENTRY_LEARNT;
		index_list_item(ix, &l, e->msg.uid);
		le_put(&ix->out, 8, index_counted(e));
		le_put(&ix->out, 8, (uint64_t)e->msg.date);
	}
	index_list_end(ix, &l);
	return index_commit(ix);
}

void
view_learnt(struct folder *f, size_t i, uint64_t size, int64_t date)
{
	struct entry *e = &f->ix.entry[i];

	if (size > 0) {
		if (e->msg.size != 0 && e->msg.size != size)
			cache_clear(&f->cache); /* they may be of it */
		index_set_size(&f->ix, e, size);
		e->bits |= ENTRY_MEASURED;
	}
	if (date != 0)
		e->msg.date = date;
	if ((e->bits & ENTRY_LEARNT) == 0)
		f->learnt++;
	e->bits |= ENTRY_LEARNT;
}

/* All that one look under the lock can do. */
static int
update(struct folder *f, bool believe)
{
	int r;

	if (view_lock(f, believe) == -1)
		return -1;
	r = put_learnt(f);
	if (r == 0 && f->rw)
		r = take_recent(f);
	if (r == 0)
		r = index_sync_shown(&f->ix);
	view_flush_facts(&f->ix, &f->cache);
	index_unlock(&f->ix);
	return r;
}

/* Drop what has gone: from the view only if it may be told. */
static void
drop_gone(struct folder *f, bool expunge, const struct folder_news *news)
{
	struct index *ix = &f->ix;
	size_t n = 0, shown = 0;

	if (ix->ngone == 0)
		return;
	for (size_t i = ix->shown; expunge && i-- > 0;)
		if (ix->entry[i].msg.gone && news != NULL &&
		    news->expunged != NULL)
			news->expunged(news->ctx, i, ix->entry[i].msg.uid);
	ix->ngone = 0;
	for (size_t i = 0; i < ix->n; i++) {
		const struct entry *e = &ix->entry[i];

		if (e->msg.gone && (expunge || i >= ix->shown)) {
			ix->nnews -= (e->bits & ENTRY_NEWS) != 0;
			continue;
		}
		ix->ngone += e->msg.gone;
		if (i < ix->shown)
			shown++;
		if (n != i)
			ix->entry[n] = *e;
		n++;
	}
	ix->n = n;
	ix->shown = shown;
}

static void
tell_flags(struct folder *f, const struct folder_news *news)
{
	for (size_t i = 0; i < f->ix.shown && f->ix.nnews > 0; i++) {
		struct entry *e = &f->ix.entry[i];

		if ((e->bits & ENTRY_NEWS) == 0)
			continue;
		e->bits &= (uint16_t)~ENTRY_NEWS;
		f->ix.nnews--;
		if (!e->msg.gone && news != NULL && news->flags != NULL)
			news->flags(news->ctx, i);
	}
}

/* Those that are \Recent for nobody yet are so for this session. */
static void
show_new(struct folder *f, const struct folder_news *news)
{
	struct index *ix = &f->ix;
	size_t i = ix->shown;

	if (i == ix->n)
		return;
	if (ix->tally.fresh == 0)
		i = ix->n;
	else if (index_lower(ix, ix->tally.fresh_from) > i)
		i = index_lower(ix, ix->tally.fresh_from);
	for (; i < ix->n; i++)
		if ((ix->entry[i].bits & ENTRY_FRESH) != 0) {
			ix->entry[i].msg.flags |= FLAG_RECENT;
			recent_from(f, ix->entry[i].msg.uid);
		}
	ix->shown = ix->n;
	if (news != NULL && news->exists != NULL)
		news->exists(news->ctx, ix->shown);
}

void
folder_counts(struct folder *f, struct folder_counts *c)
{
	struct index *ix = &f->ix;
	const struct tally *t = &ix->tally;
	size_t i = index_lower(ix, t->unseen_from);

	*c = (struct folder_counts){ .messages = ix->shown,
		.unseen = t->unseen,
		.deleted = t->deleted };
	while (t->unseen > 0 && i < ix->shown &&
	    (ix->entry[i].msg.flags & FLAG_SEEN) != 0)
		i++;
	if (t->unseen > 0 && i < ix->shown) {
		c->first_unseen = i + 1;
		ix->tally.unseen_from = ix->entry[i].msg.uid;
	}
	if (f->recent_from == 0)
		return;
	for (i = index_lower(ix, f->recent_from); i < ix->shown; i++)
		c->recent += (ix->entry[i].msg.flags & FLAG_RECENT) != 0;
}

static int
open_as(struct folder **fp, const char *path, bool rw, bool unkept)
{
	struct folder *f = die_calloc(1, sizeof(*f));
	int err;

	f->rw = rw;
	f->watch = f->cache.fd = -1;
	if ((unkept ? index_open_unkept : index_open)(&f->ix, path) == -1) {
		err = errno;
		free(f);
		errno = err;
		return -1;
	}
	if (update(f, false) == -1) {
		err = errno;
		index_close(&f->ix);
		cache_close(&f->cache);
		free(f);
		errno = err;
		return -1;
	}
	f->ix.told = f->ix.uidvalidity;
	drop_gone(f, true, NULL);
	show_new(f, NULL);
	*fp = f;
	return 0;
}

int
folder_open(struct folder **fp, const char *path, bool rw)
{
	return open_as(fp, path, rw, false);
}

int
folder_open_unkept(struct folder **fp, const char *path)
{
	return open_as(fp, path, false, true);
}

bool
folder_removed(const struct folder *f)
{
	struct stat st;

	return fstat(f->ix.fd, &st) == 0 && st.st_nlink == 0;
}

bool
folder_is_at(const struct folder *f, const char *path)
{
	return fs_is_at(f->ix.fd, path);
}

bool
folder_is_loose(const struct folder *f)
{
	return f != NULL && f->ix.gen != 0 && f->ix.loose;
}

int
folder_settle(struct folder *f)
{
	if (!folder_is_loose(f) || folder_removed(f))
		return 0;
	return index_settle(&f->ix);
}

void
folder_close(struct folder *f)
{
	if (f == NULL)
		return;
	view_stop_ahead(f);
	if ((f->learnt > 0 || f->cache.n > 0) && index_lock(&f->ix) == 0) {
		if (put_learnt(f) == 0)
			view_flush_facts(&f->ix, &f->cache);
		index_unlock(&f->ix);
	}
	if (folder_settle(f) == -1)
		log_error(f->ix.path, NULL);
	if (f->rw)
		index_shorten(&f->ix);
	if (f->watch != -1)
		close(f->watch);
	cache_close(&f->cache);
	index_close(&f->ix);
	free(f);
}

size_t
folder_count(const struct folder *f)
{
	return f->ix.shown;
}

const struct msg *
folder_msg(const struct folder *f, size_t i)
{
	return &f->ix.entry[i].msg;
}

uint32_t
folder_uidvalidity(const struct folder *f)
{
	return f->ix.uidvalidity;
}

uint32_t
folder_uidnext(const struct folder *f)
{
	return f->ix.uidnext;
}

uint64_t
folder_modseq(const struct folder *f)
{
	return f->ix.modseq;
}

size_t
folder_lower(const struct folder *f, uint32_t uid)
{
	size_t i = index_lower(&f->ix, uid);

	return i < f->ix.shown ? i : f->ix.shown;
}

/*
 * A change in the tick in which the mtimes were read does not show in
 * them; while they are young they are believed only if nothing woke us.
 */
static bool
believe_mtimes(const struct folder *f)
{
	const struct trust *t = &f->ix.trust;
	int64_t last = t->new_ns > t->cur_ns ? t->new_ns : t->cur_ns;
	int64_t now = fs_clock_ns(-1);

	return !f->woken && !scan_is_old(last, now) &&
	    !scan_is_future(last, now);
}

/* New messages that a look at the directories in between has found. */
static bool
untaken(const struct folder *f)
{
	for (size_t i = f->ix.shown; f->rw && i < f->ix.n; i++)
		if ((f->ix.entry[i].bits & ENTRY_FRESH) != 0)
			return true;
	return false;
}

/*
 * The journal tells what our own programs do, the directories what others
 * do.  It is another file after a new snapshot, so it is watched anew.
 */
int
folder_watch(struct folder *f)
{
	char path[LIMIT_PATH + 64];
	static const char *const dirs[] = { "new", "cur" };

	f->waiting = true;
	if (f->watch == -1 && (f->watch = watch_open()) == -1)
		return -1;
	for (size_t i = 0; i < 2 && f->watched == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->ix.path, dirs[i]);
		if (watch_dir(f->watch, path) == -1)
			goto refused;
	}
	if (f->watched == f->ix.gen)
		return f->watch;
	snprintf(path, sizeof(path), "%s/pneu.journal.%llu", f->ix.path,
	    (unsigned long long)f->ix.gen);
	if (watch_file(f->watch, path) == 0)
		f->watched = f->ix.gen;
	else if (f->watched == 0 && errno != ENOENT)
		goto refused;
	return f->watch;
refused:
	close(f->watch);
	f->watch = -1;
	f->watched = 0;
	return -1;
}

/* For a session that goes on as it was, waiting or not. */
static int
rewatch(struct folder *f)
{
	bool waiting = f->waiting;
	int fd = folder_watch(f);

	f->waiting = waiting;
	return fd;
}

/* Look, until nothing can have changed unseen. */
static int
look(struct folder *f)
{
	bool believe;

	if (f->watch != -1 && watch_drain(f->watch) && f->waiting)
		f->woken = true;
	believe = believe_mtimes(f);
	if (!index_quiet(&f->ix, believe) || untaken(f)) {
		if (update(f, believe) == -1)
			return -1;
	} else if (index_sync_shown(&f->ix) == -1) {
		return -1;
	}
	f->woken = false;
	if (f->watch == -1 || f->watched == f->ix.gen || rewatch(f) == -1 ||
	    index_quiet(&f->ix, true))
		return 0;
	return update(f, false); /* while the new journal was not watched */
}

/* What was in it has gone, too. */
static bool
take_removed(struct folder *f)
{
	if (!folder_removed(f))
		return false;
	for (size_t i = 0; i < f->ix.n; i++)
		if (!f->ix.entry[i].msg.gone)
			index_gone(&f->ix, &f->ix.entry[i]);
	return true;
}

int
folder_refresh(struct folder *f, bool expunge, const struct folder_news *news)
{
	if (f->ix.reset) {
		errno = ESTALE;
		return -1;
	}
	view_stop_ahead(f);
	if (look(f) == -1 && !(errno == ENOENT && take_removed(f)))
		return -1;
	drop_gone(f, expunge, news);
	tell_flags(f, news);
	show_new(f, news);
	return 0;
}

size_t
folder_gone(const struct folder *f)
{
	return f->ix.ngone;
}

void
folder_drop_gone(struct folder *f, const struct folder_news *news)
{
	view_stop_ahead(f);
	/* all seem so where the index can't be read, till it can be */
	if (f->ix.gen != 0 || folder_removed(f))
		drop_gone(f, true, news);
}

int
view_open_file(struct folder *f, size_t i)
{
	char path[512];
	int fd;

	for (int tries = 0; tries < 2; tries++) {
		if (f->ix.entry[i].msg.gone) {
			errno = ENOENT;
			return -1;
		}
		index_file(&f->ix, &f->ix.entry[i], path);
		fd = openat(f->ix.fd, path, O_RDONLY | O_CLOEXEC);
		if (fd != -1 || errno != ENOENT)
			return fd;
		if (tries == 0 && view_find_again(f) == -1)
			return -1;
	}
	return -1;
}

int
folder_open_msg(struct folder *f, size_t i)
{
	int fd = view_open_file(f, i);

	return fd == -1 ? -1 : gzip_plain(f->ix.path, fd);
}
