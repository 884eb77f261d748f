/* Whether a message fits a search. */
#include "io/log.h"
#include "search.h"

static bool fits(struct imap *im, const struct key *k, size_t i);

/* What costs nothing first: the rest may not be needed. */
static bool
fits_all(struct imap *im, const struct key *list, size_t i)
{
	for (const struct key *k = list; k != NULL; k = k->next)
		if (k->kind < KEY_AND && !fits(im, k, i))
			return false;
	for (const struct key *k = list; k != NULL; k = k->next)
		if (k->kind >= KEY_AND && !fits(im, k, i))
			return false;
	return true;
}

static uint64_t
size_of(struct imap *im, size_t i)
{
	uint64_t size;

	return folder_size(im->folder, i, &size) == -1 ? 0 : size;
}

static bool
holds(struct imap *im, const struct key *k, size_t i)
{
	const struct msg *m = folder_msg(im->folder, i);

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
		return content_day(m->date) < k->day;
	case KEY_ON:
		return content_day(m->date) == k->day;
	case KEY_SINCE:
		return content_day(m->date) >= k->day;
	case KEY_LARGER:
		return size_of(im, i) > k->size;
	case KEY_SMALLER:
		return size_of(im, i) < k->size;
	case KEY_MODSEQ:
		return m->modseq >= k->size;
	case KEY_AND:
		return fits_all(im, k->a, i);
	case KEY_OR:
		return fits(im, k->a, i) || fits(im, k->b, i);
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE:
	case KEY_HEADER:
	case KEY_BODY:
	case KEY_TEXT:
		break;
	}
	return content_match(im, k, i);
}

static bool
fits(struct imap *im, const struct key *k, size_t i)
{
	return holds(im, k, i) != k->not ;
}

bool
key_match(struct imap *im, const struct key *k, size_t i)
{
	return fits(im, k, i);
}
