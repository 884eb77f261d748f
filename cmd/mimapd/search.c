/* SEARCH, with the answers of RFC 3501, RFC 4731 and RFC 5182. */
#include "search.h"

#include "base/die.h"

enum {
	RETURN_MIN = 1,
	RETURN_MAX = 2,
	RETURN_ALL = 4,
	RETURN_COUNT = 8,
	RETURN_SAVE = 16
};

struct results {
	uint32_t *idx;
	size_t n, cap;
};

static void
add(struct results *r, size_t i)
{
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 256 : r->cap * 2;
		r->idx = realloc(r->idx, r->cap * sizeof(r->idx[0]));
		if (r->idx == NULL)
			die_memory();
	}
	r->idx[r->n++] = (uint32_t)i;
}

static uint32_t
number(struct imap *im, uint32_t i)
{
	return im->e.uid ? folder_msg(im->folder, i)->uid : i + 1;
}

/* RFC 4731, section 3.2: the highest of those that are told of. */
static uint64_t
highest(struct imap *im, const struct results *r, unsigned options)
{
	bool all = options == 0 || options & (RETURN_ALL | RETURN_COUNT);
	uint64_t highest = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t m = folder_msg(im->folder, r->idx[i])->modseq;

		if (m > highest &&
		    (all || (i == 0 && options & RETURN_MIN) ||
			(i == r->n - 1 && options & RETURN_MAX)))
			highest = m;
	}
	return highest;
}

/* mailbox-data = "SEARCH" *(SP nz-number) [SP "(MODSEQ n)"] */
static void
put_plain(struct imap *im, const struct results *r)
{
	out_puts(&im->out, "* SEARCH");
	for (size_t i = 0; i < r->n; i++)
		out_printf(
		    &im->out, " %lu", (unsigned long)number(im, r->idx[i]));
	if (im->modseq_key && r->n > 0) {
		out_puts(&im->out, " (MODSEQ ");
		out_putu(&im->out, highest(im, r, 0));
		out_putc(&im->out, ')');
	}
	out_puts(&im->out, "\r\n");
}

/* esearch-response = "ESEARCH" [search-correlator] [SP "UID"] ... */
static void
put_extended(struct imap *im, const struct results *r, unsigned options)
{
	out_puts(&im->out, "* ESEARCH (TAG \"");
	out_put(&im->out, im->e.tag);
	out_puts(&im->out, im->e.uid ? "\") UID" : "\")");
	if (r->n > 0 && options & RETURN_MIN)
		out_printf(
		    &im->out, " MIN %lu", (unsigned long)number(im, r->idx[0]));
	if (r->n > 0 && options & RETURN_MAX)
		out_printf(&im->out, " MAX %lu",
		    (unsigned long)number(im, r->idx[r->n - 1]));
	if (options & RETURN_COUNT)
		out_printf(&im->out, " COUNT %zu", r->n);
	if (r->n > 0 && options & RETURN_ALL) {
		struct buf b = { .max = r->n * 12 + 64 };
		struct imapset_writer w = { 0 };

		buf_puts(&b, " ALL ");
		for (size_t i = 0; i < r->n; i++)
			imapset_add(&b, &w, number(im, r->idx[i]));
		imapset_end(&b, &w);
		imap_put(im, &b);
		buf_free(&b);
	}
	if (im->modseq_key && r->n > 0) {
		out_puts(&im->out, " MODSEQ ");
		out_putu(&im->out, highest(im, r, options));
	}
	out_puts(&im->out, "\r\n");
}

/* With MIN or MAX and without ALL or COUNT only these are kept. */
static void
save(struct imap *im, const struct results *r, unsigned options)
{
	bool ends = (options & (RETURN_MIN | RETURN_MAX)) != 0 &&
	    (options & (RETURN_ALL | RETURN_COUNT)) == 0;
	struct imapset *set = &im->saved;

	free(set->range);
	set->n = 0;
	set->range = malloc((r->n + 1) * sizeof(set->range[0]));
	if (set->range == NULL)
		die_memory();
	for (size_t i = 0; i < r->n; i++) {
		uint32_t uid = folder_msg(im->folder, r->idx[i])->uid;

		if (ends && !(i == 0 && options & RETURN_MIN) &&
		    !(i == r->n - 1 && options & RETURN_MAX))
			continue;
		set->range[set->n++] = (struct imapset_range){ uid, uid };
	}
}

/* "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" */
static bool
return_options(struct imap *im, const struct imap_arg **a, unsigned *options)
{
	static const struct {
		const char *name;
		unsigned option;
	} names[] = { { "MIN", RETURN_MIN }, { "MAX", RETURN_MAX },
		{ "ALL", RETURN_ALL }, { "COUNT", RETURN_COUNT },
		{ "SAVE", RETURN_SAVE } };
	const struct imap_arg *o;

	*options = im->rev2 ? RETURN_ALL : 0;
	if (!span_iis((*a)->text, "RETURN"))
		return true;
	if ((*a)->next == NULL || (*a)->next->type != IMAP_LIST)
		return false;
	*options = 0;
	for (o = (*a)->next->list; o != NULL; o = o->next) {
		unsigned one = 0;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (span_iis(o->text, names[i].name))
				one = names[i].option;
		if (one == 0)
			return false;
		*options |= one;
	}
	if (*options == 0)
		*options = RETURN_ALL;
	*a = (*a)->next->next;
	return true;
}

static bool
charset(struct imap *im, const struct imap_arg **a)
{
	const struct imap_arg *name;

	if (*a == NULL || !span_iis((*a)->text, "CHARSET"))
		return true;
	name = (*a)->next;
	if (!imap_is_string(name)) {
		imap_bad(im, "A charset is missing");
		return false;
	}
	*a = name->next;
	if (span_iis(name->text, "UTF-8") || span_iis(name->text, "US-ASCII"))
		return true;
	imap_reply(im, "NO [BADCHARSET (UTF-8 US-ASCII)] Not that charset");
	return false;
}

static void
run(struct imap *im, const struct key *key, unsigned options)
{
	struct results r = { 0 };
	size_t count = folder_count(im->folder);

	for (size_t i = 0; i < count; i++) {
		imap_progress(im, i, count);
		if (!folder_msg(im->folder, i)->gone && key_match(im, key, i))
			add(&r, i);
	}
	if (options & RETURN_SAVE)
		save(im, &r, options);
	if (options == 0)
		put_plain(im, &r);
	else if (options != RETURN_SAVE)
		put_extended(im, &r, options);
	free(r.idx);
}

void
cmd_search(struct imap *im)
{
	const struct imap_arg *a = im->e.args;
	unsigned options;
	struct key *key;

	if (!return_options(im, &a, &options)) {
		imap_bad(im, "Unknown option of RETURN");
		return;
	}
	if (!charset(im, &a)) {
		if (options & RETURN_SAVE)
			im->saved.n = 0;
		return;
	}
	switch (key_parse(im, a, &key)) {
	case KEY_SYNTAX:
		imap_bad(im, "Not a search");
		return;
	case KEY_LIMIT:
		imap_bad(im, "Too many search keys");
		return;
	case KEY_UIDREQUIRED:
		imap_bad(im, "[UIDREQUIRED] With UIDONLY there are no numbers");
		return;
	case KEY_OK:
		break;
	}
	if (im->modseq_key)
		sync_condstore(im);
	run(im, key, options);
	imap_done(im, "OK Search completed");
}
