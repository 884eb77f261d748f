/* The facts of a folder: kept in its cache, or found out from the file. */
#include <errno.h>
#include <limits.h>

#include "base/die.h"
#include "io/fs.h"
#include "mail/wire.h"
#include "store/folder.h"
#include "store/le.h"
#include "store/mdname.h"
#include "store/view.h"

enum {
	HEAD_READ = 4096, /* a page: holds the header of most */
	EXPECT = 3        /* messages whose facts will be wanted next */
};

static const struct encword_charset *charsets;

void
folder_charsets(const struct encword_charset *cs)
{
	charsets = cs;
}

bool
folder_fact_get(
    struct folder *f, size_t i, enum folder_fact kind, struct span *text)
{
	const struct entry *e = &f->ix.entry[i];
	struct cache_ref r = { e->msg.uid, kind, e->fact[kind] };

	if (i + EXPECT < f->ix.n) /* most go through a mailbox upwards */
		cache_expect(&f->cache, e[EXPECT].fact[kind]);
	return cache_get(&f->cache, f->ix.fd, f->ix.uidvalidity, r, text);
}

/* Tell the journal where these are; entries learn it from there. */
static void
put_places(struct index *ix, const struct cache_ref *r, size_t n)
{
	struct index_list l;

	if (n == 0)
		return;
	index_list_begin(ix, &l, RECORD_FACTS, 0);
	for (size_t i = 0; i < n; i++) {
		index_list_item(ix, &l, r[i].uid);
		le_put(&ix->out, 1, r[i].kind);
		le_put(&ix->out, 4, r[i].at);
	}
	index_list_end(ix, &l);
	if (index_commit(ix) == -1)
		return; /* found out again another time */
}

/* Much of the file is about messages that are no more. */
static void
trim(struct index *ix, struct cache *c)
{
	struct cache_ref *r = calloc(ix->n * ENTRY_FACTS + 1, sizeof(*r));
	size_t n = 0;

	c->grown = false;
	if (r == NULL)
		die_memory();
	for (uint32_t k = 0; k < ENTRY_FACTS; k++) /* as they are read */
		for (size_t i = 0; i < ix->n; i++)
			if (!ix->entry[i].msg.gone && ix->entry[i].fact[k] > 0)
				r[n++] =
				    (struct cache_ref){ ix->entry[i].msg.uid, k,
					    ix->entry[i].fact[k] };
	if (cache_is_old(c, r, n) &&
	    cache_trim(c, ix->fd, ix->uidvalidity, r, n))
		put_places(ix, r, n);
	free(r);
}

void
view_flush_facts(struct index *ix, struct cache *c)
{
	if (c->n == 0)
		return;
	if (ix->unkept) {
		cache_clear(c);
		return;
	}
	cache_flush(c, ix->fd, ix->uidvalidity);
	put_places(ix, c->ref, c->n);
	cache_clear(c);
	if (c->grown)
		trim(ix, c);
}

void
folder_fact_put(
    struct folder *f, size_t i, enum folder_fact kind, struct span text)
{
	if (!cache_put(&f->cache, f->ix.entry[i].msg.uid, kind, text))
		return;
	if (index_lock(&f->ix) == -1) {
		cache_clear(&f->cache);
		return;
	}
	view_flush_facts(&f->ix, &f->cache);
	index_unlock(&f->ix);
}

void
folder_fact_forget(struct folder *f, size_t i, enum folder_fact kind)
{
	f->ix.entry[i].fact[kind] = 0;
}

static void
keep(struct folder *f, size_t i, enum folder_fact kind, const struct digest *g,
    unsigned what)
{
	static struct buf b = { .max = LIMIT_DIGEST_KEPT };

	buf_clear(&b);
	if (digest_put(&b, g, what, LIMIT_DIGEST_KEPT))
		folder_fact_put(f, i, kind, buf_span(&b));
}

/* Read as much of the file as is wanted.  0, or -1 and errno. */
static int
read_file(
    struct view_reader *r, unsigned want, struct digester *d, struct digest *g)
{
	static char buf[65536];
	struct wire w = { 0 };
	bool body = (want & DIGEST_BODY) != 0, size = (want & FOLDER_SIZE) != 0;
	size_t most = body || size ? sizeof(buf) : HEAD_READ;
	bool more = true;
	ssize_t n = 0;

