#include "store/bring.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/grow.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/quota.h"
#include "store/view.h"

struct bring_item {
	char tmp[MAILDIR_NAME];
	char base[MDNAME_MAX + 1];
	uint64_t bytes; /* of the file */
	uint64_t size, mask;
	int64_t date;
	uint32_t uid;
	uint16_t flags;
	char *keywords;
	bool placed;
	struct buf head, body; /* facts */
};

static struct digester digester;

int
bring_open(struct bring *b, const char *path)
{
	*b = (struct bring){ 0 };
	if (maildir_open(&b->md, path, false) == -1)
		return -1;
	b->index = die_calloc(1, sizeof(*b->index));
	b->cache = die_calloc(1, sizeof(*b->cache));
	b->cache->fd = -1;
	if (index_open(b->index, path) == 0) {
		if (scan_read(&b->have, b->md.fd, SCAN_ALL) == 0)
			return 0;
		index_close(b->index);
	}
	free(b->index);
	free(b->cache);
	b->index = NULL;
	b->cache = NULL;
	maildir_close(&b->md);
	return -1;
}

static void
forget(struct bring *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->item[i].keywords);
		buf_free(&b->item[i].head);
		buf_free(&b->item[i].body);
	}
	b->n = b->facts = 0;
	b->bytes = 0;
}

/* cur/BASE:2,LETTERS into to of 512 bytes; its length, 0 if too long. */
static size_t
final_name(const struct bring_item *it, char *to)
{
	memcpy(to, "cur/", 4);
	return mdname_make(
	    to + 4, span_of(it->base), it->flags, (it->mask & 1) != 0, "");
}

/* Take back what was not committed; keeps errno. */
static void
undo(struct bring *b)
{
	char path[512];
	int err = errno;

	for (size_t i = 0; i < b->n; i++) {
		snprintf(path, sizeof(path), "tmp/%s", b->item[i].tmp);
		if (b->item[i].placed)
			final_name(&b->item[i], path);
		unlinkat(b->md.fd, path, 0);
	}
	forget(b);
	errno = err;
}

void
bring_close(struct bring *b)
{
	bring_drop(b);
	undo(b);
	if (b->index != NULL) {
		cache_close(b->cache);
		free(b->cache);
		index_close(b->index);
		free(b->index);
		maildir_close(&b->md);
	}
	scan_free(&b->have);
	free(b->item);
	*b = (struct bring){ 0 };
}

bool
bring_has(const struct bring *b, struct span base)
{
	char with[MDNAME_MAX + 2];
	size_t i = scan_lower(&b->have, base);

	if (i < b->have.n && span_eq(scan_base(&b->have, i), base))
		return true;
	/* it may have sizes behind it */
	if (snprintf(with, sizeof(with), "%.*s,", (int)base.n, base.p) >=
	    (int)sizeof(with))
		return false;
	i = scan_lower(&b->have, span_of(with));
	return i < b->have.n && span_starts(scan_base(&b->have, i), with);
}

int
bring_create(struct bring *b)
{
	if (maildir_create(&b->md, &b->file) == -1)
		return -1;
	maildir_digest(&b->file, &digester);
	b->writing = true;
	return 0;
}

void
bring_drop(struct bring *b)
{
	if (b->writing)
		maildir_abort(&b->file);
	b->writing = false;
}

