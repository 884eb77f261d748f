/* Whether a message fits a search. */
#include "search.h"

static bool fits(struct search *s, struct key *k, size_t i);

/* What costs nothing first: the rest may not be needed. */
static bool
fits_all(struct search *s, struct key *list, size_t i)
{
	for (int cost = 0; cost < COSTS; cost++)
		for (struct key *k = list; k != NULL; k = k->next)
			if ((int)k->cost == cost && !fits(s, k, i))
				return false;
	return true;
}

static bool
fits_one(struct search *s, struct key *k, size_t i)
{
	struct key *first = k->a, *second = k->b;

	if (first->cost > second->cost) {
		first = k->b;
		second = k->a;
	}
	return fits(s, first, i) || fits(s, second, i);
}

static uint64_t
size_of(struct search *s, size_t i)
{
	uint64_t size;

	return folder_size(s->im->folder, i, &size) == -1 ? 0 : size;
}

/* Where it is not known, of old: when it came. */
static int64_t
saved_day(struct search *s, size_t i)
{
	const struct msg *m = folder_msg(s->im->folder, i);

	return head_day(m->saved > 0 ? m->saved : head_arrival(s->im, i));
}

static bool
has_id(struct search *s, const struct key *k, size_t i)
{
	char id[FOLDER_ID];

	folder_email_id(s->im->folder, i, id);
	return span_is(k->name, id);
}

static bool
holds(struct search *s, struct key *k, size_t i)
{
	const struct msg *m = folder_msg(s->im->folder, i);

	switch (k->kind) {
	case KEY_ALL:
		return true;
	case KEY_FLAG:
		return (m->flags & k->flags) != 0;
	case KEY_KEYWORD:
		return k->keyword >= 0 && (m->keywords >> k->keyword & 1) != 0;
	case KEY_SET:
		return imapset_has(&k->set, (uint32_t)i + 1);
	case KEY_UID:
		return imapset_has(&k->set, m->uid);
	case KEY_BEFORE:
		return head_day(head_arrival(s->im, i)) < k->day;
	case KEY_ON:
		return head_day(head_arrival(s->im, i)) == k->day;
	case KEY_SINCE:
		return head_day(head_arrival(s->im, i)) >= k->day;
	case KEY_SAVEDBEFORE:
		return saved_day(s, i) < k->day;
	case KEY_SAVEDON:
		return saved_day(s, i) == k->day;
	case KEY_SAVEDSINCE:
		return saved_day(s, i) >= k->day;
	case KEY_EMAILID:
		return has_id(s, k, i);
	case KEY_THREADID:
		return false; /* no message has one */
	case KEY_OLDER:
		return head_arrival(s->im, i) <= k->day;
	case KEY_YOUNGER:
		return head_arrival(s->im, i) >= k->day;
	case KEY_LARGER:
		return size_of(s, i) > k->n;
	case KEY_SMALLER:
		return size_of(s, i) < k->n;
	case KEY_MODSEQ:
		return m->modseq >= k->n;
	case KEY_AND:
		return fits_all(s, k->a, i);
	case KEY_OR:
		return fits_one(s, k, i);
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE:
	case KEY_HEADER:
		return head_match(s, k, i);
	case KEY_BODY:
	case KEY_TEXT:
		break;
	}
	return content_match(s, k, i);
}

static bool
fits(struct search *s, struct key *k, size_t i)
{
	return holds(s, k, i) != k->not ;
}

bool
key_match(struct search *s, size_t i)
{
	return fits(s, s->root, i);
}
