/*
 * Compare the table with the directories: what is new gets a UID, what
 * other programs renamed or removed is written down.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/die.h"
#include "io/fs.h"
#include "io/log.h"
#include "store/index.h"
#include "store/mdname.h"
#include "store/scan.h"

enum {
	MANY = 4096,
	LOOK_UP_MAX = 16, /* each is a look at all entries */
	AHEAD = 16        /* names that are asked of memory at a time */
};

/* An entry that is not gone. */
struct known {
	uint64_t time;
	struct span base;
	size_t i;
};

struct work {
	struct index *ix;
	unsigned dirs; /* SCAN_*: those that are read */
	int64_t at_ns; /* when, by the clock that makes the mtimes */
	struct scan first, again;
	struct known *known; /* in mdname_order */
	size_t nknown;
	size_t *found; /* files without a UID */
	size_t nfound;
	bool looked_again;
	bool incomplete; /* a file vanished under us: do not trust */
	struct index_list gone;
	size_t ngone;
};

static int
known_order(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return span_cmp(x->base, y->base);
}

/* Whether its file should be in a directory that is read. */
static bool
is_expected(const struct work *w, const struct entry *e)
{
	unsigned dir = (e->bits & ENTRY_NEW) != 0 ? SCAN_NEW : SCAN_CUR;

	return !e->msg.gone && (w->dirs & dir) != 0;
}

static void
list_known(struct work *w)
{
	struct index *ix = w->ix;

	w->known = die_calloc(ix->n + 1, sizeof(*w->known));
	for (size_t i = 0; i < ix->n; i++) {
		struct known *k = &w->known[w->nknown];

		if (!is_expected(w, &ix->entry[i]))
			continue;
		k->base = index_base(ix, &ix->entry[i]);
		k->time = mdname_time(k->base);
		k->i = i;
		w->nknown++;
	}
	qsort(w->known, w->nknown, sizeof(w->known[0]), known_order);
}

/* The file of a message that is still there: has its name changed? */
static void
compare(struct work *w, const struct entry *e, const struct scan *s, size_t i)
{
	char name[512];
	struct mdname m;

	index_file(w->ix, e, name);
	if (s->file[i].in_new == ((e->bits & ENTRY_NEW) != 0) &&
	    span_is(scan_name(s, i), name + 4))
		return;
	m = mdname_parse(scan_name(s, i));
	index_put_moved(w->ix, e->msg.uid, scan_name(s, i), s->file[i].in_new,
	    m.flags == (e->msg.flags & FLAG_ALL) &&
		    m.passed == ((e->msg.keywords & 1) != 0)
		? 0
		: w->ix->modseq + 1);
}

/* Renames race with readdir: only what is missed twice has gone. */
static int
missed(struct work *w, const struct entry *e)
{
	size_t i;

	if (!w->looked_again) {
		if (scan_read(&w->again, w->ix->fd, SCAN_ALL) == -1)
			return -1;
		w->looked_again = true;
	}
	i = scan_find(&w->again, index_base(w->ix, e));
	if (i < w->again.n) {
		compare(w, e, &w->again, i);
		return 0;
	}
	w->known[w->ngone++].i = (size_t)(e - w->ix->entry);
	return 0;
}

/* Which of the two comes first. */
static int
side(const struct work *w, const struct known *k, size_t i)
{
	uint64_t t = w->first.file[i].time;

	if (k->time != t)
		return k->time < t ? -1 : 1;
	return span_cmp(k->base, scan_base(&w->first, i));
}

/* Merge the two sorted lists.  known[0..ngone) becomes what has gone. */
static int
merge(struct work *w)
{
	size_t k = 0, i = 0;

	w->found = die_calloc(w->first.n + 1, sizeof(*w->found));
	while (k < w->nknown || i < w->first.n) {
		const struct known *at = k < w->nknown ? &w->known[k] : NULL;
		const struct entry *e =
		    at == NULL ? NULL : &w->ix->entry[at->i];
		int c = e == NULL ? 1 : i == w->first.n ? -1 : side(w, at, i);

		if (c <= 0)
			k++;
		if (c < 0 && missed(w, e) == -1)
			return -1;
		if (c == 0)
			compare(w, e, &w->first, i);
		if (c > 0)
			w->found[w->nfound++] = i;
		if (c >= 0)
			i++;
	}
	return 0;
}

static void
put_gone(struct work *w)
{
	struct index_list l;

	if (w->ngone == 0)
		return;
	index_list_begin(w->ix, &l, RECORD_GONE, w->ix->modseq + 1);
	for (size_t i = 0; i < w->ngone; i++)
		index_list_item(w->ix, &l, w->ix->entry[w->known[i].i].msg.uid);
	index_list_end(w->ix, &l);
}

static int
put_found(struct work *w)
{
	struct index *ix = w->ix;
	uint32_t uid = ix->uidnext;
	bool first = ix->uidnext == 1; /* when they came nobody knows */
	bool many = ix->bulk || w->nfound > MANY;

	if (many)
		index_room(ix, w->nfound);
	for (size_t k = 0; k < w->nfound; k++) {
		const struct scan_file *f = &w->first.file[w->found[k]];
		struct index_new m = { .in_new = f->in_new };

		if (uid >= UINT32_MAX - 1) {
			errno = EOVERFLOW;
			return -1;
		}
		if (k + AHEAD < w->nfound)
			__builtin_prefetch(
			    scan_name(&w->first, w->found[k + AHEAD]).p);
		m.file = scan_name(&w->first, w->found[k]);
		m.uid = uid++;
		m.fresh = f->in_new;
		m.modseq = ix->modseq + 1;
		m.saved = first && !f->in_new ? -1 : 0;
		if (many)
			index_add(ix, &m);
		else
			index_put_new(ix, &m);
	}
	return 0;
}

