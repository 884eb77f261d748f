/* MailboxName and SubscriptionChange: one list of mailboxes and the next. */
#include "notify.h"

/* Its parent is affected by what comes and goes below it. */
static void
tell_parent(struct imap *im, struct notify *nt, const char *name)
{
	struct span s = span_of(name);
	struct notify_box *p;
	char parent[LIMIT_MAILBOX_NAME + 1];

	s.n = span_rchr(s, im->boxes.separator);
	if (s.n == strlen(name) || !span_cstr(s, parent, sizeof(parent)))
		return;
	p = notify_find(nt->box, nt->n, parent);
	if (p != NULL && p->told)
		return;
	if (p != NULL)
		p->told = true;
	if (notify_events(im, nt, s, p == NULL ? 0 : p->attrs) & NOTIFY_NAME)
		list_tell(im, s, p == NULL ? BOX_NONEXISTENT : p->attrs,
		    SPAN(""), false);
}

/* The same folder under another name, that is gone from there. */
static const struct notify_box *
renamed_from(const struct notify_box *old, size_t n, const struct notify *nt,
    const struct notify_box *b)
{
	for (size_t i = 0; i < n; i++)
		if (old[i].ino == b->ino && b->ino != 0) {
			const struct notify_box *now =
			    notify_find(nt->box, nt->n, old[i].name);

			return now == NULL || now->ino != b->ino ? &old[i]
								 : NULL;
		}
	return NULL;
}

/* A folder below one that was renamed in the same way: not told. */
static bool
goes_along(const struct imap *im, struct notify *nt,
    const struct notify_box *old, size_t n, const char *was, const char *is)
{
	struct span a = span_of(was), b = span_of(is);
	char parent[LIMIT_MAILBOX_NAME + 1];
	const struct notify_box *p, *from;
	size_t at = span_rchr(a, im->boxes.separator);
	size_t to = span_rchr(b, im->boxes.separator);

	if (at == a.n || to == b.n || strcmp(was + at, is + to) != 0 ||
	    !span_cstr((struct span){ is, to }, parent, sizeof(parent)) ||
	    (p = notify_find(nt->box, nt->n, parent)) == NULL)
		return false;
	from = renamed_from(old, n, nt, p);
	return from != NULL && span_is((struct span){ was, at }, from->name);
}

/*
 * A renamed INBOX stays, and its messages are in a folder that is new, of
 * which the store says where they come from.  What is older than the list
 * before was told then.
 */
static bool
was_inbox(struct imap *im, const struct notify *nt, const struct notify_box *b)
{
	static const int64_t second = 1000000000;
	int64_t ns;

	return boxes_was_inbox(&im->boxes, span_of(b->name), &ns) &&
	    ns + second >= nt->root_ns;
}

static void
tell_new(struct imap *im, struct notify *nt, const struct notify_box *old,
    size_t n, struct notify_box *b)
{
	const struct notify_box *was = renamed_from(old, n, nt, b);
	struct span old_name = SPAN("");

	if (was != NULL && goes_along(im, nt, old, n, was->name, b->name))
		return;
	if (was != NULL)
		old_name = span_of(was->name);
	else if (was_inbox(im, nt, b))
		old_name = SPAN("INBOX");
	b->told = true;
	list_tell(im, span_of(b->name), b->attrs, old_name, false);
	tell_parent(im, nt, b->name);
}

static void
tell_gone(struct imap *im, struct notify *nt, const struct notify_box *b)
{
	struct notify_box *now = notify_find(nt->box, nt->n, b->name);

	for (size_t i = 0; i < nt->n; i++)
		if (nt->box[i].ino == b->ino)
			return; /* renamed */
	if (now != NULL)
		now->told = true;
	list_tell(im, span_of(b->name),
	    now == NULL ? BOX_NONEXISTENT : now->attrs, SPAN(""), false);
	tell_parent(im, nt, b->name);
}

/* Names and subscriptions: between the old list and the present one. */
void
notify_names(
    struct imap *im, struct notify *nt, struct notify_box *old, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct notify_box *now =
		    notify_find(nt->box, nt->n, old[i].name);

		if (old[i].events & NOTIFY_NAME && notify_exists(&old[i]) &&
		    (now == NULL || !notify_exists(now)))
			tell_gone(im, nt, &old[i]);
		if (now == NULL && old[i].events & NOTIFY_SUBSCRIPTION &&
		    old[i].attrs & BOX_SUBSCRIBED)
			list_tell(im, span_of(old[i].name), BOX_NONEXISTENT,
			    SPAN(""), false);
	}
	for (size_t i = 0; i < nt->n; i++) {
		struct notify_box *b = &nt->box[i],
				  *was = notify_find(old, n, b->name);
		unsigned had = was == NULL ? 0 : was->attrs;

		if (b->events & NOTIFY_NAME && notify_exists(b) &&
		    (was == NULL || !notify_exists(was) || was->ino != b->ino))
			tell_new(im, nt, old, n, b);
		if (b->events & NOTIFY_SUBSCRIPTION && !b->told &&
		    ((had ^ b->attrs) & BOX_SUBSCRIBED))
			list_tell(
			    im, span_of(b->name), b->attrs, SPAN(""), false);
	}
}