int
bring_done(struct bring *b, const struct bring_msg *m)
{
	struct bring_item *it;
	struct stat st;
	int n;

	if (maildir_sync(&b->file) == -1 || fstat(b->file.fd, &st) == -1 ||
	    (m->date != 0 && fs_touch(b->file.fd, m->date) == -1))
		return -1;
	b->item = grow_array(b->item, b->n, &b->cap, sizeof(*b->item));
	it = &b->item[b->n];
	*it = (struct bring_item){ .size = b->file.wire.size,
		.bytes = b->file.size,
		.date = m->date != 0 ? m->date : (int64_t)st.st_mtime,
		.uid = m->uid <= BRING_UID_MAX ? m->uid : 0,
		.flags = m->flags & FLAG_ALL };
	snprintf(it->tmp, sizeof(it->tmp), "%s", b->file.tmp);
	n = snprintf(it->base, sizeof(it->base), "%s,S=%llu,W=%llu",
	    m->base != NULL ? m->base : b->file.tmp,
	    (unsigned long long)b->file.size,
	    (unsigned long long)b->file.wire.size);
	if (n >= (int)sizeof(it->base)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	it->keywords = die_calloc(m->keywords.n + 1, 1);
	if (!span_cstr(m->keywords, it->keywords, m->keywords.n + 1))
		it->keywords[0] = '\0';
	it->head = b->file.head;
	it->body = b->file.body;
	buf_init(&b->file.head, 0);
	buf_init(&b->file.body, 0);
	b->facts += it->head.n + it->body.n;
	b->bytes += it->bytes;
	b->n++;
	maildir_done(&b->file);
	b->writing = false;
	return 0;
}

static int
place(struct bring *b, struct bring_item *it, uint32_t *next)
{
	struct index *ix = b->index;
	struct index_new new = { .fresh = true };
	char from[MAILDIR_NAME + 8], to[512];
	size_t len = final_name(it, to);
	struct stat st;

	if (len == 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(from, sizeof(from), "tmp/%s", it->tmp);
	if (fstatat(ix->fd, to, &st, 0) == 0) {
		errno = EEXIST;
		return -1;
	}
	if (renameat(ix->fd, from, ix->fd, to) == -1)
		return -1;
	it->placed = true;
	if (it->uid != 0 && it->uid < *next)
		b->moved++;
	new.uid = it->uid > *next ? it->uid : *next;
	it->uid = new.uid;
	*next = new.uid + 1;
	new.file = (struct span){ to + 4, len };
	new.keywords = it->mask;
	new.modseq = ix->modseq + 1;
	new.date = it->date;
	new.size = it->size;
	index_put_new(ix, &new);
	return 0;
}

static int
place_all(struct bring *b)
{
	struct index *ix = b->index;
	uint32_t next = ix->uidnext;
	int r = 0;

	if (b->n > UINT32_MAX - 1 - next) {
		errno = EOVERFLOW;
		return -1;
	}
	for (size_t i = 0; i < b->n; i++)
		b->item[i].mask =
		    view_keywords(ix, span_of(b->item[i].keywords));
	for (size_t i = 0; i < b->n && r == 0; i++)
		r = place(b, &b->item[i], &next);
	if (r == 0)
		r = fs_sync_dir(ix->fd, "cur");
	if (r == -1) {
		buf_clear(&ix->out);
		return -1;
	}
	index_put_own_change(ix, SCAN_CUR);
	return index_commit(ix) == 0 ? index_sync(ix) : -1;
}

/* For the client that asks first; nothing is lost with them. */
static void
put_facts(struct bring *b)
{
	struct cache *c = b->cache;

	for (size_t i = 0; i < b->n; i++) {
		const struct bring_item *it = &b->item[i];
		bool full = false;

		if (it->head.n > 0)
			full = cache_put(
			    c, it->uid, FACT_HEAD, buf_span(&it->head));
		if (it->body.n > 0)
			full = cache_put(
			    c, it->uid, FACT_BODY, buf_span(&it->body));
		if (full)
			view_flush_facts(b->index, c);
	}
	view_flush_facts(b->index, c);
}

int
bring_commit(struct bring *b, uint32_t *uidvalidity)
{
	struct index *ix = b->index;
	int r = index_lock(ix);

	if (r == 0) {
		r = index_scan(ix, true);
		if (r == 0 && b->n > 0)
			r = place_all(b);
		if (r == 0)
			put_facts(b);
		*uidvalidity = ix->uidvalidity;
		index_unlock(ix);
	}
	if (r == -1) {
		undo(b);
		return -1;
	}
	if (b->n > 0)
		quota_add(b->md.path, (int64_t)b->bytes, (int64_t)b->n);
	forget(b);
	return 0;
}
