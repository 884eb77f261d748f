/* The modifiers behind the items of a FETCH: RFC 4466, 7162 and 9394. */
#include "base/num.h"
#include "fetch.h"
#include "sync.h"

/* Cut the list at the end off: NULL when the items are all there is. */
static const struct imap_arg *
take_list(struct imap *im)
{
	struct imap_arg *a = im->e.args->next;

	if (a->next == NULL)
		return NULL;
	while (a->next->next != NULL)
		a = a->next;
	if (a->next->type != IMAP_LIST || item_is_lazy(a->next, a))
		return NULL;
	return a->next;
}

bool
imap_partial(struct span s, uint32_t *from, uint32_t *to, bool *last)
{
	struct span a = span_cut(&s, ':');
	uint32_t swap;

	*last = a.n > 0 && *a.p == '-';
	if (*last) {
		span_take(&a, 1);
		if (s.n == 0 || *span_take(&s, 1).p != '-')
			return false;
	}
	if (!num_u32(a, from) || !num_u32(s, to) || *from == 0 || *to == 0)
		return false;
	if (*from > *to) {
		swap = *from;
		*from = *to;
		*to = swap;
	}
	return true;
}

static bool
parse_one(struct imap *im, const struct imap_arg **a, struct modifiers *m)
{
	struct span name = (*a)->text;

	*a = (*a)->next;
	if (span_iis(name, "VANISHED") && im->enabled & ENABLE_QRESYNC &&
	    im->e.uid && !m->vanished) {
		m->vanished = true;
		return true;
	}
	if (span_iis(name, "PARTIAL") && im->e.uid && *a != NULL &&
	    !m->partial &&
	    imap_partial((*a)->text, &m->from, &m->to, &m->last)) {
		*a = (*a)->next;
		m->partial = true;
		return true;
	}
	/* 0 is none (RFC 7162, section 7), but the Mail of iPhones sends it */
	if (span_iis(name, "CHANGEDSINCE") && *a != NULL && !m->changed &&
	    num_u64((*a)->text, &m->since) && m->since <= INT64_MAX) {
		*a = (*a)->next;
		m->changed = true;
		return true;
	}
	return false;
}

bool
modifiers_parse(struct imap *im, struct modifiers *m)
{
	const struct imap_arg *list = take_list(im), *a;

	*m = (struct modifiers){ 0 };
	if (list == NULL)
		return true;
	if (list->list == NULL)
		return false;
	for (a = list->list; a != NULL;)
		if (!parse_one(im, &a, m))
			return false;
	for (struct imap_arg *p = im->e.args; p != NULL; p = p->next)
		if (p->next == list)
			p->next = NULL;
	return m->changed || !m->vanished;
}

/* How many there are, for PARTIAL from the end and for the progress. */
static size_t
count(struct imap *im, struct walk w, bool exactly)
{
	size_t n = 0, i;

	if (!exactly)
		return walk_count(&w);
	while (walk_next(&w, &i))
		if (!folder_msg(im->folder, i)->gone)
			n++;
	return n;
}

void
modifiers_begin(struct imap *im, struct modifiers *m, const struct item *items,
    const struct walk *w)
{
	bool modseq = m->changed;

	for (; items != NULL; items = items->next)
		modseq = modseq || items->kind == ITEM_MODSEQ;
	if (modseq)
		sync_condstore(im);
	m->total = count(im, *w, m->partial && m->last);
	if (m->partial && m->last) {
		size_t n = m->total, from = m->from, to = m->to;

		m->from = (uint32_t)(to > n ? 1 : n - to + 1);
		m->to = (uint32_t)(from > n ? 0 : n - from + 1);
	}
	if (m->partial && limit_messages() > 0 && m->to >= m->from &&
	    m->to - m->from >= limit_messages()) {
		m->cut = true;
		m->from = m->to - (uint32_t)limit_messages() + 1;
	}
	if (m->partial)
		m->total = m->to < m->from ? 0 : m->to - m->from + 1;
}

bool
modifiers_take(struct modifiers *m, const struct msg *msg)
{
	if (m->partial) {
		if (msg->gone)
			return false;
		m->seen++;
		if (m->seen < m->from || m->seen > m->to)
			return false;
	}
	if (m->taken++ == 0)
		m->lowest = msg->uid;
	return !m->changed || msg->modseq > m->since;
}
