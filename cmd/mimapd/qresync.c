/* Quick resynchronisation (RFC 7162, section 3.2): only what has changed. */
#include "base/num.h"
#include "sync.h"

/* sequence-set without "*" */
static bool
set_without_star(struct imap *im, const struct imap_arg *a, struct imapset *set)
{
	return a->type == IMAP_ATOM && span_chr(a->text, '*') == a->text.n &&
	    imapset_parse(&im->e.arena, a->text, 0, set);
}

static uint64_t
count(const struct imapset *set)
{
	uint64_t n = 0;

	for (size_t i = 0; i < set->n; i++)
		n += (uint64_t)set->range[i].last - set->range[i].first + 1;
	return n;
}

/* seq-match-data = "(" known-sequence-set SP known-uid-set ")" */
static bool
parse_match(struct imap *im, const struct imap_arg *a, struct resync *r)
{
	return a->type == IMAP_LIST && a->list != NULL &&
	    a->list->next != NULL && a->list->next->next == NULL &&
	    set_without_star(im, a->list, &r->seqs) &&
	    set_without_star(im, a->list->next, &r->uids) &&
	    count(&r->seqs) == count(&r->uids);
}

/*
 * "(" uidvalidity SP mod-sequence-value [SP known-uids]
 * [SP seq-match-data] ")"
 *
 * Neither may be 0; but Wino Mail sends a MODSEQ of 0 the first time, and
 * other clients both.  No mailbox has that UIDVALIDITY.
 */
bool
resync_parse(struct imap *im, const struct imap_arg *a, struct resync *r)
{
	*r = (struct resync){ .asked = true };
	if (a == NULL || a->type != IMAP_LIST || (a = a->list) == NULL ||
	    a->next == NULL || !num_u32(a->text, &r->uidvalidity) ||
	    !num_u64(a->next->text, &r->since) || r->since > INT64_MAX)
		return false;
	a = a->next->next;
	if (a != NULL && a->type != IMAP_LIST) {
		if (!set_without_star(im, a, &r->known))
			return false;
		r->some = true;
		a = a->next;
	}
	if (a != NULL && !parse_match(im, a, r))
		return false;
	return a == NULL || a->next == NULL;
}

static bool
matches(struct imap *im, uint32_t seq, uint32_t uid)
{
	return seq <= folder_count(im->folder) &&
	    folder_msg(im->folder, seq - 1)->uid == uid;
}

/*
 * The largest UID up to which the client knows of all expunges: the last
 * of its pairs that holds here, for then all before it do, too.
 */
static uint32_t
known_until(struct imap *im, const struct resync *r)
{
	size_t s = 0, u = 0;
	uint32_t sdone = 0, udone = 0, until = 0;

	while (s < r->seqs.n && u < r->uids.n) {
		struct imapset_range a = r->seqs.range[s], b = r->uids.range[u];
		uint32_t na = a.last - a.first - sdone;
		uint32_t nb = b.last - b.first - udone;
		uint32_t n = na < nb ? na : nb, lo = 0, hi = n;

		a.first += sdone;
		b.first += udone;
		if (!matches(im, a.first, b.first))
			break;
		/* lo holds; find the last that does */
		while (lo < hi) {
			uint32_t mid = hi - (hi - lo) / 2;

			if (matches(im, a.first + mid, b.first + mid))
				lo = mid;
			else
				hi = mid - 1;
		}
		until = b.first + lo;
		if (lo < n)
			break;
		sdone = na == n ? 0 : sdone + n + 1;
		udone = nb == n ? 0 : udone + n + 1;
		s += na == n;
		u += nb == n;
	}
	return until;
}

/* Of UIDs that are in only (NULL: all) and larger than after. */
static void
put_vanished(
    struct imap *im, uint64_t since, const struct imapset *only, uint32_t after)
{
	struct vanished v = { .earlier = true };
	struct uid_range *gone;
	size_t n = folder_vanished(im->folder, since, &gone), k = 0;

	for (size_t i = 0; i < n; i++) {
		struct uid_range g = gone[i];

		if (g.first <= after)
			g.first = after + 1;
		if (g.first > g.last)
			continue;
		if (only == NULL) {
			sync_vanished(im, &v, g.first, g.last);
			continue;
		}
		while (k < only->n && only->range[k].last < g.first)
			k++;
		for (size_t j = k;
		     j < only->n && only->range[j].first <= g.last; j++) {
			struct imapset_range o = only->range[j];

			sync_vanished(im, &v,
			    o.first > g.first ? o.first : g.first,
			    o.last < g.last ? o.last : g.last);
		}
	}
	sync_vanished_end(im, &v);
	free(gone);
}

/* The last message may be among them: "*" is the largest UID ever given. */
void
resync_vanished_in(struct imap *im, uint64_t since, struct span text)
{
	struct imapset set = im->saved;

	if (span_is(text, "$") ||
	    imapset_parse(
		&im->e.arena, text, folder_uidnext(im->folder) - 1, &set))
		put_vanished(im, since, &set, 0);
}

/* What the client has missed, as "UID FETCH known (FLAGS) (CHANGEDSINCE
 * since VANISHED)" would tell it. */
void
resync_tell(struct imap *im, const struct resync *r)
{
	size_t i, end = folder_count(im->folder);

	if (!r->asked || r->uidvalidity != folder_uidvalidity(im->folder) ||
	    r->since >= folder_modseq(im->folder))
		return;
	put_vanished(
	    im, r->since, r->some ? &r->known : NULL, known_until(im, r));
	if (!r->some) {
		for (i = 0; i < end; i++)
			if (folder_msg(im->folder, i)->modseq > r->since)
				sync_fetch_flags(im, i);
		return;
	}
	for (size_t k = 0; k < r->known.n; k++) {
		struct imapset_range o = r->known.range[k];

		for (i = folder_lower(im->folder, o.first);
		     i < end && folder_msg(im->folder, i)->uid <= o.last; i++)
			if (folder_msg(im->folder, i)->modseq > r->since)
				sync_fetch_flags(im, i);
	}
}