	d->charsets = charsets;
	digester_begin(d, body ? DIGEST_HEAD | DIGEST_BODY : DIGEST_HEAD);
	while ((body || size || more) &&
	    (n = view_reader_next(r, buf, most)) > 0) {
		struct span s = { buf, (size_t)n };

		if (size && !body)
			wire_count(&w, s);
		if (more)
			more = digester_feed(d, s);
	}
	digester_end(d, g);
	if (size && !body) {
		wire_end(&w, true);
		g->size = w.size;
	}
	return n == -1 ? -1 : 0;
}

/* What is missing in *g of what is wanted. */
static unsigned
from_facts(struct folder *f, size_t i, unsigned want, struct digest *g)
{
	unsigned missing = want, unmaps = f->cache.unmaps;
	struct span text;

	g->size = f->ix.entry[i].msg.size;
	if (g->size > 0)
		missing &= ~(unsigned)FOLDER_SIZE;
	if ((want & DIGEST_HEAD) != 0 &&
	    folder_fact_get(f, i, FACT_HEAD, &text) &&
	    digest_get(text, DIGEST_HEAD, g))
		missing &= ~(unsigned)DIGEST_HEAD;
	if ((want & DIGEST_BODY) != 0 &&
	    folder_fact_get(f, i, FACT_BODY, &text) &&
	    digest_get(text, DIGEST_BODY, g) &&
	    !(g->foreign && charsets != NULL))
		missing &= ~(unsigned)DIGEST_BODY;
	if (want == DIGEST_HEAD || want == DIGEST_BODY ||
	    unmaps == f->cache.unmaps)
		return missing;
	return UINT_MAX; /* the first may be where nothing is now */
}

static void
recount(struct folder *f, size_t i, uint64_t *size)
{
	int fd = view_open_file(f, i);

	if (fd == -1 || folder_measure(f, i, fd, false, size) == -1)
		*size = f->ix.entry[i].msg.size; /* its sender asks again */
	fs_close(fd);
}

/*
 * What was known of its size, beside the file that was read: to its end, if
 * `whole`, else the number of its bytes tells.
 */
static void
verify(struct folder *f, size_t i, struct view_reader *r, bool whole,
    struct digest *g)
{
	const struct entry *e = &f->ix.entry[i];
	struct mdname m;
	uint64_t size;

	if (whole) {
		folder_measured(f, i, g->size);
		return;
	}
	if ((e->bits & (ENTRY_NAMED | ENTRY_MEASURED)) != ENTRY_NAMED ||
	    view_reader_size(r, &size) == -1)
		return;
	m = mdname_parse(index_name(&f->ix, e));
	if (m.s != size)
		recount(f, i, &g->size);
}

/* Learn it from the file.  0, or -1 and errno. */
static int
find_out(struct folder *f, size_t i, unsigned want, unsigned missing,
    struct digest *g)
{
	static struct digester d;
	struct view_reader reader;
	uint64_t size = g->size;
	bool whole;
	int r;

	if ((missing & FOLDER_SIZE) == 0)
		want &= ~(unsigned)FOLDER_SIZE;
	whole = (want & (DIGEST_BODY | FOLDER_SIZE)) != 0;
	if (view_reader_open(&reader, f, i, whole, missing) == -1)
		return -1;
	r = read_file(&reader, want, &d, g);
	if (!whole)
		g->size = size; /* the end was not seen */
	if (r == 0)
		verify(f, i, &reader, whole, g);
	view_reader_close(&reader);
	if (r == -1)
		return -1;
	if ((missing & DIGEST_HEAD) != 0 || f->ix.entry[i].fact[FACT_HEAD] == 0)
		keep(f, i, FACT_HEAD, g, DIGEST_HEAD);
	if ((missing & DIGEST_BODY) != 0)
		keep(f, i, FACT_BODY, g, DIGEST_BODY);
	return 0;
}

int
folder_digest(struct folder *f, size_t i, unsigned want, struct digest *g)
{
	unsigned missing;

	*g = (struct digest){ 0 };
	missing = from_facts(f, i, want, g);
	if (missing == UINT_MAX)
		missing = from_facts(f, i, want, g);
	if (missing == 0)
		return 0;
	if (missing == FOLDER_SIZE)
		return folder_size(f, i, &g->size);
	return find_out(f, i, want, missing, g);
}

bool
folder_preview(struct folder *f, size_t i, struct span *text)
{
	struct digest g = { 0 };
	struct span s;

	if (!folder_fact_get(f, i, FACT_BODY, &s) ||
	    !digest_get(s, DIGEST_BODY, &g) || g.foreign)
		return false;
	*text = g.preview;
	return true;
}