/*
 * Two files under one base are two messages: the second gets a name of
 * its own, and with the next look a UID.  A hard link is one message.
 */
static void
part_twin(struct work *w, const struct scan_twin *t)
{
	char a[512], b[512], to[512] = "cur/", unique[MDNAME_MAX + 1];
	struct stat sa, sb;
	struct mdname m;

	scan_path(&w->first, &w->first.file[t->of], a);
	scan_path(&w->first, &t->file, b);
	if (fstatat(w->ix->fd, a, &sa, 0) == -1 ||
	    fstatat(w->ix->fd, b, &sb, 0) == -1 ||
	    (sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino))
		return;
	w->incomplete = true;
	m = mdname_parse((struct span){ b + 4, strlen(b + 4) });
	mdname_unique(unique, sizeof(unique));
	if (t->file.in_new)
		snprintf(to, sizeof(to), "new/%s", unique);
	else if (mdname_make(
		     to + 4, span_of(unique), m.flags, m.passed, m.extra) == 0)
		return;
	if (renameat(w->ix->fd, b, w->ix->fd, to) == -1)
		log_error(w->ix->path, NULL);
}

/* What was not read is as it was. */
static void
put_trust(struct work *w)
{
	const struct scan *s = &w->first;
	struct trust t = w->ix->trust;

	t.trusted &= ~w->dirs;
	if ((w->dirs & SCAN_NEW) != 0)
		t.new_ns = s->new_ns;
	if ((w->dirs & SCAN_CUR) != 0)
		t.cur_ns = s->cur_ns;
	if (scan_is_old(s->new_ns, w->at_ns))
		t.trusted |= w->dirs & SCAN_NEW;
	if (scan_is_old(s->cur_ns, w->at_ns))
		t.trusted |= w->dirs & SCAN_CUR;
	if (w->incomplete)
		t = (struct trust){ .new_ns = -1, .cur_ns = -1 };
	index_put_trust(w->ix, &t);
}

/*
 * Of one directory alone: a file that is new there may be known from the
 * other one.
 */
static bool
is_enough(const struct work *w)
{
	const struct index *ix = w->ix;

	if (w->dirs == SCAN_ALL)
		return true;
	for (size_t k = 0; k < w->nfound && w->nfound <= LOOK_UP_MAX; k++) {
		struct span base = scan_base(&w->first, w->found[k]);

		for (size_t i = 0; i < ix->n; i++) {
			const struct entry *e = &ix->entry[i];

			if (!e->msg.gone && e->len >= base.n &&
			    span_eq(index_base(ix, e), base))
				return false;
		}
	}
	return w->nfound <= LOOK_UP_MAX;
}

/*
 * Where the clock was set back, what is changed now looks older than what
 * was there before: an mtime that is yet to come would never be trusted.
 */
static void
bring_to_now(const struct work *w)
{
	int64_t new_ns, cur_ns;

	if (scan_mtimes(w->ix->fd, &new_ns, &cur_ns) == -1)
		return; /* so will be the look at them */
	if ((scan_is_future(new_ns, w->at_ns) &&
		utimensat(w->ix->fd, "new", NULL, 0) == -1) ||
	    (scan_is_future(cur_ns, w->at_ns) &&
		utimensat(w->ix->fd, "cur", NULL, 0) == -1))
		return; /* not ours: read whenever somebody asks */
}

/* 1: both directories must be read.  0, or -1 and errno. */
static int
look(struct work *w)
{
	w->at_ns = fs_clock_ns(w->ix->lock_fd);
	bring_to_now(w);
	if (scan_read(&w->first, w->ix->fd, w->dirs) == -1)
		return -1;
	list_known(w);
	for (size_t i = 0; i < w->first.ntwins; i++)
		part_twin(w, &w->first.twin[i]);
	if (merge(w) == -1)
		return -1;
	if (!is_enough(w))
		return 1;
	if (put_found(w) == -1)
		return -1;
	put_gone(w);
	put_trust(w);
	return index_commit(w->ix);
}

static int
look_at(struct index *ix, unsigned dirs)
{
	struct work w = { .ix = ix, .dirs = dirs };
	int r = look(&w), err = errno;

	if (r != 0)
		buf_clear(&ix->out);
	scan_free(&w.first);
	scan_free(&w.again);
	free(w.known);
	free(w.found);
	errno = err;
	return r;
}

int
index_scan(struct index *ix, bool believe)
{
	unsigned dirs = believe ? 0 : SCAN_ALL & ~index_trusted(ix);
	int64_t new_ns, cur_ns;
	int r;

	if (scan_mtimes(ix->fd, &new_ns, &cur_ns) == -1)
		return -1;
	if (new_ns != ix->trust.new_ns)
		dirs |= SCAN_NEW;
	if (cur_ns != ix->trust.cur_ns)
		dirs |= SCAN_CUR;
	if (dirs == 0)
		return 0;
	r = look_at(ix, dirs);
	return r == 1 ? look_at(ix, SCAN_ALL) : r;
}
