/* Flags, keywords and removal: rename first, journal after. */
#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "store/le.h"
#include "store/mdname.h"
#include "store/quota.h"
#include "store/view.h"

/* atom, RFC 3501, section 9 */
static bool
is_keyword(struct span name)
{
	if (name.n == 0 || name.n > LIMIT_KEYWORD)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' ||
		    strchr("(){%*\"\\]", name.p[i]) != NULL)
			return false;
	return true;
}

static int
find_keyword(const struct index *ix, struct span name)
{
	for (int k = 0; k < ix->nkeywords; k++)
		if (span_iis(name, ix->keyword[k]))
			return k;
	return -1;
}

int
view_keyword(struct index *ix, struct span name)
{
	int k = find_keyword(ix, name);

	if (k != -1)
		return k;
	if (!is_keyword(name) || ix->nkeywords == LIMIT_KEYWORDS)
		return -1;
	k = ix->nkeywords;
	index_put_keyword(ix, k, name);
	return index_commit(ix) == -1 ? -1 : k;
}

uint64_t
view_keywords(struct index *ix, struct span names)
{
	uint64_t mask = 0;
	int k;

	while (names.n > 0)
		if ((k = view_keyword(ix, span_word(&names))) != -1)
			mask |= UINT64_C(1) << k;
	return mask;
}

int
folder_keyword(struct folder *f, struct span name, bool create)
{
	int k = find_keyword(&f->ix, name);

	/* others may have made it since we looked */
	if (k != -1 || !is_keyword(name) ||
	    (!create && index_quiet(&f->ix, true)))
		return k;
	if (index_lock(&f->ix) == -1)
		return -1;
	k = create ? view_keyword(&f->ix, name) : find_keyword(&f->ix, name);
	index_unlock(&f->ix);
	return k;
}

const char *
folder_keyword_name(const struct folder *f, int k)
{
	if (k < 0 || k >= f->ix.nkeywords || f->ix.keyword[k][0] == '\0')
		return NULL;
	return f->ix.keyword[k];
}

struct change {
	struct index *ix;
	enum folder_op op; /* of folder_store, with what it wants: */
	uint16_t flags;
	uint64_t keywords, unchanged_since;
	bool *failed;
	uint64_t modseq; /* of what this pass changes */
	uint64_t before; /* of what the pass before it changed; or 0 */
	struct index_list list;
	bool begun;
	bool deleted;          /* of folder_expunge: only what is \Deleted */
	unsigned dirs;         /* SCAN_*: where names were changed */
	int64_t freed, nfreed; /* bytes and messages that went */
	bool missing;          /* a file was not there under its name */
	int err;               /* and stop */
};

static void
put_item(struct change *c, enum record_type type, uint32_t uid)
{
	if (!c->begun)
		index_list_begin(c->ix, &c->list, type, c->modseq);
	c->begun = true;
	index_list_item(c->ix, &c->list, uid);
}

static int
commit(struct change *c)
{
	int r;

	if (c->begun) {
		index_list_end(c->ix, &c->list);
		c->before = c->modseq;
	}
	c->begun = false;
	if (!c->missing)
		index_put_own_change(c->ix, c->dirs);
	c->dirs = 0;
	c->ix->own = true;
	r = index_commit(c->ix);
	c->ix->own = false;
	if (r == 0 && c->err != 0) {
		errno = c->err;
		r = -1;
	}
	return r;
}

static unsigned
dir_of(const struct entry *e)
{
	return (e->bits & ENTRY_NEW) != 0 ? SCAN_NEW : SCAN_CUR;
}

/* Give the file the name of these flags, if it has another. */
static bool
rename_to(struct change *c, const struct entry *e, uint16_t flags, bool passed,
    bool *renamed)
{
	char from[512], to[512] = "cur/";
	struct mdname m;

	*renamed = false;
	if (flags == (e->msg.flags & FLAG_ALL) &&
	    passed == ((e->msg.keywords & 1) != 0))
		return true;
	m = mdname_parse(index_name(c->ix, e));
	index_file(c->ix, e, from);
	if (mdname_make(to + 4, m.base, flags, passed, m.extra) == 0) {
		c->err = ENAMETOOLONG;
		return false;
	}
	if (renameat(c->ix->fd, from, c->ix->fd, to) == -1) {
		if (errno == ENOENT)
			c->missing = true;
		else
			c->err = errno;
		return false;
	}
	*renamed = true;
	c->dirs |= SCAN_CUR | dir_of(e);
	return true;
}

