/* NOTIFY (RFC 5465): events of mailboxes, told at any time. */
#include "notify.h"

#include <poll.h>
#include <unistd.h>

#include "base/die.h"
#include "fetch.h"
#include "io/deadline.h"
#include "io/watch.h"

enum {
	ARENA_MAX = 262144,
	POLL = 1,
	POLL_QUIET = 5,
	QUIET = 30,
	SETTLE = 20 /* ms */
};

static struct notify state = { .watch = -1 };

static const struct {
	const char *name;
	unsigned event;
} events[] = {
	{ "MessageNew", NOTIFY_NEW },
	{ "MessageExpunge", NOTIFY_EXPUNGE },
	{ "FlagChange", NOTIFY_FLAG },
	{ "MailboxName", NOTIFY_NAME },
	{ "SubscriptionChange", NOTIFY_SUBSCRIPTION },
	{ "MailboxMetadataChange", NOTIFY_METADATA },
	{ "ServerMetadataChange", NOTIFY_SERVER },
};

enum { NEVENTS = sizeof(events) / sizeof(events[0]) };

/* What a NOTIFY SET says, before it holds. */
struct parse {
	struct imap *im;
	struct notify *nt;
	bool status;
	struct group **tail;
};

static void
forget(struct notify *nt)
{
	notify_free_boxes(nt);
	arena_free(&nt->arena);
	if (nt->watch != -1)
		close(nt->watch);
	*nt = (struct notify){
		.watch = -1, .root_wd = -1, .selected_wd = { -1, -1, -1 }
	};
}

static bool
bad(struct parse *p, const char *text)
{
	imap_bad(p->im, text);
	return false;
}

/* unsupported-events-code */
static bool
bad_event(struct parse *p)
{
	imap_reply(p->im,
	    "NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName"
	    " SubscriptionChange MailboxMetadataChange"
	    " ServerMetadataChange)] No such event");
	return false;
}

struct imap_arg *
imap_keep(struct arena *a, const struct imap_arg *arg)
{
	struct imap_arg *first = NULL, **tail = &first;

	for (; arg != NULL; arg = arg->next) {
		struct imap_arg *c = arena_alloc(a, sizeof(*c));

		c->type = arg->type;
		c->text = arena_span(a, arg->text);
		c->list = imap_keep(a, arg->list);
		*tail = c;
		tail = &c->next;
	}
	return first;
}

/* MessageNew's "(" fetch-att *(SP fetch-att) ")" */
static bool
fetch_items(struct parse *p, const struct imap_arg *list, bool selected)
{
	struct imap_arg one = *list;
	struct item *items;
	static const struct modifiers none;

	if (!selected)
		return bad(p, "Items are for the selected mailbox alone");
	one.next = NULL;
	if (!item_parse(p->im, &one, &none, &items))
		return bad(p, "Not something to fetch");
	p->nt->fetch = imap_keep(&p->nt->arena, &one);
	return true;
}

/* events = "(" event *(SP event) ")" / "NONE"; also without parentheses,
 * as in an example of the RFC */
static bool
parse_events(
    struct parse *p, const struct imap_arg *a, bool selected, unsigned *mask)
{
	*mask = 0;
	if (a != NULL && a->type == IMAP_LIST && a->next == NULL)
		a = a->list;
	else if (a != NULL && a->next == NULL && span_iis(a->text, "NONE"))
		return true;
	if (a == NULL)
		return bad(p, "Events are missing");
	for (; a != NULL; a = a->next) {
		size_t i = 0;

		while (i < NEVENTS && !span_iis(a->text, events[i].name))
			i++;
		if (i == NEVENTS || a->type != IMAP_ATOM)
			return bad_event(p);
		*mask |= events[i].event;
		if (events[i].event == NOTIFY_NEW && a->next != NULL &&
		    a->next->type == IMAP_LIST) {
			a = a->next;
			if (!fetch_items(p, a, selected))
				return false;
		}
	}
	if (!(*mask & NOTIFY_NEW) != !(*mask & NOTIFY_EXPUNGE) ||
	    (*mask & NOTIFY_FLAG && !(*mask & NOTIFY_NEW)))
		return bad(p, "MessageNew and MessageExpunge belong together");
	if (selected && *mask & ~(unsigned)NOTIFY_MESSAGES)
		return bad(p, "Not an event of the selected mailbox");
	return true;
}

