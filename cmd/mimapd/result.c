/* Results, as SEARCH and SORT tell them. */
#include "result.h"

#include "base/die.h"
#include "base/grow.h"
#include "context.h"
#include "sync.h"

enum { LINE = 4000 };

void
results_add(struct results *r, size_t i)
{
	r->idx = grow_array(r->idx, r->n, &r->cap, sizeof(r->idx[0]));
	r->idx[r->n++] = (uint32_t)i;
}

/* All messages that fit, in mailbox order. */
static void
run(struct search *s, struct results *r)
{
	size_t count = folder_count(s->im->folder);

	key_bind(s);
	for (size_t i = 0; i < count; i++) {
		imap_progress(s->im, i, count);
		if (!folder_msg(s->im->folder, i)->gone && key_match(s, i))
			results_add(r, i);
	}
}

static const struct {
	const char *name;
	unsigned option;
} names[] = {
	/* clang-format off */
	{ "MIN",     RETURN_MIN },
	{ "MAX",     RETURN_MAX },
	{ "ALL",     RETURN_ALL },
	{ "COUNT",   RETURN_COUNT },
	{ "SAVE",    RETURN_SAVE },
	{ "PARTIAL", RETURN_PARTIAL },
	{ "UPDATE",  RETURN_UPDATE },
	{ "CONTEXT", RETURN_CONTEXT },
	/* clang-format on */
};

static unsigned
option_of(struct span s)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(s, names[i].name))
			return names[i].option;
	return 0;
}

/* "RETURN" SP "(" ... ")": advances *a behind it; false when it is wrong. */
static bool
options(const struct imap_arg **a, struct wanted *w)
{
	if (*a == NULL)
		return false;
	if (!span_iis((*a)->text, "RETURN"))
		return true;
	if ((*a)->next == NULL || (*a)->next->type != IMAP_LIST)
		return false;
	w->extended = true;
	w->options = 0;
	for (const struct imap_arg *o = (*a)->next->list; o != NULL;
	     o = o->next) {
		unsigned one = option_of(o->text);

		if (one == 0)
			return false;
		if (one == RETURN_PARTIAL) {
			if (w->options & RETURN_PARTIAL || o->next == NULL)
				return false;
			o = o->next;
			if (!imap_partial(o->text, &w->partial.first,
				&w->partial.last, &w->partial.from_end))
				return false;
		}
		if (one == RETURN_UPDATE && o->next != NULL &&
		    o->next->type == IMAP_LIST)
			w->fetch = o = o->next;
		w->options |= one;
	}
	if ((w->options & (RETURN_ALL | RETURN_PARTIAL)) ==
	    (RETURN_ALL | RETURN_PARTIAL))
		return false;
	/* "()" is ALL; CONTEXT alone is a hint, and no result option */
	if ((w->options & ~(unsigned)(RETURN_CONTEXT | RETURN_UPDATE)) == 0)
		w->options |= (w->options & RETURN_UPDATE) ? 0 : RETURN_ALL;
	*a = (*a)->next->next;
	return true;
}

bool
result_options(struct imap *im, const struct imap_arg **a, struct wanted *w)
{
	if (!options(a, w) || *a == NULL) {
		imap_bad(im, "Unknown option of RETURN");
		return false;
	}
	if (w->options & RETURN_UPDATE && context_has(im, im->e.tag)) {
		imap_bad(im, "Tag reuse");
		return false;
	}
	return true;
}

/* Answer a result of key_parse that is not KEY_OK. */
static void
refuse(struct imap *im, enum key_result r, const struct wanted *w)
{
	switch (r) {
	case KEY_OK:
	case KEY_SYNTAX:
		imap_bad(im, "Not a search");
		break;
	case KEY_LIMIT:
		imap_bad(im, "Too many search keys");
		break;
	case KEY_UIDREQUIRED:
		imap_bad(im, "[UIDREQUIRED] With UIDONLY there are no numbers");
		break;
	case KEY_CHARSET:
		/* a NO empties "$" (RFC 5182, section 2.1) */
		if (w->options & RETURN_SAVE)
			im->saved.n = 0;
		imap_reply(
		    im, "NO [BADCHARSET (UTF-8 US-ASCII)] Not that charset");
		break;
	}
}

