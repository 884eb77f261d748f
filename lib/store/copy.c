/* Messages of one folder into another: COPY and MOVE. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "io/out.h"
#include "store/mdname.h"
#include "store/quota.h"
#include "store/view.h"

/* One message on its way, from the destination's tmp/ into its cur/. */
struct item {
	char base[MDNAME_MAX + 1]; /* "" when there is nothing to undo */
	bool placed;
	uint64_t size; /* of the file */
};

struct copy {
	struct folder *from;
	struct index to;
	const size_t *idx;
	size_t n;
	struct item *item;
};

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

static int
keep_date(struct copy *c, size_t k, int to)
{
	int64_t date;

	return folder_date(c->from, c->idx[k], &date) == -1
	    ? -1
	    : fs_touch(to, date);
}

/* Where no hard link can be made: another file system, another owner. */
static int
copy_file(struct copy *c, size_t k, const char *tmp)
{
	int from, to, r, err;

	if ((from = folder_open_msg(c->from, c->idx[k])) == -1)
		return -1;
	to = openat(
	    c->to.fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = to == -1 ? -1 : copy_bytes(from, to);
	if (r == 0)
		r = keep_date(c, k, to);
	err = errno;
	close(from);
	if (to != -1)
		close(to);
	errno = err;
	return r;
}

static int
link_file(struct copy *c, size_t k, const char *tmp)
{
	const struct entry *e = &c->from->ix.entry[c->idx[k]];
	char path[512];

	if (e->msg.gone) {
		errno = ENOENT;
		return -1;
	}
	index_file(&c->from->ix, e, path);
	if (linkat(c->from->ix.fd, path, c->to.fd, tmp, 0) == 0)
		return 0;
	if (errno == EEXIST || errno == ENOSPC || errno == EDQUOT)
		return -1;
	return copy_file(c, k, tmp); /* finds a file that was renamed, too */
}

/* Into tmp/, under a name of its own with the sizes that are known. */
static int
fetch(struct copy *c, size_t k)
{
	struct item *it = &c->item[k];
	uint64_t w = folder_msg(c->from, c->idx[k])->size;
	char unique[MDNAME_MAX + 1], tmp[MDNAME_MAX + 8];
	struct stat st;
	int n;

	mdname_unique(unique, sizeof(unique) - 64);
	snprintf(it->base, sizeof(it->base), "%s", unique);
	snprintf(tmp, sizeof(tmp), "tmp/%s", unique);
	if (link_file(c, k, tmp) == -1 || fstatat(c->to.fd, tmp, &st, 0) == -1)
		return -1;
	it->size = (uint64_t)st.st_size;
	if (w == 0)
		return 0;
	n = snprintf(it->base, sizeof(it->base), "%s,S=%llu,W=%llu", unique,
	    (unsigned long long)st.st_size, (unsigned long long)w);
	return n < (int)sizeof(it->base) ? 0 : -1;
}

static void
tmp_path(const struct item *it, char *dst, size_t size)
{
	snprintf(dst, size, "tmp/%.*s", (int)strcspn(it->base, ","), it->base);
}

/* The bits of our keywords in the other folder; those it can have. */
static uint64_t
map_keywords(struct copy *c, uint64_t keywords)
{
	uint64_t r = 0;
	int to;

	for (int k = 0; k < LIMIT_KEYWORDS; k++) {
		const char *name = folder_keyword_name(c->from, k);

		if ((keywords >> k & 1) == 0 || name == NULL)
			continue;
		to = view_keyword(&c->to, span_of(name));
		if (to != -1)
			r |= UINT64_C(1) << to;
	}
	return r;
}

static int
place(struct copy *c, size_t k, uint64_t keywords, uint32_t uid)
{
	const struct msg *m = folder_msg(c->from, c->idx[k]);
	struct item *it = &c->item[k];
	struct index_new new = { .uid = uid, .fresh = true };
	char tmp[512], to[512] = "cur/";
	size_t len;

	len = mdname_make(to + 4, span_of(it->base), m->flags & FLAG_ALL,
	    (keywords & 1) != 0, "");
	if (len == 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	tmp_path(it, tmp, sizeof(tmp));
	if (renameat(c->to.fd, tmp, c->to.fd, to) == -1)
		return -1;
	it->placed = true;
	new.file = (struct span){ to + 4, len };
	new.keywords = keywords;
	new.modseq = c->to.modseq + 1;
	new.date = m->date;
	new.size = m->size;
	index_put_new(&c->to, &new);
	return 0;
}

/* Take back what was done so far; keeps errno. */
static void
undo(struct copy *c)
{
	char path[512];
	int err = errno;

	for (size_t k = 0; k < c->n; k++) {
		const struct msg *m = folder_msg(c->from, c->idx[k]);
		struct item *it = &c->item[k];

		if (it->base[0] == '\0')
			continue;
		tmp_path(it, path, sizeof(path));
		if (it->placed) {
			memcpy(path, "cur/", 4);
			mdname_make(path + 4, span_of(it->base),
			    m->flags & FLAG_ALL, (m->keywords & 1) != 0, "");
		}
		unlinkat(c->to.fd, path, 0);
	}
	buf_clear(&c->to.out);
	errno = err;
}

/* Under the lock of the destination: all get their UIDs together. */
static int
place_all(struct copy *c, uint32_t *uids)
{
	struct index *to = &c->to;
	uint64_t *keywords = calloc(c->n + 1, sizeof(*keywords));
	int r = 0;

	if (keywords == NULL)
		die_memory();
	for (size_t k = 0; k < c->n; k++)
		keywords[k] =
		    map_keywords(c, folder_msg(c->from, c->idx[k])->keywords);
	for (size_t k = 0; k < c->n && r == 0; k++) {
		uids[k] = to->uidnext + (uint32_t)k;
		r = place(c, k, keywords[k], uids[k]);
	}
	free(keywords);
	if (r == 0)
		r = fs_sync_dir(to->fd, "cur");
	if (r == -1)
		return -1;
	index_put_own_change(to);
	r = index_commit(to);
	return r == 0 ? index_sync(to) : r;
}

static int
copy_all(struct copy *c, uint32_t *uidvalidity, uint32_t *uids)
{
	int r;

	for (size_t k = 0; k < c->n; k++)
		if (fetch(c, k) == -1)
			return -1;
	if (index_lock(&c->to) == -1)
		return -1;
	r = index_scan(&c->to, true);
	if (r == 0)
		r = place_all(c, uids);
	*uidvalidity = c->to.uidvalidity;
	index_unlock(&c->to);
	return r;
}

static void
count(const struct copy *c)
{
	uint64_t bytes = 0;

	for (size_t k = 0; k < c->n; k++)
		bytes += c->item[k].size;
	quota_add(c->to.path, (int64_t)bytes, (int64_t)c->n);
}

int
folder_copy(struct folder *f, const size_t *idx, size_t n, const char *to_path,
    bool move, uint32_t *uidvalidity, uint32_t *uids)
{
	struct copy c = { .from = f, .idx = idx, .n = n };
	int r;

	if (index_open(&c.to, to_path) == -1)
		return -1;
	c.item = calloc(n + 1, sizeof(c.item[0]));
	if (c.item == NULL)
		die_memory();
	r = copy_all(&c, uidvalidity, uids);
	if (r == -1)
		undo(&c);
	else
		count(&c);
	free(c.item);
	index_close(&c.to);
	return r == 0 && move ? folder_expunge(f, idx, n) : r;
}
