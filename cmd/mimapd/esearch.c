/* ESEARCH: searches of several mailboxes (RFC 7377). */
#include <errno.h>

#include "base/die.h"
#include "context.h"
#include "io/log.h"
#include "store/acl.h"

struct sources {
	struct box *box; /* all there are */
	size_t n;
	unsigned char *chosen; /* 1: by its place, 2: by its name */
	bool selected, other;
};

enum { BY_PLACE = 1, BY_NAME = 2 };

static bool
is_box(const char *box, struct span name)
{
	return span_is(name, box) ||
	    (span_iis(name, "INBOX") && strcmp(box, "INBOX") == 0);
}

/* Whether box lies below name; with one, right below it. */
static bool
is_below(const struct boxes *b, const char *box, struct span name, bool one)
{
	struct span s = span_of(box), top;

	if (s.n <= name.n || s.p[name.n] != b->separator)
		return false;
	top = span_take(&s, name.n);
	if (!span_eq(top, name) &&
	    !(span_iis(name, "INBOX") && span_is(top, "INBOX")))
		return false;
	span_take(&s, 1);
	return !one || span_chr(s, b->separator) == s.n;
}

enum place { INBOXES, PERSONAL, SUBSCRIBED, SUBTREE, SUBTREE_ONE, MAILBOXES };

static void
choose(struct imap *im, struct sources *s, enum place place, struct span name)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct box *b = &s->box[i];
		bool below = false, named = is_box(b->name, name);

		if (b->attrs & (BOX_NOSELECT | BOX_NONEXISTENT))
			continue;
		switch (place) {
		case INBOXES:
			below = strcmp(b->name, "INBOX") == 0;
			break;
		case PERSONAL:
			below = true;
			break;
		case SUBSCRIBED:
			below = (b->attrs & BOX_SUBSCRIBED) != 0;
			break;
		case SUBTREE:
		case SUBTREE_ONE:
			below = is_below(
			    &im->boxes, b->name, name, place == SUBTREE_ONE);
			break;
		case MAILBOXES:
			break;
		}
		if (below)
			s->chosen[i] |= BY_PLACE;
		if (named && place >= SUBTREE)
			s->chosen[i] |= BY_NAME;
	}
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static bool
choose_names(struct imap *im, struct sources *s, enum place place,
    const struct imap_arg *a)
{
	struct span name;
	bool list = a != NULL && a->type == IMAP_LIST;

	if (a == NULL || (list && a->list == NULL)) {
		imap_bad(im, "A mailbox is missing");
		return false;
	}
	for (a = list ? a->list : a; a != NULL; a = list ? a->next : NULL) {
		if (!imap_name(im, a, &name))
			return false;
		choose(im, s, place, name);
	}
	return true;
}

/* source-mbox = filter-mailboxes *(SP filter-mailboxes); false: answered */
static bool
parse_sources(struct imap *im, struct sources *s, const struct imap_arg *a)
{
	static const char *const names[] = { "inboxes", "personal",
		"subscribed", "subtree", "subtree-one", "mailboxes" };

	for (; a != NULL; a = a->next) {
		int k = 0;

		if (a->type == IMAP_ATOM && span_iis(a->text, "selected")) {
			s->selected = true;
			continue;
		}
		while (k <= MAILBOXES &&
		    !(a->type == IMAP_ATOM && span_iis(a->text, names[k])))
			k++;
		if (k > MAILBOXES) {
			imap_bad(im, "Unknown source of a search");
			return false;
		}
		s->other = true;
		if (k < SUBTREE) {
			choose(im, s, (enum place)k, SPAN(""));
			continue;
		}
		a = a->next;
		if (!choose_names(im, s, (enum place)k, a))
			return false;
	}
	return true;
}

/* ["IN" SP "(" ... ")"] ["RETURN" ...] ["CHARSET" ...]; false: answered */
static bool
arguments(struct search *s, const struct imap_arg **a, struct sources *from,
    struct wanted *w)
{
	struct imap *im = s->im;