bool
result_charset(
    struct search *s, const struct imap_arg *name, const struct wanted *w)
{
	struct imap *im = s->im;
	struct charset *c;

	if (!imap_is_string(name)) {
		imap_bad(im, "A charset is missing");
		return false;
	}
	if (span_iis(name->text, "UTF-8") || span_iis(name->text, "US-ASCII"))
		return true;
	c = name->text.n == 0 ? NULL : charset_open(name->text);
	if (c == NULL) {
		refuse(im, KEY_CHARSET, w);
		return false;
	}
	charset_close(c);
	s->charset = name->text;
	return true;
}

bool
result_take_charset(
    struct search *s, const struct imap_arg **a, const struct wanted *w)
{
	if (!span_iis((*a)->text, "CHARSET"))
		return true;
	if (s->im->enabled & ENABLE_UTF8) { /* RFC 6855, section 3 */
		imap_bad(s->im, "No CHARSET with UTF8=ACCEPT");
		return false;
	}
	if (!result_charset(s, (*a)->next, w))
		return false;
	*a = (*a)->next->next;
	return true;
}

bool
result_find(struct search *s, const struct imap_arg *keys,
    const struct wanted *w, struct results *r)
{
	enum key_result parsed = key_parse(s, keys);

	if (parsed != KEY_OK) {
		refuse(s->im, parsed, w);
		return false;
	}
	if (s->modseq)
		sync_condstore(s->im);
	run(s, r);
	return true;
}

static uint32_t
number(struct imap *im, uint32_t i)
{
	return im->e.uid ? folder_msg(im->folder, i)->uid : i + 1;
}

/* The highest of what is told: RFC 7162, sections 3.1.6 and 3.1.10. */
static uint64_t
modseq_of(struct imap *im, const struct results *r, size_t from, size_t to)
{
	uint64_t most = 0;

	for (; from < to; from++) {
		uint64_t m = folder_msg(im->folder, r->idx[from])->modseq;

		if (m > most)
			most = m;
	}
	return most;
}

static void
put_number(struct imap *im, const char *name, uint64_t n)
{
	out_puts(&im->out, name);
	out_putu(&im->out, n);
}

/* mailbox-data = "SEARCH" *(SP nz-number) [SP search-sort-mod-seq] */
static void
put_plain(struct search *s, const struct results *r, const char *verb)
{
	struct imap *im = s->im;

	out_puts(&im->out, "* ");
	out_puts(&im->out, verb);
	for (size_t i = 0; i < r->n; i++)
		put_number(im, " ", number(im, r->idx[i]));
	if (s->modseq && r->n > 0) {
		put_number(im, " (MODSEQ ", modseq_of(im, r, 0, r->n));
		out_putc(&im->out, ')');
	}
	out_puts(&im->out, "\r\n");
}

/* A set in the order that it has; what is written goes out bit by bit. */
static void
put_set(struct imap *im, const struct results *r, size_t from, size_t to)
{
	struct buf b = { .max = LINE + 64 };
	struct imapset_writer w = { 0 };

	for (; from < to; from++) {
		imapset_add(&b, &w, number(im, r->idx[from]));
		if (b.n > LINE) {
			imap_put(im, &b);
			buf_clear(&b);
		}
	}
	imapset_end(&b, &w);
	imap_put(im, &b);
	buf_free(&b);
}

/* What a range names of n results: [*from, *to), in their order. */
static void
place(const struct partial *p, size_t n, size_t *from, size_t *to)
{
	size_t first = p->first - 1, last = p->last;

	*from = *to = 0;
	if (first >= n)
		return;
	if (last > n)
		last = n;
	*from = p->from_end ? n - last : first;
	*to = p->from_end ? n - first : last;
}

static void
put_partial(struct imap *im, const struct results *r, const struct partial *p)
{
	const char *minus = p->from_end ? "-" : "";
	size_t from, to;

	out_printf(&im->out, " PARTIAL (%s%lu:%s%lu ", minus,
	    (unsigned long)p->first, minus, (unsigned long)p->last);
	place(p, r->n, &from, &to);
	if (from == to)
		out_puts(&im->out, "NIL");
	else
		put_set(im, r, from, to);
	out_putc(&im->out, ')');
}

