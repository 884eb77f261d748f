/*
 * Orders of a folder by a key.
 *
 * An order that needs headers is kept in pneu.order.KEY: the number of
 * UIDs, the UIDs in their order, and a bit for each whose key is that of
 * the one before (see pneu-index(5)).  Messages that have come since are
 * sorted and put in between, for which few others need to be looked at.
 */
#include "order.h"

#include "base/die.h"
#include "store/le.h"
#include "store/side.h"

enum { FILE_MAX = 1 << 29 };

const char *const order_names[ORDERS] = { "ARRIVAL", "SIZE", "CC", "DATE",
	"DISPLAYFROM", "DISPLAYTO", "FROM", "SUBJECT", "TO" };

static const char *const files[ORDERS] = { NULL, NULL, "order.cc", "order.date",
	"order.displayfrom", "order.displayto", "order.from", "order.subject",
	"order.to" };

/* A message, and its key in the pool of texts. */
struct entry {
	uint64_t first; /* bytes of the key, as a number */
	uint32_t at, n;
	uint32_t i;
};

struct order {
	struct imap *im;
	enum order_key key;
	size_t count; /* of the folder */
	uint32_t *i;  /* messages in their order */
	bool *same;   /* as the one before */
	size_t n;
	struct buf pool;
	struct entry *entry;
	size_t entries;
	bool broken; /* a message could not be read: nothing is kept */
};

/* qsort has no context: the pool that the keys are in. */
static const char *pool;

static int
compare_keys(const struct entry *x, const struct entry *y)
{
	uint32_t n = x->n < y->n ? x->n : y->n;
	int r;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	r = memcmp(pool + x->at, pool + y->at, n);
	if (r != 0)
		return r;
	return x->n < y->n ? -1 : x->n > y->n;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = compare_keys(x, y);

	return r != 0 ? r : x->i < y->i ? -1 : x->i > y->i;
}

static struct entry
key_of(struct order *o, uint32_t i)
{
	struct entry e = { .at = (uint32_t)o->pool.n, .i = i };

	o->broken = !sortkey_put(o->im, i, o->key, &o->pool) || o->broken;
	e.n = (uint32_t)(o->pool.n - e.at);
	for (uint32_t k = 0; k < 8; k++)
		e.first = e.first << 8 |
		    (k < e.n ? (unsigned char)o->pool.p[e.at + k] : 0);
	return e;
}

/*
 * The order as it was kept, without what is gone; listed[] says who is in
 * it.  A UID that stands twice, or is none of ours, is passed over.
 */
static void
load(struct order *o, bool *listed)
{
	struct folder *f = o->im->folder;
	struct buf b = { .max = FILE_MAX };
	struct span s;
	size_t n, group = 0, last = 0;

	if (!side_read(
		o->im->path, files[o->key], folder_uidvalidity(f), &b, &s)) {
		buf_free(&b);
		return;
	}
	n = (size_t)le_take(&s, 4);
	if (s.n != n * 4 + (n + 7) / 8)
		n = 0;
	for (size_t k = 0; k < n; k++) {
		uint32_t uid = (uint32_t)le_get(s.p + 4 * k, 4);
		size_t i = folder_lower(f, uid);

		group += (s.p[4 * n + k / 8] >> k % 8 & 1) == 0;
		if (i >= o->count || folder_msg(f, i)->uid != uid || listed[i])
			continue;
		listed[i] = true;
		o->same[o->n] = o->n > 0 && group == last;
		o->i[o->n++] = (uint32_t)i;
		last = group;
	}
	buf_free(&b);
}

static void
save(const struct order *o)
{
	struct folder *f = o->im->folder;
	struct buf b = { .max = FILE_MAX };
	char bits = 0;

	le_put(&b, 4, o->n);
	for (size_t k = 0; k < o->n; k++)
		le_put(&b, 4, folder_msg(f, o->i[k])->uid);
	for (size_t k = 0; k < o->n; k++) {
		bits = (char)(bits | o->same[k] << k % 8);
		if (k % 8 == 7 || k + 1 == o->n) {
			buf_putc(&b, bits);
			bits = 0;
		}
	}
	if (!b.over)
		side_write(o->im->path, files[o->key], folder_uidvalidity(f),
		    buf_span(&b));
	buf_free(&b);
}

/* The keys of those that are not listed, in their order. */
static void
sort_new(struct order *o, const bool *listed)
{
	o->entries = 0;
	for (size_t i = 0; i < o->count; i++) {
		imap_progress(o->im, i, o->count);
		if (!listed[i] && !folder_msg(o->im->folder, i)->gone)
			o->entry[o->entries++] = key_of(o, (uint32_t)i);
	}
	pool = o->pool.p;
	qsort(o->entry, o->entries, sizeof(o->entry[0]), compare);
}

