/* The modifiers behind the items of a FETCH (RFC 4466, RFC 7162). */
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
	if (a->next->type != IMAP_LIST)
		return NULL;
	return a->next;
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

void
modifiers_begin(
    struct imap *im, const struct modifiers *m, const struct item *items)
{
	bool modseq = m->changed;

	for (; items != NULL; items = items->next)
		modseq = modseq || items->kind == ITEM_MODSEQ;
	if (modseq)
		sync_condstore(im);
}