/* RFC 4731, section 3.2: of what is returned alone. */
static uint64_t
extended_modseq(
    struct imap *im, const struct results *r, const struct wanted *w)
{
	size_t from = 0, to = 0;
	uint64_t most = 0, m;

	if (w->options & (RETURN_ALL | RETURN_COUNT) ||
	    (w->options & RETURN_SAID) == 0)
		return modseq_of(im, r, 0, r->n);
	if (w->options & RETURN_PARTIAL) {
		place(&w->partial, r->n, &from, &to);
		most = modseq_of(im, r, from, to);
	}
	m = modseq_of(im, r, 0, w->options & RETURN_MIN ? 1 : 0);
	most = m > most ? m : most;
	m = modseq_of(im, r, r->n - (w->options & RETURN_MAX ? 1 : 0), r->n);
	return m > most ? m : most;
}

/* search-correlator = SP "(" one-correlator *(SP one-correlator) ")" */
void
result_correlator(struct imap *im, struct span tag, struct span mailbox)
{
	out_puts(&im->out, "* ESEARCH (TAG \"");
	out_put(&im->out, tag);
	out_putc(&im->out, '"');
	if (mailbox.n > 0) {
		out_puts(&im->out, " MAILBOX ");
		imap_put_name(im, mailbox);
		put_number(im, " UIDVALIDITY ", folder_uidvalidity(im->folder));
	}
	out_putc(&im->out, ')');
}

/* esearch-response = "ESEARCH" [search-correlator] [SP "UID"] ... */
static void
put_extended(struct search *s, const struct results *r, const struct wanted *w)
{
	struct imap *im = s->im;

	result_correlator(im, im->e.tag, w->mailbox);
	out_puts(&im->out, im->e.uid ? " UID" : "");
	if (r->n > 0 && w->options & RETURN_MIN)
		put_number(im, " MIN ", number(im, r->idx[0]));
	if (r->n > 0 && w->options & RETURN_MAX)
		put_number(im, " MAX ", number(im, r->idx[r->n - 1]));
	if (w->options & RETURN_COUNT)
		put_number(im, " COUNT ", r->n);
	if (r->n > 0 && w->options & RETURN_ALL) {
		out_puts(&im->out, " ALL ");
		put_set(im, r, 0, r->n);
	}
	if (w->options & RETURN_PARTIAL)
		put_partial(im, r, &w->partial);
	if (s->modseq && r->n > 0)
		put_number(im, " MODSEQ ", extended_modseq(im, r, w));
	out_puts(&im->out, "\r\n");
}

void
result_tell(struct search *s, const struct results *r, const struct wanted *w,
    const char *verb)
{
	if (!w->extended)
		put_plain(s, r, verb);
	else if (w->options & RETURN_SAID)
		put_extended(s, r, w);
}

static int
by_uid(const void *a, const void *b)
{
	const struct imapset_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/*
 * With MIN, MAX or PARTIAL and without ALL or COUNT only these are kept
 * (RFC 5182, section 2.4; RFC 9394, section 3.2).
 */
void
result_save(struct imap *im, const struct results *r, const struct wanted *w)
{
	bool some =
	    (w->options & (RETURN_MIN | RETURN_MAX | RETURN_PARTIAL)) != 0 &&
	    (w->options & (RETURN_ALL | RETURN_COUNT)) == 0;
	struct imapset *set = &im->saved;
	size_t from = 0, to = 0;

	free(set->range);
	set->n = 0;
	set->range = die_calloc(r->n + 1, sizeof(set->range[0]));
	if (w->options & RETURN_PARTIAL)
		place(&w->partial, r->n, &from, &to);
	for (size_t i = 0; i < r->n; i++) {
		uint32_t uid = folder_msg(im->folder, r->idx[i])->uid;

		if (some && !(i == 0 && w->options & RETURN_MIN) &&
		    !(i == r->n - 1 && w->options & RETURN_MAX) &&
		    !(i >= from && i < to))
			continue;
		set->range[set->n++] = (struct imapset_range){ uid, uid };
	}
	qsort(set->range, set->n, sizeof(set->range[0]), by_uid);
}
