/* LIST (RFC 3501, RFC 5258, RFC 5819, RFC 6154) and LSUB. */
#include "imap.h"
#include "imap/listmatch.h"

enum { PATTERNS_MAX = 100 };

struct query {
	struct imap *im;
	struct span pattern[PATTERNS_MAX];
	size_t n;
	bool subscribed, recursive, special, remote; /* selected */
	bool extended, show_subscribed;
	unsigned status;
	struct span old; /* OLDNAME, where it differs */
	struct box *box;
	int nboxes;
};

static const struct {
	unsigned attr;
	const char *name;
} uses[] = {
	{ BOX_DRAFTS, "\\Drafts" },
	{ BOX_JUNK, "\\Junk" },
	{ BOX_SENT, "\\Sent" },
	{ BOX_TRASH, "\\Trash" },
	{ BOX_ARCHIVE, "\\Archive" },
};

enum { USES = BOX_DRAFTS | BOX_JUNK | BOX_SENT | BOX_TRASH | BOX_ARCHIVE };

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

	out_printf(&im->out, "* %s (", word);
	if (attrs & (BOX_NOSELECT | BOX_NONEXISTENT) && !lsub)
		out_puts(&im->out,
		    q->extended || im->rev2 ? "\\NonExistent " : "\\Noselect ");
	else if (attrs & BOX_NOSELECT)
		out_puts(&im->out, "\\Noselect ");
	out_puts(&im->out,
	    attrs & BOX_HASCHILDREN ? "\\HasChildren" : "\\HasNoChildren");
	if (attrs & BOX_SUBSCRIBED && (q->subscribed || q->show_subscribed))
		out_puts(&im->out, " \\Subscribed");
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (attrs & uses[i].attr)
			out_printf(&im->out, " %s", uses[i].name);
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

/* Whether something subscribed below it is not itself in the answer. */
static bool
hides_subscribed(const struct query *q, const struct box *parent)
{
	size_t n = strlen(parent->name);

	for (int i = 0; i < q->nboxes; i++) {
		const struct box *b = &q->box[i];

		if (b->attrs & BOX_SUBSCRIBED &&
		    strncmp(b->name, parent->name, n) == 0 &&
		    b->name[n] == q->im->boxes.separator &&
		    !matches(q, b->name))
			return true;
	}
	return false;
}

static void
put_status(const struct query *q, const struct box *b)
{
	char path[LIMIT_PATH];

	if (q->status != 0 && !(b->attrs & (BOX_NOSELECT | BOX_NONEXISTENT)) &&
	    boxes_find(&q->im->boxes, span_of(b->name), path, sizeof(path)) ==
		BOX_OK)
		status_put(q->im, span_of(b->name), path, q->status);
}

static void
list_box(const struct query *q, const struct box *b)
{
	bool childinfo = q->recursive && hides_subscribed(q, b);

	if (q->special && !(b->attrs & USES))
		return;
	if (q->subscribed ? !(b->attrs & BOX_SUBSCRIBED) && !childinfo
			  : (b->attrs & BOX_NONEXISTENT) != 0)
		return;
	put_box(q, "LIST", b, b->attrs, childinfo);
	put_status(q, b);
}

static void
lsub_box(const struct query *q, const struct box *b)
{
	if (b->attrs & BOX_SUBSCRIBED)
		put_box(
		    q, "LSUB", b, b->attrs & ~(unsigned)BOX_NOSELECT, false);
	else if (hides_subscribed(q, b))
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

/* "RETURN" SP "(" [return-option *(SP return-option)] ")" */
static bool
return_options(struct query *q, const struct imap_arg *a)
{
	const struct imap_arg *o;

	if (a == NULL)
		return true;
	q->extended = true;
	if (!span_iis(a->text, "RETURN") || a->next == NULL ||
	    a->next->type != IMAP_LIST || a->next->next != NULL)
		return false;
	for (o = a->next->list; o != NULL; o = o->next) {
		if (span_iis(o->text, "SUBSCRIBED")) {
			q->show_subscribed = true;
		} else if (span_iis(o->text, "STATUS")) {
			o = o->next;
			if (o == NULL || o->type != IMAP_LIST ||
			    !status_items(q->im, o, &q->status))
				return false;
		} else if (!span_iis(o->text, "CHILDREN") &&
		    !span_iis(o->text, "SPECIAL-USE")) {
			return false;
		}
	}
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
	if (!imap_is_string(a) || a->next == NULL ||
	    !return_options(q, a->next->next)) {
		imap_bad(im, "Syntax of LIST");
		return;
	}
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
	if (!imap_is_string(a)) {
		imap_bad(im, "Syntax of LSUB");
		return;
	}
	if (add_pattern(q, a->text, a->next) && run(q, lsub_box))
		imap_done(im, "OK Lsub completed");
}