/* How the key of a listed message compares with that of an entry. */
static int
compare_with(struct order *o, size_t k, const struct entry *e)
{
	size_t n = o->pool.n;
	struct entry old = key_of(o, o->i[k]);
	int r;

	pool = o->pool.p;
	r = compare_keys(&old, e);
	o->pool.n = n;
	return r;
}

/* How many of the listed ones from `low` on come before e; *equal: the
 * last of them has its key. */
static size_t
place_of(struct order *o, size_t low, const struct entry *e, bool *equal)
{
	size_t high = o->n;

	*equal = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int r = compare_with(o, mid, e);

		if (r > 0) {
			high = mid;
			continue;
		}
		low = mid + 1;
		*equal = r == 0;
	}
	return low;
}

/* Put the entries in between; equal ones are newer and go behind. */
static void
merge(struct order *o)
{
	uint32_t *i = die_calloc(o->count + 1, sizeof(*i));
	bool *same = die_calloc(o->count + 1, sizeof(*same)), equal;
	size_t n = 0, from = 0;

	for (size_t k = 0; k < o->entries; k++) {
		const struct entry *e = &o->entry[k];
		size_t to = place_of(o, from, e, &equal);

		memcpy(i + n, o->i + from, (to - from) * sizeof(*i));
		memcpy(same + n, o->same + from, (to - from) * sizeof(*same));
		n += to - from;
		from = to;
		pool = o->pool.p;
		i[n] = e->i;
		same[n++] = equal || (k > 0 && compare_keys(e - 1, e) == 0);
	}
	memcpy(i + n, o->i + from, (o->n - from) * sizeof(*i));
	memcpy(same + n, o->same + from, (o->n - from) * sizeof(*same));
	o->n += o->entries;
	free(o->i);
	free(o->same);
	o->i = i;
	o->same = same;
}

/*
 * The order of all.  Where much is new, or a little and nothing is kept,
 * it is made anew: the new ones would have to be compared with most.
 */
static void
make(struct order *o)
{
	bool *listed = die_calloc(o->count + 1, sizeof(*listed));
	size_t new = 0;

	load(o, listed);
	for (size_t i = 0; i < o->count; i++)
		new += !listed[i] && !folder_msg(o->im->folder, i)->gone;
	if (new > o->n / 16) {
		memset(listed, 0, o->count * sizeof(*listed));
		o->n = 0;
	}
	if (new > 0) {
		o->entry = die_calloc(o->count + 1, sizeof(*o->entry));
		sort_new(o, listed);
		merge(o);
		free(o->entry);
		if (!o->broken)
			save(o);
	}
	free(listed);
}

struct number {
	int64_t n;
	uint32_t i;
};

static int
compare_numbers(const void *a, const void *b)
{
	const struct number *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static int64_t
number_of(struct imap *im, size_t i, enum order_key key)
{
	uint64_t size;

	if (key == ORDER_ARRIVAL)
		return head_arrival(im, i);
	if (folder_size(im->folder, i, &size) == -1)
		return 0;
	return (int64_t)size;
}

static void
make_numbers(struct order *o)
{
	struct number *a = die_calloc(o->count + 1, sizeof(*a));

	for (size_t i = 0; i < o->count; i++)
		if (!folder_msg(o->im->folder, i)->gone)
			a[o->n++] =
			    (struct number){ number_of(o->im, i, o->key),
				    (uint32_t)i };
	qsort(a, o->n, sizeof(*a), compare_numbers);
	for (size_t k = 0; k < o->n; k++) {
		o->i[k] = a[k].i;
		o->same[k] = k > 0 && a[k].n == a[k - 1].n;
	}
	free(a);
}

uint32_t *
order_ranks(struct imap *im, enum order_key key)
{
	struct order o = { .im = im,
		.key = key,
		.count = folder_count(im->folder),
		.pool.max = UINT32_MAX / 2 };
	uint32_t *rank = die_calloc(o.count + 1, sizeof(*rank)), r = 0;

	o.i = die_calloc(o.count + 1, sizeof(*o.i));
	o.same = die_calloc(o.count + 1, sizeof(*o.same));
	if (files[key] == NULL)
		make_numbers(&o);
	else
		make(&o);
	for (size_t k = 0; k < o.n; k++) {
		r += k > 0 && !o.same[k];
		rank[o.i[k]] = r;
	}
	free(o.i);
	free(o.same);
	buf_free(&o.pool);
	return rank;
}
