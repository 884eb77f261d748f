#include "store/append.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/grow.h"
#include "base/limits.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/quota.h"
#include "store/view.h"

/* A message that is whole, in tmp/ or already in cur/. */
struct appended {
	char *tmp; /* below tmp/ */
	uint64_t size, wire;
	int64_t date;
	uint16_t flags;
	const char *keywords; /* names, behind tmp */
	uint64_t mask;        /* the same by number */
	bool placed;
	struct buf head, body; /* facts */
};

struct append_index {
	struct index ix;
	struct cache cache;
};

static struct digester digester;

static void
flush_facts(struct append_index *x)
{
	if (x->cache.n == 0 || index_lock(&x->ix) == -1)
		return;
	view_flush_facts(&x->ix, &x->cache);
	index_unlock(&x->ix);
}

static void
forget(struct folder_append *a)
{
	int err = errno;

	if (a->index != NULL) {
		flush_facts(a->index);
		cache_close(&a->index->cache);
		index_close(&a->index->ix);
		free(a->index);
	}
	a->index = NULL;
	if (a->begun)
		maildir_close(&a->md);
	a->begun = false;
	a->own = NULL;
	errno = err;
}

static void
clear(struct folder_append *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->msg[i].tmp);
		buf_free(&a->msg[i].head);
		buf_free(&a->msg[i].body);
	}
	a->n = a->held = 0;
	a->bytes = a->facts = 0;
	a->committed = false;
}

int
folder_append_begin(
    struct folder_append *a, const char *path, struct folder *own)
{
	clear(a);
	if (a->begun && strcmp(a->md.path, path) == 0 &&
	    fs_is_at(a->md.fd, path)) {
		a->own = own;
		return 0;
	}
	forget(a);
	if (maildir_open(&a->md, path, false) == -1)
		return -1;
	a->begun = true;
	a->own = own;
	return 0;
}

int
folder_append_create(struct folder_append *a)
{
	if (maildir_create(&a->md, &a->file) == -1)
		return -1;
	maildir_digest(&a->file, &digester);
	a->writing = true;
	return 0;
}

void
folder_append_drop(struct folder_append *a)
{
	if (a->writing)
		maildir_abort(&a->file);
	a->writing = false;
}

/* Behind the last byte: the time of the file is part of the message. */
static int
finish_file(struct maildir_file *f, int64_t *date)
{
	struct stat st;

	if (f->wire.after_line)
		maildir_write(f, SPAN("\n"));
	if (*date != 0 &&
	    (out_flush(&f->out) == -1 || fs_touch(f->fd, *date) == -1))
		return -1;
	if (maildir_sync(f) == -1 || fstat(f->fd, &st) == -1)
		return -1;
	*date = (int64_t)st.st_mtime;
	return 0;
}

/* What more messages have than one write takes is found out later. */
static void
take_facts(struct folder_append *a, struct appended *m)
{
	a->facts += a->file.head.n + a->file.body.n;
	if (a->facts > CACHE_PENDING_MAX)
		return;
	m->head = a->file.head;
	m->body = a->file.body;
	buf_init(&a->file.head, 0);
	buf_init(&a->file.body, 0);
}

int
folder_append_done(
    struct folder_append *a, uint16_t flags, struct span keywords, int64_t date)
{
	size_t len = strlen(a->file.tmp) + 1;
	size_t held = sizeof(*a->msg) + len + keywords.n + 1;
	struct appended *m;

	if (a->held + held > LIMIT_APPEND) {
		errno = E2BIG;
		return -1;
	}
	if (finish_file(&a->file, &date) == -1)
		return -1;
	a->msg = grow_array(a->msg, a->n, &a->cap, sizeof(*a->msg));
	m = &a->msg[a->n];
	*m = (struct appended){ .size = a->file.size,
		.wire = a->file.wire.size,
		.date = date,
		.flags = flags & FLAG_ALL };
	m->tmp = die_calloc(len + keywords.n + 1, 1);
	memcpy(m->tmp, a->file.tmp, len);
	if (keywords.n > 0)
		memcpy(m->tmp + len, keywords.p, keywords.n);
	m->keywords = m->tmp + len;
	take_facts(a, m);
	a->n++;
	a->held += held;
	a->bytes += m->wire;
	maildir_done(&a->file);
	a->writing = false;
	return 0;
}

/* Its name below the folder, of 512 bytes: cur/BASE,S=..,W=..:2,LETTERS */
static size_t
final_name(const struct appended *m, char *to)
{
	char base[MAILDIR_NAME + 64];

	snprintf(base, sizeof(base), "%s,S=%llu,W=%llu", m->tmp,
	    (unsigned long long)m->size, (unsigned long long)m->wire);
	memcpy(to, "cur/", 4);
	return mdname_make(
	    to + 4, span_of(base), m->flags, (m->mask & 1) != 0, "");
}

