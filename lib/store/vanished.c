/* Which UIDs were expunged, and when (RFC 7162, section 3.2.7). */
#include "base/die.h"
#include "base/grow.h"
#include "store/view.h"

void
index_vanish(struct index *ix, uint32_t uid, uint64_t modseq)
{
	struct vanished *last;

	if (ix->nvanished > 0) {
		last = &ix->vanished[ix->nvanished - 1];
		if (last->modseq == modseq && last->last + 1 == uid) {
			last->last = uid;
			return;
		}
	}
	if (ix->nvanished == LIMIT_VANISHED) {
		size_t half = LIMIT_VANISHED / 2;

		ix->vanished_floor = ix->vanished[half - 1].modseq;
		ix->nvanished -= half;
		memmove(ix->vanished, ix->vanished + half,
		    ix->nvanished * sizeof(*ix->vanished));
	}
	ix->vanished = grow_array(ix->vanished, ix->nvanished,
	    &ix->vanished_cap, sizeof(*ix->vanished));
	ix->vanished[ix->nvanished++] = (struct vanished){ uid, uid, modseq };
}

static int
range_order(const void *a, const void *b)
{
	const struct uid_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorted ranges that overlap or touch become one. */
static size_t
join(struct uid_range *r, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (kept > 0 && r[i].first <= r[kept - 1].last + 1) {
			if (r[i].last > r[kept - 1].last)
				r[kept - 1].last = r[i].last;
		} else {
			r[kept++] = r[i];
		}
	return kept;
}

/* All that are not there. */
static size_t
gaps(const struct index *ix, struct uid_range *r)
{
	uint32_t next = 1;
	size_t n = 0;

	for (size_t i = 0; i < ix->shown; i++) {
		uint32_t uid = ix->entry[i].msg.uid;

		if (uid > next)
			r[n++] = (struct uid_range){ next, uid - 1 };
		next = uid + 1;
	}
	if (ix->uidnext > next)
		r[n++] = (struct uid_range){ next, ix->uidnext - 1 };
	return n;
}

size_t
folder_vanished(struct folder *f, uint64_t since, struct uid_range **ranges)
{
	const struct index *ix = &f->ix;
	bool known = since >= ix->vanished_floor;
	size_t n = 0, max = known ? ix->nvanished : ix->shown;

	*ranges = die_calloc(max + 1, sizeof(**ranges));
	if (!known)
		return gaps(ix, *ranges);
	for (size_t i = 0; i < ix->nvanished; i++)
		if (ix->vanished[i].modseq > since)
			(*ranges)[n++] =
			    (struct uid_range){ ix->vanished[i].first,
				    ix->vanished[i].last };
	qsort(*ranges, n, sizeof(**ranges), range_order);
	return join(*ranges, n);
}
