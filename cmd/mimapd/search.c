/* SEARCH (RFC 9051, section 6.4.4). */
#include "search.h"

#include "context.h"

/* [search-return-opts] [SP "CHARSET" SP charset]; false: answered. */
static bool
arguments(struct search *s, const struct imap_arg **a, struct wanted *w)
{
	return result_options(s->im, a, w) && result_take_charset(s, a, w);
}

/* The last ones, as many as a response may have. */
static void
limit_results(struct imap *im, struct results *r)
{
	size_t max = limit_messages();

	if (max == 0 || r->n <= max)
		return;
	memmove(r->idx, r->idx + (r->n - max), max * sizeof(r->idx[0]));
	r->n = max;
	im->limited = folder_msg(im->folder, r->idx[0])->uid;
}

void
cmd_search(struct imap *im)
{
	struct search s = { .im = im, .arena = &im->e.arena };
	const struct imap_arg *a = im->e.args;
	struct wanted w = { 0 };
	struct results r = { 0 };

	if (im->enabled & ENABLE_REV2)
		w = (struct wanted){ .extended = true, .options = RETURN_ALL };
	if (!arguments(&s, &a, &w) || !result_find(&s, a, &w, &r))
		return;
	if (w.options & RETURN_UPDATE)
		context_add(&s, a, &r, NULL, w.fetch);
	if (!w.extended || w.options & RETURN_ALL)
		limit_results(im, &r);
	if (w.options & RETURN_SAVE)
		result_save(im, &r, &w);
	result_tell(&s, &r, &w, "SEARCH");
	free(r.idx);
	imap_done(im, "OK Search completed");
}