static bool
parse_selected(struct parse *p, const struct imap_arg *a)
{
	if (p->nt->has_selected)
		return bad(p, "The selected mailbox is there twice");
	p->nt->has_selected = true;
	p->nt->delayed = span_iis(a->text, "SELECTED-DELAYED");
	return parse_events(p, a->next, true, &p->nt->selected);
}

/* one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")" */
static bool
parse_names(struct parse *p, const struct imap_arg *a, struct group *g)
{
	const struct imap_arg *m = a;
	size_t n = 0;

	if (a == NULL)
		return bad(p, "A mailbox is missing");
	if (a->type == IMAP_LIST)
		m = a->list;
	for (const struct imap_arg *c = m; c != NULL; c = c->next)
		n++;
	if (a->type != IMAP_LIST)
		n = 1;
	g->name = arena_alloc(&p->nt->arena, (n + 1) * sizeof(*g->name));
	for (; g->nnames < n; m = m->next) {
		struct span name;

		if (!imap_name(p->im, m, &name))
			return false;
		if (span_iis(name, "INBOX"))
			name = SPAN("INBOX");
		g->name[g->nnames++] = arena_span(&p->nt->arena, name);
	}
	return n > 0 || bad(p, "A mailbox is missing");
}

/* event-group = "(" filter-mailboxes SP events ")" */
static bool
parse_group(struct parse *p, const struct imap_arg *a)
{
	struct group *g;

	if (a == NULL || a->type != IMAP_ATOM)
		return bad(p, "Not an event group");
	if (span_iis(a->text, "SELECTED") ||
	    span_iis(a->text, "SELECTED-DELAYED"))
		return parse_selected(p, a);
	g = arena_alloc(&p->nt->arena, sizeof(*g));
	*p->tail = g;
	p->tail = &g->next;
	if (span_iis(a->text, "PERSONAL") || span_iis(a->text, "INBOXES")) {
		g->filter = FILTER_PERSONAL;
	} else if (span_iis(a->text, "SUBSCRIBED")) {
		g->filter = FILTER_SUBSCRIBED;
	} else if (span_iis(a->text, "SUBTREE") ||
	    span_iis(a->text, "MAILBOXES")) {
		g->filter = span_iis(a->text, "SUBTREE") ? FILTER_SUBTREE
							 : FILTER_NAMES;
		a = a->next;
		if (!parse_names(p, a, g))
			return false;
	} else {
		return bad(p, "Unknown filter of mailboxes");
	}
	if (!parse_events(p, a->next, false, &g->events))
		return false;
	p->nt->server = p->nt->server || g->events & NOTIFY_SERVER;
	g->events &= ~(unsigned)NOTIFY_SERVER;
	return true;
}

/* notify-set = "SET" [SP "STATUS"] SP event-group *(SP event-group) */
static bool
parse_set(struct parse *p, const struct imap_arg *a)
{
	if (a != NULL && a->type == IMAP_ATOM && span_iis(a->text, "STATUS")) {
		p->status = true;
		a = a->next;
	}
	if (a == NULL)
		return bad(p, "Event groups are missing");
	for (; a != NULL; a = a->next)
		if (a->type != IMAP_LIST)
			return bad(p, "Not an event group");
		else if (arena_left(&p->nt->arena) < ARENA_MAX / 2) {
			imap_reply(p->im,
			    "NO [NOTIFICATIONOVERFLOW] Too many at once");
			return false;
		} else if (!parse_group(p, a->list))
			return false;
	return true;
}

static void
set(struct imap *im)
{
	struct notify new = {
		.watch = -1, .root_wd = -1, .selected_wd = { -1, -1, -1 }
	};
	struct parse p = { .im = im, .nt = &new };

	arena_init(&new.arena, ARENA_MAX);
	p.tail = &new.groups;
	if (!parse_set(&p, im->e.args->next)) {
		arena_free(&new.arena);
		return;
	}
	if (im->notify != NULL)
		notify_tell(im, false); /* what the old one still owes */
	forget(&state);
	state = new;
	im->notify = &state;
	if (!notify_learn(im, &state, p.status)) {
		forget(&state);
		im->notify = NULL;
		imap_reply(im, "NO [NOTIFICATIONOVERFLOW] Too many mailboxes");
		return;
	}
	imap_done(im, "OK Notify completed");
}