static int
place(struct index *ix, struct appended *m, uint32_t uid)
{
	struct index_new new = { .uid = uid, .fresh = true };
	char from[MAILDIR_NAME + 8], to[512];
	size_t len = final_name(m, to);

	if (len == 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(from, sizeof(from), "tmp/%s", m->tmp);
	if (renameat(ix->fd, from, ix->fd, to) == -1)
		return -1;
	m->placed = true;
	new.file = (struct span){ to + 4, len };
	new.keywords = m->mask;
	new.modseq = ix->modseq + 1;
	new.date = m->date;
	new.size = m->wire;
	index_put_new(ix, &new);
	return 0;
}

/*
 * The journal is synced before the directory: where one transaction holds
 * both, the second has nothing left to do.  A UID whose file a power cut
 * takes away between the two is used up, and nobody was told of it.
 */
static int
place_all(struct folder_append *a, struct index *ix, uint32_t *uid)
{
	*uid = ix->uidnext;
	if (a->n > UINT32_MAX - 1 - ix->uidnext) {
		errno = EOVERFLOW;
		return -1;
	}
	for (size_t i = 0; i < a->n; i++)
		a->msg[i].mask = view_keywords(ix, span_of(a->msg[i].keywords));
	for (size_t i = 0; i < a->n; i++)
		if (place(ix, &a->msg[i], *uid + (uint32_t)i) == -1) {
			buf_clear(&ix->out);
			return -1;
		}
	index_put_own_change(ix, SCAN_CUR);
	if (index_commit(ix) == -1 || index_sync(ix) == -1)
		return -1;
	return maildir_sync_dir(&a->md, true);
}

/* For the next session that asks; nothing is lost with them. */
static void
put_facts(struct folder_append *a, struct index *ix, uint32_t uid)
{
	struct cache *c = a->own != NULL && ix == &a->own->ix
	    ? &a->own->cache
	    : &a->index->cache;

	for (size_t i = 0; i < a->n; i++, uid++) {
		struct appended *m = &a->msg[i];
		bool full = false;

		if (m->head.n > 0)
			full = cache_put(c, uid, FACT_HEAD, buf_span(&m->head));
		if (m->body.n > 0)
			full = cache_put(c, uid, FACT_BODY, buf_span(&m->body));
		if (full)
			view_flush_facts(ix, c);
	}
	if (c->n > 0)
		view_flush_facts(ix, c);
}

static int
commit_to(struct folder_append *a, struct index *ix, uint32_t *uidvalidity,
    uint32_t *uid)
{
	int r;

	if (index_lock(ix) == -1)
		return -1;
	r = index_scan(ix, true);
	if (r == 0)
		r = place_all(a, ix, uid);
	if (r == 0)
		put_facts(a, ix, *uid);
	*uidvalidity = ix->uidvalidity;
	index_unlock(ix);
	return r;
}

/* The index of the target: of the session's own folder, or ours. */
static struct index *
target(struct folder_append *a)
{
	if (a->own != NULL && !a->own->ix.reset && !a->own->ix.unkept) {
		a->own->waiting = false;
		return &a->own->ix;
	}
	if (a->index != NULL)
		return &a->index->ix;
	a->index = die_calloc(1, sizeof(*a->index));
	a->index->cache.fd = -1;
	if (index_open(&a->index->ix, a->md.path) == -1) {
		free(a->index);
		a->index = NULL;
		return NULL;
	}
	return &a->index->ix;
}

int
folder_append_commit(
    struct folder_append *a, uint32_t *uidvalidity, uint32_t *uid)
{
	struct index *ix = target(a);
	uint64_t size = 0;

	if (ix == NULL || commit_to(a, ix, uidvalidity, uid) == -1) {
		folder_append_abort(a);
		return -1;
	}
	for (size_t i = 0; i < a->n; i++)
		size += a->msg[i].size;
	quota_add(a->md.path, (int64_t)size, (int64_t)a->n);
	a->committed = true;
	return 0;
}

void
folder_append_flags(const struct folder_append *a, size_t i, uint16_t *flags,
    struct span *keywords)
{
	*flags = a->msg[i].flags;
	*keywords = span_of(a->msg[i].keywords);
}

void
folder_append_abort(struct folder_append *a)
{
	char path[512];
	int err = errno;

	folder_append_drop(a);
	for (size_t i = 0; i < a->n && !a->committed; i++) {
		const struct appended *m = &a->msg[i];

		snprintf(path, sizeof(path), "tmp/%s", m->tmp);
		if (m->placed)
			final_name(m, path);
		unlinkat(a->md.fd, path, 0);
	}
	clear(a);
	errno = err;
}

void
folder_append_close(struct folder_append *a)
{
	folder_append_abort(a);
	forget(a);
	free(a->msg);
	a->msg = NULL;
	a->cap = 0;
}
