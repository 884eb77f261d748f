#include "imap/imapset.h"

#include "base/num.h"

/* seq-number = nz-number / "*" */
static bool
number(struct span s, uint32_t largest, uint32_t *n)
{
	if (span_is(s, "*")) {
		*n = largest;
		return true;
	}
	return num_u32(s, n) && *n > 0;
}

/* seq-range = seq-number ":" seq-number, in either order */
static bool
range(struct span s, uint32_t largest, struct imapset_range *r)
{
	size_t colon = span_chr(s, ':');
	struct span a = { s.p, colon }, b = a;
	uint32_t swap;

	if (colon < s.n)
		b = (struct span){ s.p + colon + 1, s.n - colon - 1 };
	if (!number(a, largest, &r->first) || !number(b, largest, &r->last))
		return false;
	if (r->first > r->last) {
		swap = r->first;
		r->first = r->last;
		r->last = swap;
	}
	return true;
}

static int
compare(const void *x, const void *y)
{
	const struct imapset_range *a = x, *b = y;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* Sort, and join what touches; what only an empty mailbox's "*" made (0)
 * goes. */
static void
normalize(struct imapset *set)
{
	size_t n = 0;

	qsort(set->range, set->n, sizeof(set->range[0]), compare);
	for (size_t i = 0; i < set->n; i++) {
		struct imapset_range r = set->range[i];

		if (r.last == 0)
			continue;
		if (r.first == 0)
			r.first = 1;
		if (n > 0 &&
		    (r.first == 0 || r.first - 1 <= set->range[n - 1].last)) {
			if (r.last > set->range[n - 1].last)
				set->range[n - 1].last = r.last;
		} else {
			set->range[n++] = r;
		}
	}
	set->n = n;
}

bool
imapset_parse(
    struct arena *a, struct span s, uint32_t largest, struct imapset *set)
{
	size_t commas = 0;

	*set = (struct imapset){ 0 };
	if (s.n == 0 || s.p[s.n - 1] == ',')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ',')
			commas++;
	if (arena_left(a) / sizeof(set->range[0]) < commas + 16)
		return false;
	set->range = arena_alloc(a, (commas + 1) * sizeof(set->range[0]));
	while (s.n > 0)
		if (!range(span_cut(&s, ','), largest, &set->range[set->n++]))
			return false;
	normalize(set);
	return true;
}

bool
imapset_has(const struct imapset *set, uint32_t n)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (set->range[mid].last < n)
			low = mid + 1;
		else
			high = mid;
	}
	return low < set->n && set->range[low].first <= n;
}

uint32_t
imapset_max(const struct imapset *set)
{
	return set->n == 0 ? 0 : set->range[set->n - 1].last;
}

void
imapset_end(struct buf *b, struct imapset_writer *w)
{
	if (w->first == 0)
		return;
	if (w->any)
		buf_putc(b, ',');
	w->any = true;
	buf_putu(b, w->first);
	if (w->last != w->first) {
		buf_putc(b, ':');
		buf_putu(b, w->last);
	}
	w->first = w->last = 0;
}

void
imapset_add_range(
    struct buf *b, struct imapset_writer *w, uint32_t first, uint32_t last)
{
	if (w->first != 0 && first == w->last + 1) {
		w->last = last;
		return;
	}
	imapset_end(b, w);
	w->first = first;
	w->last = last;
}

void
imapset_add(struct buf *b, struct imapset_writer *w, uint32_t n)
{
	imapset_add_range(b, w, n, n);
}