/* notify = "NOTIFY" SP (notify-set / "NONE") */
void
cmd_notify(struct imap *im)
{
	const struct imap_arg *a = im->e.args;

	if (span_iis(a->text, "SET")) {
		set(im);
	} else if (span_iis(a->text, "NONE") && a->next == NULL) {
		forget(&state);
		im->notify = &state;
		imap_done(im, "OK Notify completed");
	} else {
		imap_bad(im, "NOTIFY SET or NOTIFY NONE");
	}
}

/*
 * What a client with NOTIFY may be told of the selected mailbox.  Its own
 * commands that need a present view have it all the same.
 */
bool
notify_wants(const struct imap *im, unsigned event)
{
	return im->notify == NULL || (im->notify->selected & event) != 0;
}

void
notify_fetch(struct imap *im, size_t from, size_t to)
{
	static const struct modifiers none;
	struct arena_mark a = arena_mark(&im->e.arena);
	bool uid = im->e.uid;
	struct item *items;

	if (im->notify == NULL || im->notify->fetch == NULL)
		return;
	im->e.uid = false;
	if (item_parse(im, im->notify->fetch, &none, &items))
		fetch_unasked(im, items, from, to);
	im->e.uid = uid;
	arena_release(&im->e.arena, a);
}

/* Watch the selected mailbox, too. */
static void
watch_selected(struct imap *im, struct notify *nt)
{
	static const char *const parts[] = { "", "/new", "/cur" };
	char path[LIMIT_PATH + 8];

	if (im->folder == NULL) {
		nt->watched[0] = '\0';
		return;
	}
	if (strcmp(nt->watched, im->path) == 0)
		return;
	memcpy(nt->watched, im->path, sizeof(nt->watched));
	nt->selected_dirty = true;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", im->path, parts[i]);
		nt->selected_wd[i] = notify_watch_dir(nt, path);
	}
}

static void
tell_selected(struct imap *im, struct notify *nt, bool expunge)
{
	if (im->folder != NULL && nt->selected_dirty && nt->selected != 0) {
		acl_renew(im);
		sync_run(im, expunge || !nt->delayed);
	}
	nt->selected_dirty = false;
}

void
notify_tell(struct imap *im, bool expunge)
{
	struct notify *nt = im->notify;

	nt->telling = true;
	watch_selected(im, nt);
	notify_drain(im, nt);
	tell_selected(im, nt, expunge);
	if (nt->all_dirty && nt->groups != NULL && nt->watch != -1) {
		/* a RENAME is many renames: let them all be done */
		if (out_flush(&im->out) == 0)
			poll(NULL, 0, SETTLE);
		notify_drain(im, nt);
		tell_selected(im, nt, expunge);
	}
	notify_look(im, nt, false);
	nt->telling = false;
}

/* RFC 5465, section 5: what the client does itself is no news to it. */
static bool
is_own_change(const struct imap *im)
{
	static const char *const names[] = { "CREATE", "DELETE", "RENAME",
		"SUBSCRIBE", "UNSUBSCRIBE", "APPEND", "COPY", "MOVE", "REPLACE",
		"SETMETADATA", "SETACL", "DELETEACL", "SELECT", "EXAMINE",
		"CLOSE", "UNSELECT" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(im->e.name, names[i]))
			return true;
	return false;
}

void
notify_command(struct imap *im, bool before)
{
	struct notify *nt = im->notify;

	if (nt == NULL || !is_own_change(im))
		return;
	notify_drain(im, nt);
	notify_look(im, nt, !before);
}

int
notify_watch(struct imap *im, int64_t *deadline)
{
	struct notify *nt = im->notify;
	int64_t next;

	watch_selected(im, nt);
	if (nt->watch != -1)
		return nt->watch;
	next = deadline_in(unix_now() - nt->active > QUIET ? POLL_QUIET : POLL);
	if (next < *deadline)
		*deadline = next;
	return -1;
}

bool
notify_wait(struct imap *im)
{
	int64_t end = deadline_in(TIME_IMAP_IDLE), until;
	int watch, r;

	while (im->notify != NULL && !im->over) {
		until = end;
		watch = notify_watch(im, &until);
		if (im->notify->selected_dirty)
			notify_tell(im, false);
		r = wait_input(im, watch, until);
		if (r != 0)
			return r == 1;
		if (deadline_left(end) == 0) {
			out_puts(
			    &im->out, "* BYE Disconnected for inactivity\r\n");
			im->over = true;
			return false;
		}
		notify_tell(im, false);
	}
	return !im->over && wait_input(im, -1, DEADLINE_NEVER) != -1;
}
