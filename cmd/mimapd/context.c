/* Results kept up to date: RFC 5267, section 4.3. */
#include "context.h"

#include "base/die.h"
#include "fetch.h"

enum { ARENA = 262144, LINE = 4000 };

struct context {
	struct context *next;
	struct buf tag;
	struct arena arena;
	struct search search;
	bool uid, sorted;
	bool mailbox; /* is named: it was ESEARCH */
	struct criteria by;
	const struct imap_arg *fetch; /* of what comes, or NULL */
	uint32_t *uids;               /* what was found, in its order */
	size_t n;
	uint64_t modseq; /* messages with no larger one were looked at */
};

bool
context_has(struct imap *im, struct span tag)
{
	for (struct context *c = im->contexts; c != NULL; c = c->next)
		if (span_eq(buf_span(&c->tag), tag))
			return true;
	return false;
}

static void
context_free(struct context *c)
{
	buf_free(&c->tag);
	arena_free(&c->arena);
	free(c->uids);
	free(c);
}

void
context_close(struct imap *im)
{
	while (im->contexts != NULL) {
		struct context *c = im->contexts;

		im->contexts = c->next;
		context_free(c);
	}
}

static uint32_t *
uids_of(struct imap *im, const struct results *r)
{
	uint32_t *uid = malloc((r->n + 1) * sizeof(*uid));

	if (uid == NULL)
		die_memory();
	for (size_t k = 0; k < r->n; k++)
		uid[k] = folder_msg(im->folder, r->idx[k])->uid;
	return uid;
}

static bool
can_fetch(struct imap *im, const struct imap_arg *fetch)
{
	static const struct modifiers none;
	struct imap_arg one;
	struct item *items;

	if (fetch == NULL)
		return true;
	one = *fetch;
	one.next = NULL;
	return item_parse(im, &one, &none, &items);
}