/*
 * Do it to each that is there.  Those whose file was not there under its
 * name get a second pass, behind a look at the directories.
 */
static int
change_all(struct folder *f, struct change *c, const size_t *idx, size_t n,
    void (*one)(struct change *, size_t k, struct entry *))
{
	int r = 0;

	if (!f->rw) {
		errno = EROFS;
		return -1;
	}
	f->waiting = false;
	if (view_lock(f, true) == -1)
		return -1;
	c->ix = &f->ix;
	for (int pass = 0; pass < 2 && r == 0; pass++) {
		c->modseq = f->ix.modseq + 1;
		c->missing = false;
		for (size_t k = 0; k < n && c->err == 0; k++)
			if (!f->ix.entry[idx[k]].msg.gone)
				one(c, k, &f->ix.entry[idx[k]]);
		r = commit(c);
		if (r == -1 || !c->missing)
			break;
		r = view_look_again(f);
	}
	index_unlock(&f->ix);
	return r;
}

static void
store_one(struct change *c, size_t k, struct entry *e)
{
	uint16_t flags = c->flags, had = e->msg.flags & FLAG_ALL;
	uint64_t keywords = c->keywords;
	bool renamed;

	if (e->msg.modseq == c->before)
		return;
	if (e->msg.modseq > c->unchanged_since) {
		if (c->failed != NULL)
			c->failed[k] = true;
		return;
	}
	if (c->op == FOLDER_ADD) {
		flags = (uint16_t)(had | flags);
		keywords |= e->msg.keywords;
	} else if (c->op == FOLDER_REMOVE) {
		flags = (uint16_t)(had & ~flags);
		keywords = e->msg.keywords & ~keywords;
	}
	if (flags == had && keywords == e->msg.keywords)
		return;
	if (!rename_to(c, e, flags, (keywords & 1) != 0, &renamed))
		return;
	put_item(c, RECORD_FLAGS, e->msg.uid);
	le_put(&c->ix->out, 1, renamed);
	le_put(&c->ix->out, 2, flags);
	le_put(&c->ix->out, 8, keywords);
}

int
folder_store(struct folder *f, const size_t *idx, size_t n, enum folder_op op,
    uint16_t flags, uint64_t keywords, uint64_t unchanged_since, bool *failed)
{
	struct change c = { .op = op,
		.flags = flags & FLAG_ALL,
		.keywords = keywords,
		.unchanged_since = unchanged_since,
		.failed = failed };

	return change_all(f, &c, idx, n, store_one);
}

static void
expunge_one(struct change *c, size_t k, struct entry *e)
{
	char path[512];
	uint64_t size;

	(void)k;
	if (c->deleted && (e->msg.flags & FLAG_DELETED) == 0)
		return;
	index_file(c->ix, e, path);
	size = quota_size(c->ix->fd, path);
	if (unlinkat(c->ix->fd, path, 0) == -1) {
		if (errno == ENOENT)
			c->missing = true;
		else
			c->err = errno;
		return;
	}
	c->dirs |= dir_of(e);
	c->freed += (int64_t)size;
	c->nfreed++;
	put_item(c, RECORD_GONE, e->msg.uid);
}

static int
expunge(struct folder *f, const size_t *idx, size_t n, bool deleted)
{
	struct change c = { .deleted = deleted };
	int r = change_all(f, &c, idx, n, expunge_one);

	if (c.nfreed > 0)
		quota_add(f->ix.path, -c.freed, -c.nfreed);
	return r;
}

int
folder_expunge(struct folder *f, const size_t *idx, size_t n)
{
	return expunge(f, idx, n, false);
}

int
folder_expunge_deleted(struct folder *f, const size_t *idx, size_t n)
{
	return expunge(f, idx, n, true);
}
