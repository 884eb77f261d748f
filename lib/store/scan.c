#include "store/scan.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "base/grow.h"
#include "io/fs.h"
#include "store/mdname.h"

static const size_t names_max = (size_t)1 << 31;

static const int64_t settle_ns = SCAN_SETTLE_MS * INT64_C(1000000);

bool
scan_is_old(int64_t mtime_ns, int64_t now_ns)
{
	return mtime_ns <= now_ns - settle_ns;
}

bool
scan_is_future(int64_t mtime_ns, int64_t now_ns)
{
	return mtime_ns > now_ns;
}

int
scan_mtimes(int dirfd, int64_t *new_ns, int64_t *cur_ns)
{
	*new_ns = fs_mtime_ns(dirfd, "new");
	*cur_ns = fs_mtime_ns(dirfd, "cur");
	return *new_ns == -1 || *cur_ns == -1 ? -1 : 0;
}

struct span
scan_name(const struct scan *s, size_t i)
{
	return (struct span){ s->names.p + s->file[i].name, s->file[i].len };
}

struct span
scan_base(const struct scan *s, size_t i)
{
	return (struct span){ s->names.p + s->file[i].name, s->file[i].base };
}

static void
add(struct scan *s, const char *name, bool in_new)
{
	struct span file = span_of(name), base;
	size_t at = s->names.n;

	if (file.n == 0 || file.n > MDNAME_MAX || *file.p == '.')
		return;
	if (!buf_put(&s->names, file))
		return;
	s->file = grow_array(s->file, s->n, &s->cap, sizeof(s->file[0]));
	base = mdname_base(file);
	s->file[s->n++] = (struct scan_file){ .time = mdname_time(base),
		.name = (uint32_t)at,
		.len = (uint8_t)file.n,
		.base = (uint8_t)base.n,
		.in_new = in_new };
}

static int
read_dir(struct scan *s, int at, const char *name, bool in_new)
{
	DIR *dir = fs_list_dir(at, name);
	struct dirent *d;
	int err;

	if (dir == NULL)
		return -1;
	while (errno = 0, (d = readdir(dir)) != NULL)
		if (fs_is_regular(dirfd(dir), d))
			add(s, d->d_name, in_new);
	err = errno;
	closedir(dir);
	errno = err;
	return err == 0 ? 0 : -1;
}

static const char *sort_names;

/* Of one time. */
static int
by_base(const void *a, const void *b)
{
	const struct scan_file *x = a, *y = b;
	int c = span_cmp((struct span){ sort_names + x->name, x->base },
	    (struct span){ sort_names + y->name, y->base });

	/* Of two names of one file the one in cur/ is the later. */
	if (c == 0 && x->in_new != y->in_new)
		return x->in_new ? 1 : -1;
	return c != 0 ? c : x->name < y->name ? 1 : -1;
}

enum { DIGITS = 8, VALUES = 256 };

/*
 * By time, digit after digit from the lowest; one that is the same in all
 * is passed over.  Names are looked at only where the times are the same.
 */
static void
sort_times(struct scan *s)
{
	size_t count[DIGITS][VALUES] = { 0 };
	struct scan_file *to = die_calloc(s->n, sizeof(*to)), *from = s->file;

	for (size_t i = 0; i < s->n; i++)
		for (unsigned d = 0; d < DIGITS; d++)
			count[d][from[i].time >> 8 * d & 0xff]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		struct scan_file *was = from;
		size_t at = 0;

		if (count[d][from[0].time >> 8 * d & 0xff] == s->n)
			continue;
		for (unsigned v = 0; v < VALUES; v++) {
			size_t n = count[d][v];

			count[d][v] = at;
			at += n;
		}
		for (size_t i = 0; i < s->n; i++)
			to[count[d][from[i].time >> 8 * d & 0xff]++] = from[i];
		from = to;
		to = was;
	}
	if (from == s->file) {
		free(to);
		return;
	}
	free(s->file);
	s->file = from;
	s->cap = s->n;
}

static void
sort(struct scan *s)
{
	size_t n;

	if (s->n == 0)
		return;
	sort_times(s);
	sort_names = s->names.p;
	for (size_t i = 0; i < s->n; i += n) {
		for (n = 1; i + n < s->n; n++)
			if (s->file[i + n].time != s->file[i].time)
				break;
		if (n > 1)
			qsort(s->file + i, n, sizeof(s->file[0]), by_base);
	}
}

const char *
scan_path(const struct scan *s, const struct scan_file *f, char *dst)
{
	memcpy(dst, f->in_new ? "new/" : "cur/", 4);
	memcpy(dst + 4, s->names.p + f->name, f->len);
	dst[4 + f->len] = '\0';
	return dst;
}

/* Of names that share a base the first stays, the others are twins. */
static void
part_twins(struct scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (n == 0 || s->file[n - 1].time != s->file[i].time ||
		    !span_eq(scan_base(s, n - 1), scan_base(s, i))) {
			s->file[n++] = s->file[i];
			continue;
		}
		s->twin = grow_array(
		    s->twin, s->ntwins, &s->twin_cap, sizeof(s->twin[0]));
		s->twin[s->ntwins++] = (struct scan_twin){ s->file[i], n - 1 };
	}
	s->n = n;
}

int
scan_read(struct scan *s, int dirfd, unsigned dirs)
{
	buf_init(&s->names, names_max);
	s->n = s->ntwins = 0;
	if (scan_mtimes(dirfd, &s->new_ns, &s->cur_ns) == -1 ||
	    ((dirs & SCAN_NEW) != 0 && read_dir(s, dirfd, "new", true) == -1) ||
	    ((dirs & SCAN_CUR) != 0 && read_dir(s, dirfd, "cur", false) == -1))
		return -1;
	if (s->names.over) {
		errno = EFBIG;
		return -1;
	}
	sort(s);
	part_twins(s);
	return 0;
}

void
scan_free(struct scan *s)
{
	buf_free(&s->names);
	free(s->file);
	free(s->twin);
	*s = (struct scan){ 0 };
}

size_t
scan_lower(const struct scan *s, struct span base)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (mdname_order(scan_base(s, mid), base) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t
scan_find(const struct scan *s, struct span base)
{
	size_t i = scan_lower(s, base);

	return i < s->n && span_eq(scan_base(s, i), base) ? i : s->n;
}
