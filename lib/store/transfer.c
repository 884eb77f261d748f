#include "store/transfer.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "store/gzip.h"
#include "store/mdname.h"
#include "store/quota.h"

static const size_t names_max = (size_t)1 << 31;

/* What was put and not written yet: then all facts are in the file. */
static void
write_facts(struct folder *f)
{
	if (f->cache.n == 0)
		return;
	f->waiting = false;
	if (index_lock(&f->ix) == -1) {
		cache_clear(&f->cache);
		return;
	}
	view_flush_facts(&f->ix, &f->cache);
	index_unlock(&f->ix);
}

int
transfer_open(struct transfer *t, struct folder *from, const size_t *idx,
    size_t n, const char *to_path)
{
	struct stat a, b;

	*t = (struct transfer){
		.from = from, .idx = idx, .n = n, .facts.fd = -1
	};
	if (index_open(&t->other, to_path) == -1)
		return -1;
	if (fstat(from->ix.fd, &a) == -1 || fstat(t->other.fd, &b) == -1) {
		index_close(&t->other);
		return -1;
	}
	t->foreign = a.st_dev != b.st_dev || a.st_uid != b.st_uid;
	t->to = &t->other;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
		if (from->ix.unkept) {
			index_close(&t->other);
			errno = ENOSPC;
			return -1;
		}
		t->to = &from->ix;
		from->waiting = false;
	}
	write_facts(from);
	buf_init(&t->names, names_max);
	t->item = die_calloc(n + 1, sizeof(t->item[0]));
	return 0;
}

void
transfer_close(struct transfer *t)
{
	int err = errno;

	cache_close(&t->facts);
	index_close(&t->other);
	buf_free(&t->names);
	free(t->item);
	errno = err;
}

const char *
transfer_name(const struct transfer *t, size_t k)
{
	return t->names.p + t->item[k].name;
}

/* ",S=.." and ",W=.." as far as they are known, for a new base. */
static size_t
put_sizes(
    struct transfer *t, size_t k, const struct mdname *m, char *dst, size_t max)
{
	uint64_t s = m->s, w = m->w;
	uint64_t size = index_counted(&t->from->ix.entry[t->idx[k]]);
	char path[512];
	struct stat st;

	if (!m->has_s || !m->has_w || (size != 0 && size != w)) {
		if (size == 0)
			return 0;
		index_file(&t->from->ix, &t->from->ix.entry[t->idx[k]], path);
		if (fstatat(t->from->ix.fd, path, &st, 0) == -1)
			return 0;
		s = (uint64_t)st.st_size;
		w = size;
		if (gzip_is_at(t->from->ix.fd, path)) {
			if (!m->has_s)
				return 0;
			s = m->s;
		}
	}
	return (size_t)snprintf(dst, max, ",S=%llu,W=%llu",
	    (unsigned long long)s, (unsigned long long)w);
}

static int
make_name(struct transfer *t, size_t k)
{
	const struct entry *e = &t->from->ix.entry[t->idx[k]];
	struct mdname m = mdname_parse(index_name(&t->from->ix, e));
	char base[MDNAME_MAX + 1], to[MDNAME_MAX + 8] = "cur/", id[FOLDER_ID];
	size_t n;

	mdname_unique(base, sizeof(base) - 128);
	n = strlen(base);
	folder_email_id(t->from, t->idx[k], id);
	n += (size_t)snprintf(base + n, sizeof(base) - n, ",E=%s", id);
	n += put_sizes(t, k, &m, base + n, sizeof(base) - n);
	n = mdname_make(to + 4, (struct span){ base, n },
	    e->msg.flags & FLAG_ALL, (t->item[k].keywords & 1) != 0, "");
	if (n == 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	t->item[k].name = t->names.n;
	if (!buf_put(&t->names, (struct span){ to, n + 5 })) {
		errno = EFBIG;
		return -1;
	}
	return 0;
}

/* Bits of our keywords as bits of the target's, those it has room for. */
struct keyword_map {
	uint64_t done;
	int to[LIMIT_KEYWORDS];
};

static uint64_t
map_keywords(struct transfer *t, struct keyword_map *map, uint64_t keywords)
{
	uint64_t r = 0;

	if (t->to == &t->from->ix)
		return keywords;
	for (int k = 0; k < LIMIT_KEYWORDS && keywords >> k != 0; k++) {
		const char *name = folder_keyword_name(t->from, k);

		if ((keywords >> k & 1) == 0 || name == NULL)
			continue;
		if ((map->done >> k & 1) == 0)
			map->to[k] = view_keyword(t->to, span_of(name));
		map->done |= UINT64_C(1) << k;
		if (map->to[k] != -1)
			r |= UINT64_C(1) << map->to[k];
	}
	return r;
}

int
transfer_prepare(struct transfer *t)
{
	struct keyword_map map = { 0 };

	buf_clear(&t->names);
	if (t->n > UINT32_MAX - 1 - t->to->uidnext) {
		errno = EOVERFLOW;
		return -1;
	}
	for (size_t k = 0; k < t->n; k++) {
		const struct msg *m = folder_msg(t->from, t->idx[k]);

		if (m->gone) {
			errno = ENOENT;
			return -1;
		}
		t->item[k].keywords = map_keywords(t, &map, m->keywords);
		if (make_name(t, k) == -1)
			return -1;
	}
	return 0;
}

int
transfer_put_new(struct transfer *t, uint32_t *uids)
{
	for (size_t k = 0; k < t->n; k++) {
		const struct msg *m = folder_msg(t->from, t->idx[k]);
		struct index_new new = { .fresh = true,
			.modseq = t->to->modseq + 1,
			.date = m->date,
			.size = index_counted(&t->from->ix.entry[t->idx[k]]),
			.keywords = t->item[k].keywords };

		new.uid = uids[k] = t->to->uidnext + (uint32_t)k;
		new.file = span_of(transfer_name(t, k) + 4);
		index_put_new(t->to, &new);
	}
	index_put_own_change(t->to, SCAN_CUR);
	return index_commit(t->to);
}

static bool
get_fact(struct folder *f, size_t i, int kind, struct span *text)
{
	return f->ix.entry[i].fact[kind] != 0 &&
	    folder_fact_get(f, i, (enum folder_fact)kind, text);
}

void
transfer_put_facts(struct transfer *t, const uint32_t *uids)
{
	struct folder *f = t->from;
	struct cache *c = t->to == &f->ix ? &f->cache : &t->facts;
	struct span text;

	for (size_t k = 0; k < t->n; k++)
		for (int kind = 0; kind < ENTRY_FACTS; kind++)
			if (get_fact(f, t->idx[k], kind, &text) &&
			    cache_put(c, uids[k], (uint32_t)kind, text))
				view_flush_facts(t->to, c);
	view_flush_facts(t->to, c);
}

void
transfer_count(const struct transfer *t, bool removed)
{
	uint64_t bytes = 0;

	for (size_t k = 0; k < t->n; k++)
		bytes += quota_size(t->to->fd, transfer_name(t, k));
	quota_add(t->to->path, (int64_t)bytes, (int64_t)t->n);
	if (removed)
		quota_add(t->from->ix.path, -(int64_t)bytes, -(int64_t)t->n);
}
