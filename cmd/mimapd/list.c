/* LIST (RFC 3501, RFC 5258, RFC 5819, RFC 6154, RFC 8440,
 * RFC 9590) and LSUB. */
#include "imap.h"
#include "imap/listmatch.h"
#include "store/acl.h"

enum { PATTERNS_MAX = 100 };

struct query {
	struct imap *im;
	struct span pattern[PATTERNS_MAX];
	size_t n;
	bool subscribed, recursive, special, remote; /* selected */
	bool extended, show_subscribed, no_access;
	unsigned status;
	const struct imap_arg *metadata; /* entries, or NULL */
	bool myrights;
	struct span old; /* OLDNAME, where it differs */
	struct box *box;
	int nboxes;
};

static void
put_separator(struct imap *im)
{
	char s = im->boxes.separator;

	out_printf(&im->out, "\"%s%c\" ", s == '\\' || s == '"' ? "\\" : "", s);
}

/* mailbox-list = "(" [mbx-list-flags] ")" SP separator SP mailbox */
static void
put_box(const struct query *q, const char *word, const struct box *b,
    unsigned attrs, bool childinfo)
{
	struct imap *im = q->im;
	bool lsub = word[1] == 'S';
	struct buf use = { .max = 256 };

	out_printf(&im->out, "* %s (", word);
	if (attrs & (BOX_NOSELECT | BOX_NONEXISTENT) && !lsub)
		out_puts(&im->out,
		    q->extended || im->enabled & ENABLE_REV2 ? "\\NonExistent "
							     : "\\Noselect ");
	else if (attrs & BOX_NOSELECT)
		out_puts(&im->out, "\\Noselect ");
	out_puts(&im->out,
	    attrs & BOX_HASCHILDREN ? "\\HasChildren" : "\\HasNoChildren");
	if (attrs & BOX_SUBSCRIBED && !lsub &&
	    (q->subscribed || q->show_subscribed))
		out_puts(&im->out, " \\Subscribed");
	if (q->no_access)
		out_puts(&im->out, " \\NoAccess");
	boxes_put_uses(&use, attrs);
	if (use.n > 0) {
		out_putc(&im->out, ' ');
		imap_put(im, &use);
	}
	buf_free(&use);
	out_puts(&im->out, ") ");
	put_separator(im);
	imap_put_name(im, span_of(b->name));
	if (childinfo)
		out_puts(&im->out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	if (q->old.p != NULL)
		imap_put_oldname(im, q->old, span_of(b->name));
	out_puts(&im->out, "\r\n");
}

static bool
matches(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->n; i++)
		if (listmatch(
			q->pattern[i], span_of(name), q->im->boxes.separator))
			return true;
	return false;
}

/* What the selection options ask of a mailbox. */
static bool
is_selected(const struct query *q, const struct box *b)
{
	return (!q->subscribed || b->attrs & BOX_SUBSCRIBED) &&
	    (!q->special || b->attrs & BOX_USES);
}