void
context_add(struct search *s, const struct imap_arg *keys,
    const struct results *r, const struct criteria *by,
    const struct imap_arg *fetch)
{
	struct imap *im = s->im;
	struct context *c = die_calloc(1, sizeof(*c));
	size_t n = 0;

	for (struct context *k = im->contexts; k != NULL; k = k->next)
		n++;
	arena_init(&c->arena, ARENA);
	c->tag.max = LIMIT_IMAP_TAG;
	buf_put(&c->tag, im->e.tag);
	c->search = (struct search){ .im = im,
		.arena = &c->arena,
		.charset = s->charset,
		.stays = true };
	if (n >= LIMIT_IMAP_CONTEXTS || !can_fetch(im, fetch) ||
	    key_parse(&c->search, keys) != KEY_OK) {
		out_puts(&im->out, "* NO [NOUPDATE \"");
		out_put(&im->out, im->e.tag);
		out_puts(&im->out, "\"] Too many searches are kept\r\n");
		context_free(c);
		return;
	}
	if (fetch != NULL) {
		struct imap_arg one = *fetch;

		one.next = NULL;
		c->fetch = imap_keep(&c->arena, &one);
	}
	c->uid = im->e.uid;
	c->mailbox = span_iis(im->e.name, "ESEARCH");
	c->sorted = by != NULL;
	if (by != NULL)
		c->by = *by;
	c->uids = uids_of(im, r);
	c->n = r->n;
	c->modseq = folder_modseq(im->folder);
	c->next = im->contexts;
	im->contexts = c;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool
has(const uint32_t *sorted, size_t n, uint32_t uid)
{
	return n > 0 && bsearch(&uid, sorted, n, sizeof(uid), compare) != NULL;
}

/* By UID; of a context in mailbox order that is what it is. */
static uint32_t *
sorted_copy(const struct context *c, const uint32_t *uids, size_t n)
{
	uint32_t *copy = malloc((n + 1) * sizeof(*copy));

	if (copy == NULL)
		die_memory();
	if (n > 0)
		memcpy(copy, uids, n * sizeof(*copy));
	if (c->sorted)
		qsort(copy, n, sizeof(*copy), compare);
	return copy;
}

/* Pairs of a position and a set; "(" is not written yet when !open. */
struct pairs {
	struct context *c;
	const char *name;
	bool open;
	size_t next; /* the position that goes on with the set */
	struct imapset_writer set;
	struct buf line;
};

static void
begin(struct imap *im, const struct context *c)
{
	result_correlator(
	    im, buf_span(&c->tag), c->mailbox ? span_of(im->box) : SPAN(""));
	out_puts(&im->out, c->uid ? " UID " : " ");
}

static void
end(struct pairs *p)
{
	struct imap *im = p->c->search.im;

	if (!p->open)
		return;
	imapset_end(&p->line, &p->set);
	begin(im, p->c);
	out_puts(&im->out, p->name);
	out_puts(&im->out, " (");
	imap_put(im, &p->line);
	out_puts(&im->out, ")\r\n");
	buf_clear(&p->line);
	p->open = false;
}

static void
pair(struct pairs *p, size_t position, uint32_t uid)
{
	struct context *c = p->c;
	struct imap *im = c->search.im;
	uint32_t n = c->uid ? uid : (uint32_t)folder_lower(im->folder, uid) + 1;

	p->line.max = LINE + 64;
	if (p->line.n > LINE)
		end(p);
	if (!p->open || (c->sorted && position != p->next)) {
		if (p->open) {
			imapset_end(&p->line, &p->set);
			buf_putc(&p->line, ' ');
		}
		buf_putu(&p->line, c->sorted ? position : 0);
		buf_putc(&p->line, ' ');
		p->set = (struct imapset_writer){ 0 };
		p->open = true;
	}
	imapset_add(&p->line, &p->set, n);
}

/* From the end, so that the places of the others stay what they were. */
static void
tell_removed(struct context *c, const uint32_t *now, size_t n)
{
	struct pairs p = { .c = c, .name = "REMOVEFROM" };

	if (!c->sorted) {
		for (size_t k = 0; k < c->n; k++)
			if (!has(now, n, c->uids[k]))
				pair(&p, 0, c->uids[k]);
	} else {
		for (size_t k = c->n; k-- > 0;)
			if (!has(now, n, c->uids[k]))
				pair(&p, k + 1, c->uids[k]);
	}
	end(&p);
	buf_free(&p.line);
}

static void
tell_added(struct context *c, const uint32_t *old, size_t nold,
    const uint32_t *uids, size_t n)
{
	struct pairs p = { .c = c, .name = "ADDTO" };

	for (size_t k = 0; k < n; k++)
		if (!has(old, nold, uids[k])) {
			pair(&p, k + 1, uids[k]);
			p.next = k + 2;
		}
	end(&p);
	buf_free(&p.line);
}

static void
update(struct imap *im, struct context *c)
{
	uint32_t *old = sorted_copy(c, c->uids, c->n), *now, *uids;
	size_t count = folder_count(im->folder);
	struct results r = { 0 };

	key_bind(&c->search);
	for (size_t i = 0; i < count; i++) {
		const struct msg *m = folder_msg(im->folder, i);

		if (!m->gone &&
		    (m->modseq > c->modseq || c->search.clock
			    ? key_match(&c->search, i)
			    : has(old, c->n, m->uid)))
			results_add(&r, i);
	}
	if (c->sorted)
		order_sort(im, &r, &c->by);
	uids = uids_of(im, &r);
	now = sorted_copy(c, uids, r.n);
	tell_removed(c, now, r.n);
	tell_added(c, old, c->n, uids, r.n);
	free(old);
	free(now);
	free(c->uids);
	c->uids = uids;
	c->n = r.n;
	free(r.idx);
}

void
context_flush(struct imap *im, bool gone)
{
	uint64_t modseq = folder_modseq(im->folder);

	for (struct context *c = im->contexts; c != NULL; c = c->next) {
		if (c->modseq == modseq && !c->search.clock && !gone)
			continue;
		update(im, c);
		c->modseq = modseq;
	}
}

void
context_fetch(struct imap *im, uint32_t from)
{
	static const struct modifiers none;

	for (struct context *c = im->contexts; c != NULL; c = c->next) {
		struct arena_mark a = arena_mark(&im->e.arena);
		struct item *items;

		if (c->fetch == NULL ||
		    !item_parse(im, c->fetch, &none, &items))
			continue;
		for (size_t k = 0; k < c->n; k++) {
			size_t i = folder_lower(im->folder, c->uids[k]);

			if (c->uids[k] >= from && i < folder_count(im->folder))
				fetch_unasked(im, items, i, i + 1);
		}
		arena_release(&im->e.arena, a);
	}
}

/* "CANCELUPDATE" 1*(SP quoted) */
void
cmd_cancelupdate(struct imap *im)
{
	const struct imap_arg *a;

	for (a = im->e.args; a != NULL; a = a->next)
		if (!imap_is_string(a)) {
			imap_bad(im, "Not a tag");
			return;
		}
	for (a = im->e.args; a != NULL; a = a->next) {
		struct context **p = &im->contexts, *c;

		while (*p != NULL && !span_eq(buf_span(&(*p)->tag), a->text))
			p = &(*p)->next;
		if ((c = *p) == NULL)
			continue;
		*p = c->next;
		context_free(c);
	}
	imap_done(im, "OK No further updates");
}