	from->selected = !span_iis((*a)->text, "IN");
	if (!from->selected) {
		*a = (*a)->next;
		if (*a == NULL || (*a)->type != IMAP_LIST ||
		    (*a)->list == NULL) {
			imap_bad(im, "Unknown source of a search");
			return false;
		}
		if (!parse_sources(im, from, (*a)->list))
			return false;
		*a = (*a)->next;
	}
	if (!result_options(im, a, w))
		return false;
	if ((from->selected && im->folder == NULL) ||
	    (w->options & RETURN_UPDATE && im->folder == NULL) ||
	    (w->options & RETURN_SAVE && from->other)) {
		imap_bad(im, "Only with a mailbox selected, and it alone");
		return false;
	}
	return result_take_charset(s, a, w);
}

/* Of im->folder.  False: the keys are wrong, and that was answered. */
static bool
search_one(struct search *s, const struct imap_arg *keys, struct wanted *w,
    struct span name, bool selected)
{
	struct arena_mark mark = arena_mark(s->arena);
	struct imap *im = s->im;
	struct results r = { 0 };

	s->text = NULL;
	if (!result_find(s, keys, w, &r))
		return false;
	if (selected && w->options & RETURN_SAVE)
		result_save(im, &r, w);
	w->mailbox = name;
	if (r.n > 0)
		result_tell(s, &r, w, "");
	if (selected && w->options & RETURN_UPDATE)
		context_add(s, keys, &r, NULL, w->fetch);
	free(r.idx);
	arena_release(s->arena, mark);
	return true;
}

/* Another mailbox in the place of the selected one, for one search. */
static bool
search_other(struct search *s, const struct imap_arg *keys, struct wanted *w,
    const struct box *box, unsigned chosen)
{
	unsigned need = ACL_R | (chosen & BY_NAME ? 0 : ACL_L);
	struct imap *im = s->im;
	struct folder *selected = im->folder;
	struct imapset saved = im->saved;
	char path[LIMIT_PATH];
	bool ok = true;

	if (boxes_find(&im->boxes, span_of(box->name), path, sizeof(path)) !=
		BOX_OK ||
	    (acl_owner(path) & need) != need)
		return true;
	body_close(im);
	if (folder_open(&im->folder, path, false) == 0) {
		im->saved = (struct imapset){ 0 };
		ok = search_one(s, keys, w, span_of(box->name), false);
		body_close(im);
		folder_close(im->folder);
		im->saved = saved;
	} else if (errno != ENOENT) {
		log_error("mailbox", box->name);
	}
	im->folder = selected;
	return ok;
}

static bool
search_all(struct search *s, const struct imap_arg *keys, struct wanted *w,
    const struct sources *from)
{
	struct imap *im = s->im;
	bool told = false;

	for (size_t i = 0; i < from->n; i++) {
		const struct box *b = &from->box[i];
		bool here =
		    strcmp(b->name, im->box) == 0 && select_is(im, im->path);

		if (from->chosen[i] == 0 && !(here && from->selected))
			continue;
		told = told || here;
		if (here ? !search_one(s, keys, w, span_of(im->box), true)
			 : !search_other(s, keys, w, b, from->chosen[i]))
			return false;
	}
	return told || !from->selected ||
	    search_one(s, keys, w, span_of(im->box), true);
}

void
cmd_esearch(struct imap *im)
{
	struct search s = { .im = im, .arena = &im->e.arena };
	struct wanted w = { .extended = true, .options = RETURN_ALL };
	const struct imap_arg *a = im->e.args;
	struct sources from = { 0 };
	int n = boxes_list(&im->boxes, &from.box);

	if (n == -1) {
		imap_failed(im, "mailboxes");
		return;
	}
	from.n = (size_t)n;
	from.chosen = die_calloc(from.n + 1, 1);
	im->e.uid = true; /* it tells UIDs alone */
	if (arguments(&s, &a, &from, &w) && search_all(&s, a, &w, &from))
		imap_done(im, "OK Search completed");
	free(from.chosen);
	free(from.box);
}