/* The first of the list, behind INBOX, that is not before the name. */
static int
lower(const struct query *q, struct span name)
{
	int from = 1, to = q->nboxes;

	while (from < to) {
		int mid = from + (to - from) / 2;

		if (span_cmp(span_of(q->box[mid].name), name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* Whether a mailbox below it is selected: *hidden, and not in the answer. */
static bool
has_selected(const struct query *q, const struct box *parent, bool *hidden)
{
	struct buf b = { .max = LIMIT_MAILBOX_NAME + 2 };
	bool any = false;

	*hidden = false;
	buf_puts(&b, parent->name);
	buf_putc(&b, q->im->boxes.separator);
	for (int i = lower(q, buf_span(&b)); i < q->nboxes && !*hidden; i++) {
		const struct box *child = &q->box[i];

		if (!span_starts(span_of(child->name), buf_cstr(&b)))
			break;
		if (!is_selected(q, child))
			continue;
		any = true;
		*hidden = !matches(q, child->name);
	}
	buf_free(&b);
	return any;
}

static void
put_more(const struct query *q, const struct box *b)
{
	char path[LIMIT_PATH];

	if ((q->status == 0 && q->metadata == NULL && !q->myrights) ||
	    b->attrs & (BOX_NOSELECT | BOX_NONEXISTENT) ||
	    boxes_find(&q->im->boxes, span_of(b->name), path, sizeof(path)) !=
		BOX_OK)
		return;
	if (q->myrights)
		acl_put_myrights(q->im, span_of(b->name), path);
	if (!(acl_owner(path) & ACL_R))
		return;
	/* A mailbox that can't be read goes without: RFC 5819, section 2. */
	if (q->status != 0 &&
	    !status_put(q->im, span_of(b->name), path, q->status))
		return;
	if (q->metadata != NULL)
		metadata_put(q->im, span_of(b->name), path, q->metadata);
}

/* The table of RFC 5258, section 3.5. */
static void
list_box(const struct query *q, const struct box *b)
{
	bool selected = is_selected(q, b), hidden = false;
	bool below = q->recursive && has_selected(q, b, &hidden);

	if (!selected && !(below && hidden))
		return;
	if (!q->subscribed && b->attrs & BOX_NONEXISTENT)
		return;
	put_box(q, "LIST", b, b->attrs, below);
	put_more(q, b);
}

/* RFC 3501, section 6.3.9 */
static void
lsub_box(const struct query *q, const struct box *b)
{
	bool hidden;

	if (b->attrs & BOX_SUBSCRIBED)
		put_box(
		    q, "LSUB", b, b->attrs & ~(unsigned)BOX_NOSELECT, false);
	else if (has_selected(q, b, &hidden) && hidden)
		put_box(q, "LSUB", b, b->attrs | BOX_NOSELECT, false);
}

static bool
run(struct query *q, void (*each)(const struct query *, const struct box *))
{
	q->nboxes = boxes_list(&q->im->boxes, &q->box);
	if (q->nboxes == -1) {
		imap_failed(q->im, "list");
		return false;
	}
	for (int i = 0; i < q->nboxes; i++)
		if (matches(q, q->box[i].name))
			each(q, &q->box[i]);
	free(q->box);
	return true;
}

void
list_put(struct imap *im, struct span name, struct span old)
{
	struct query q = { .im = im, .old = old };

	q.nboxes = boxes_list(&im->boxes, &q.box);
	for (int i = 0; i < q.nboxes; i++)
		if (span_is(name, q.box[i].name))
			put_box(&q, "LIST", &q.box[i], q.box[i].attrs, false);
	if (q.nboxes != -1)
		free(q.box);
}

void
list_tell(struct imap *im, struct span name, unsigned attrs, struct span old,
    bool no_access)
{
	struct query q = { .im = im,
		.extended = true,
		.show_subscribed = true,
		.no_access = no_access };
	char text[LIMIT_MAILBOX_NAME + 1];
	struct box b = { text, attrs };

	if (!span_cstr(name, text, sizeof(text)))
		return;
	if (old.n > 0)
		q.old = old;
	put_box(&q, "LIST", &b, attrs, false);
}

/* Reference and pattern together, as UTF-8. */
static bool
add_pattern(struct query *q, struct span ref, const struct imap_arg *a)
{
	struct imap *im = q->im;
	struct imap_arg both = { .type = IMAP_QUOTED };
	char *p;

	if (!imap_is_string(a) || q->n == PATTERNS_MAX) {
		imap_bad(im, "Not a pattern");
		return false;
	}
	p = arena_alloc(&im->e.arena, ref.n + a->text.n + 1);
	if (ref.n > 0)
		memcpy(p, ref.p, ref.n);
	if (a->text.n > 0)
		memcpy(p + ref.n, a->text.p, a->text.n);
	both.text = (struct span){ p, ref.n + a->text.n };
	return imap_name(im, &both, &q->pattern[q->n++]);
}

/* "(" [list-select-opt *(SP list-select-opt)] ")" */
static bool
select_options(struct query *q, const struct imap_arg *o)
{
	q->extended = true;
	for (; o != NULL; o = o->next) {
		if (span_iis(o->text, "SUBSCRIBED"))
			q->subscribed = true;
		else if (span_iis(o->text, "RECURSIVEMATCH"))
			q->recursive = true;
		else if (span_iis(o->text, "SPECIAL-USE"))
			q->special = true;
		else if (!span_iis(o->text, "REMOTE"))
			return false;
	}
	return !q->recursive || q->subscribed;
}

/* One return-option, of which *o is the last argument; false: answered. */
static bool
return_option(struct query *q, const struct imap_arg **o)
{
	const struct imap_arg *value = (*o)->next;

	if (span_iis((*o)->text, "SUBSCRIBED")) {
		q->show_subscribed = true;
	} else if (span_iis((*o)->text, "MYRIGHTS")) {
		q->myrights = true;
	} else if (span_iis((*o)->text, "STATUS")) {
		*o = value;
		return status_items(q->im, value, &q->status);
	} else if (span_iis((*o)->text, "METADATA")) {
		*o = q->metadata = value;
		return metadata_entries(q->im, value);
	} else if (!span_iis((*o)->text, "CHILDREN") &&
	    !span_iis((*o)->text, "SPECIAL-USE")) {
		imap_bad(q->im, "Unknown return option of LIST");
		return false;
	}
	return true;
}

/* "RETURN" SP "(" [return-option *(SP return-option)] ")" */
static bool
return_options(struct query *q, const struct imap_arg *a)
{
	const struct imap_arg *o;

	if (a == NULL)
		return true;
	q->extended = true;
	if (!span_iis(a->text, "RETURN") || a->next == NULL ||
	    a->next->type != IMAP_LIST || a->next->next != NULL) {
		imap_bad(q->im, "Syntax of LIST");
		return false;
	}
	for (o = a->next->list; o != NULL; o = o->next)
		if (!return_option(q, &o))
			return false;
	return true;
}

/* list = "LIST" [SP select-opts] SP mailbox SP patterns [SP return-opts] */
void
cmd_list(struct imap *im)
{
	const struct imap_arg *a = im->e.args;
	struct query *q = arena_alloc(&im->e.arena, sizeof(*q));
	struct span ref;

	q->im = im;
	if (a->type == IMAP_LIST) {
		if (!select_options(q, a->list)) {
			imap_bad(im, "Unknown option of LIST");
			return;
		}
		a = a->next;
	}
	if (a == NULL || !imap_is_string(a) || a->next == NULL ||
	    (a->next->type == IMAP_LIST && a->next->list == NULL)) {
		imap_bad(im, "Syntax of LIST");
		return;
	}
	if (!return_options(q, a->next->next))
		return;
	ref = a->text;
	a = a->next;
	if (a->type != IMAP_LIST && a->text.n == 0) {
		out_puts(&im->out, "* LIST (\\Noselect) ");
		put_separator(im);
		out_puts(&im->out, "\"\"\r\n");
		imap_done(im, "OK List completed");
		return;
	}
	q->extended = q->extended || a->type == IMAP_LIST;
	if (a->type != IMAP_LIST) {
		if (!add_pattern(q, ref, a))
			return;
	} else {
		for (a = a->list; a != NULL; a = a->next)
			if (!add_pattern(q, ref, a))
				return;
	}
	if (run(q, list_box))
		imap_done(im, "OK List completed");
}

void
cmd_lsub(struct imap *im)
{
	const struct imap_arg *a = im->e.args;
	struct query *q = arena_alloc(&im->e.arena, sizeof(*q));

	q->im = im;
	q->subscribed = true;
	if (!imap_is_string(a)) {
		imap_bad(im, "Syntax of LSUB");
		return;
	}
	if (add_pattern(q, a->text, a->next) && run(q, lsub_box))
		imap_done(im, "OK Lsub completed");
}
