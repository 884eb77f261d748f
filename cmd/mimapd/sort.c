/* SORT (RFC 5256, RFC 5957), and ESORT (RFC 5267). */
#include "base/die.h"
#include "context.h"
#include "order.h"
#include "result.h"

/* A key that was given before changes nothing. */
static void
add(struct criteria *c, enum order_key key, bool reverse)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->by[i].key == key)
			return;
	c->by[c->n++] = (struct criterion){ key, reverse };
}

/* sort-criteria = "(" sort-criterion *(SP sort-criterion) ")" */
static bool
parse_criteria(const struct imap_arg *a, struct criteria *c)
{
	bool reverse = false;

	if (a == NULL || a->type != IMAP_LIST || a->list == NULL)
		return false;
	for (a = a->list; a != NULL; a = a->next) {
		int key = 0;

		if (a->type != IMAP_ATOM)
			return false;
		if (!reverse && span_iis(a->text, "REVERSE")) {
			reverse = true;
			continue;
		}
		while (key < ORDERS && !span_iis(a->text, order_names[key]))
			key++;
		if (key == ORDERS)
			return false;
		add(c, (enum order_key)key, reverse);
		reverse = false;
	}
	return !reverse;
}

/*
 * Ranks are small numbers: counted, summed and dealt out, which keeps the
 * order that equal ones had.
 */
static void
deal(struct results *r, const uint32_t *rank, size_t count, bool reverse)
{
	uint32_t *at = calloc(count + 2, sizeof(*at));
	uint32_t *to = malloc((r->n + 1) * sizeof(*to));

	if (at == NULL || to == NULL)
		die_memory();
	for (size_t k = 0; k < r->n; k++) {
		size_t n = rank[r->idx[k]];

		at[1 + (reverse ? count - n : n)]++;
	}
	for (size_t n = 1; n < count + 2; n++)
		at[n] += at[n - 1];
	for (size_t k = 0; k < r->n; k++) {
		size_t n = rank[r->idx[k]];

		to[at[reverse ? count - n : n]++] = r->idx[k];
	}
	free(at);
	free(r->idx);
	r->idx = to;
	r->cap = r->n + 1;
}

/* By the last of the keys first. */
void
order_sort(struct imap *im, struct results *r, const struct criteria *c)
{
	for (size_t i = c->n; r->n > 0 && i-- > 0;) {
		uint32_t *rank = order_ranks(im, c->by[i].key);

		deal(r, rank, folder_count(im->folder), c->by[i].reverse);
		free(rank);
	}
}

/* ["RETURN" SP options SP] sort-criteria SP charset; false: answered. */
static bool
arguments(struct search *s, const struct imap_arg **a, struct wanted *w,
    struct criteria *c)
{
	struct imap *im = s->im;

	if (!result_options(im, a, w))
		return false;
	if (!parse_criteria(*a, c)) {
		imap_bad(im, "Unknown sort criteria");
		return false;
	}
	*a = (*a)->next;
	if (!result_charset(s, *a, w))
		return false;
	*a = (*a)->next;
	return true;
}

void
cmd_sort(struct imap *im)
{
	struct search s = { .im = im, .arena = &im->e.arena };
	const struct imap_arg *a = im->e.args;
	struct criteria c = { .n = 0 };
	struct wanted w = { 0 };
	struct results r = { 0 };

	if (!arguments(&s, &a, &w, &c) || !result_find(&s, a, &w, &r))
		return;
	order_sort(im, &r, &c);
	if (w.options & RETURN_UPDATE)
		context_add(&s, a, &r, &c, w.fetch);
	if (w.options & RETURN_SAVE)
		result_save(im, &r, &w);
	result_tell(&s, &r, &w, "SORT");
	free(r.idx);
	imap_done(im, "OK Sort completed");
}
