/* repair: what check finds; rebuild: the index, and all facts, anew. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examine.h"
#include "store/le.h"
#include "store/mdname.h"
#include "store/view.h"

/* The base with its sizes as they are; what else is in it stays. */
static size_t
right_base(struct span base, const struct examined *x, char *to, size_t size)
{
	struct buf b;
	struct span part;
	size_t n = 0;

	buf_init(&b, size - 1);
	while (base.n > 0) {
		part = span_cut(&base, ',');
		if (b.n > 0)
			buf_putc(&b, ',');
		if (b.n > 0 && span_starts(part, "S="))
			buf_printf(&b, "S=%llu", (unsigned long long)x->size);
		else if (b.n > 0 && span_starts(part, "W="))
			buf_printf(&b, "W=%llu", (unsigned long long)x->wire);
		else
			buf_put(&b, part);
	}
	if (!b.over && span_cstr(buf_span(&b), to, size))
		n = b.n;
	buf_free(&b);
	return n;
}

/* Under the lock: another name for the file, and the same UID. */
static int
rename_file(struct folder *f, size_t i, const struct examined *x)
{
	struct index *ix = &f->ix;
	struct entry *e = &ix->entry[i];
	char from[512], to[512], base[MDNAME_MAX + 1];
	struct mdname m;
	size_t n;

	index_file(ix, e, from);
	m = mdname_parse(span_of(from + 4));
	if (right_base(m.base, x, base, sizeof(base)) == 0)
		return 0;
	memcpy(to, from, 4);
	n = from[0] == 'n'
	    ? (size_t)snprintf(to + 4, sizeof(to) - 4, "%s", base)
	    : mdname_make(to + 4, span_of(base), m.flags, m.passed, m.extra);
	if (n == 0 || n > MDNAME_MAX)
		return 0;
	if (renameat(ix->fd, from, ix->fd, to) == -1)
		return errno == ENOENT ? 0 : -1;
	index_put_moved(
	    ix, e->msg.uid, (struct span){ to + 4, n }, from[0] == 'n', 0);
	index_put_own_change(ix, SCAN_ALL);
	return index_commit(ix);
}

static void
remake_facts(struct folder *f, size_t i, unsigned wrong)
{
	struct digest g;

	if ((wrong & EXAMINE_HEAD) != 0)
		folder_fact_forget(f, i, FACT_HEAD);
	if ((wrong & EXAMINE_BODY) != 0)
		folder_fact_forget(f, i, FACT_BODY);
	if (folder_digest(f, i, DIGEST_HEAD | DIGEST_BODY, &g) == -1 &&
	    errno != ENOENT)
		failed("facts");
}

static void
mend(const char *name, struct folder *f, size_t i)
{
	struct examined x;
	unsigned wrong = examine(f, i, &x);

	if (wrong == 0 || wrong == EXAMINE_GONE)
		return;
	say(name, "mend", "UID %lu, %s", (unsigned long)f->ix.entry[i].msg.uid,
	    x.file);
	if ((wrong & EXAMINE_UNREAD) != 0) {
		failed(x.file);
		return;
	}
	if ((wrong & EXAMINE_SIZE) != 0)
		view_learnt(f, i, x.wire, 0);
	if ((wrong & (EXAMINE_HEAD | EXAMINE_BODY)) != 0)
		remake_facts(f, i, wrong);
	if ((wrong & (EXAMINE_S | EXAMINE_W)) == 0)
		return;
	if (view_lock(f, false) == -1) {
		failed(name);
		return;
	}
	if (!f->ix.entry[i].msg.gone && rename_file(f, i, &x) == -1)
		failed(x.file);
	index_unlock(&f->ix);
}

static struct folder *
open_box(const char *name, const char *path)
{
	struct folder *f;

	if (folder_open(&f, path, true) == 0)
		return f;
	failed(name);
	return NULL;
}

/* Under the lock: they are nowhere, so that they are made again. */
static int
drop_texts(struct folder *f)
{
	struct index *ix = &f->ix;
	struct index_list l;

	index_list_begin(ix, &l, RECORD_FACTS, 0);
	for (size_t i = 0; i < ix->n; i++) {
		struct entry *e = &ix->entry[i];

		if (e->msg.gone || examine_cache(f, i) == 0)
			continue;
		for (unsigned k = 0; k < ENTRY_FACTS; k++) {
			index_list_item(ix, &l, e->msg.uid);
			le_put(&ix->out, 1, k);
			le_put(&ix->out, 4, 0);
		}
	}
	index_list_end(ix, &l);
	return index_commit(ix);
}

/* What the cache does not have where the index says it has. */
static void
mend_cache(const char *name, struct folder *f)
{
	size_t lost = 0;

	for (size_t i = 0; i < folder_count(f); i++)
		lost += examine_cache(f, i);
	if (lost == 0)
		return;
	say(name, "mend", "%zu texts of pneu.cache", lost);
	if (view_lock(f, false) == -1) {
		failed(name);
		return;
	}
	if (drop_texts(f) == -1)
		failed(name);
	index_unlock(&f->ix);
}

static void
repair_box(const char *name, const char *path)
{
	struct folder *f = open_box(name, path);

	if (f == NULL)
		return;
	mend_cache(name, f);
	for (size_t i = 0; i < folder_count(f); i++)
		mend(name, f, i);
	folder_close(f);
}

int
repair_main(int argc, char **argv)
{
	char text[160];

	verb_options(argc, argv, "v");
	open_maildir(false);
	each_box(argv + optind, repair_box);
	if (argv[optind] == NULL && examine_maildirsize(text, sizeof(text))) {
		say("maildirsize", "count", "%s", text);
		if (unlinkat(boxes.fd, "maildirsize", 0) == -1 &&
		    errno != ENOENT)
			failed("maildirsize");
	}
	return status;
}

/* The file of facts goes, the directories are read, the snapshot is new. */
static int
begin_again(struct folder *f)
{
	int r;

	if (index_lock(&f->ix) == -1)
		return -1;
	r = unlinkat(f->ix.fd, "pneu.cache", 0);
	if (r == -1 && errno == ENOENT)
		r = 0;
	f->ix.trust = (struct trust){ .new_ns = -1, .cur_ns = -1 };
	if (r == 0)
		r = index_scan(&f->ix, false);
	if (r == 0)
		r = index_compact(&f->ix);
	index_unlock(&f->ix);
	return r;
}

static void
rebuild_box(const char *name, const char *path)
{
	struct folder *f = open_box(name, path);
	struct digest g;

	if (f == NULL)
		return;
	if (begin_again(f) == -1) {
		failed(name);
		folder_close(f);
		return;
	}
	folder_close(f);
	if ((f = open_box(name, path)) == NULL)
		return;
	for (size_t i = 0; i < folder_count(f); i++)
		if (folder_digest(f, i, DIGEST_HEAD | DIGEST_BODY | FOLDER_SIZE,
			&g) == -1 &&
		    errno != ENOENT)
			failed(name);
	say(name, "rebuild", "UIDVALIDITY %lu, %zu messages",
	    (unsigned long)folder_uidvalidity(f), folder_count(f));
	folder_close(f);
}

int
rebuild_main(int argc, char **argv)
{
	verb_options(argc, argv, "v");
	open_maildir(false);
	each_box(argv + optind, rebuild_box);
	return status;
}
