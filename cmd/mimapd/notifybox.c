/* The mailboxes that a NOTIFY is about, but for the selected one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/watch.h"
#include "notify.h"
#include "store/acl.h"
#include "store/metadata.h"

enum { METADATA_MAX = LIMIT_METADATA * (LIMIT_METADATA_ENTRY + 24) };

static bool
below(struct span name, struct span top, char separator)
{
	return name.n > top.n && name.p[top.n] == separator &&
	    span_eq((struct span){ name.p, top.n }, top);
}

/* What all groups together want to hear of a mailbox. */
unsigned
notify_events(const struct imap *im, const struct notify *nt, struct span name,
    unsigned attrs)
{
	unsigned events = 0;

	for (const struct group *g = nt->groups; g != NULL; g = g->next) {
		bool meant = g->filter == FILTER_PERSONAL ||
		    (g->filter == FILTER_SUBSCRIBED && attrs & BOX_SUBSCRIBED);

		for (size_t i = 0; i < g->nnames && !meant; i++)
			meant = span_eq(name, g->name[i]) ||
			    (g->filter == FILTER_SUBTREE &&
				below(name, g->name[i], im->boxes.separator));
		if (meant)
			events |= g->events;
	}
	return events;
}

bool
notify_exists(const struct notify_box *b)
{
	return !(b->attrs & (BOX_NOSELECT | BOX_NONEXISTENT));
}

static bool
path_of(struct imap *im, const struct notify_box *b, char *path, size_t size)
{
	return boxes_path(&im->boxes, span_of(b->name), path, size) == BOX_OK;
}

static void
free_box(struct notify_box *b)
{
	free(b->name);
	buf_free(&b->metadata);
}

void
notify_free_boxes(struct notify *nt)
{
	for (size_t i = 0; i < nt->n; i++)
		free_box(&nt->box[i]);
	free(nt->box);
	nt->box = NULL;
	nt->n = 0;
	free(nt->map);
	nt->map = NULL;
	nt->nmap = 0;
	buf_free(&nt->server_metadata);
}

/* In the order of boxes_list. */
static int
compare(const char *a, const char *b)
{
	bool ai = strcmp(a, "INBOX") == 0, bi = strcmp(b, "INBOX") == 0;

	if (ai != bi)
		return ai ? -1 : 1;
	return strcmp(a, b);
}

struct notify_box *
notify_find(struct notify_box *box, size_t n, const char *name)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = compare(box[mid].name, name);

		if (c == 0)
			return &box[mid];
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

int
notify_watch_dir(struct notify *nt, const char *path)
{
	int wd = nt->watch == -1 ? -1 : watch_add(nt->watch, path);

	if (wd == -1 && nt->watch != -1 && errno != ENOENT &&
	    errno != ENOTDIR && errno != EACCES) {
		close(nt->watch);
		nt->watch = -1;
	}
	return wd;
}

static void
watch_box(struct notify *nt, struct notify_box *b, const char *path)
{
	static const char *const parts[] = { "", "/new", "/cur" };
	char part[LIMIT_PATH + 8];

	for (size_t i = 0; i < 3; i++) {
		snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		b->wd[i] = notify_watch_dir(nt, part);
	}
}

/* The mailboxes as they are now; -1 and errno (E2BIG: too many). */
static int
list(struct imap *im, struct notify *nt, struct notify_box **out)
{
	char path[LIMIT_PATH];
	struct notify_box *box;
	struct box *l;
	struct stat st;
	int n = boxes_list(&im->boxes, &l), kept = 0;

	if (n == -1)
		return -1;
	box = die_calloc((size_t)n + 1, sizeof(*box));
	for (int i = 0; i < n && kept <= LIMIT_NOTIFY; i++) {
		struct notify_box *b = &box[kept];

		b->events =
		    notify_events(im, nt, span_of(l[i].name), l[i].attrs);
		if (b->events == 0)
			continue;
		b->name = strdup(l[i].name);
		if (b->name == NULL)
			die_memory();
		b->attrs = l[i].attrs;
		b->dirty = true;
		b->wd[0] = b->wd[1] = b->wd[2] = -1;
		b->metadata.max = METADATA_MAX;
		if (notify_exists(b) && path_of(im, b, path, sizeof(path)) &&
		    stat(path, &st) == 0)
			b->ino = st.st_ino;
		kept++;
	}
	free(l);
	*out = box;
	if (kept <= LIMIT_NOTIFY)
		return kept;
	for (int i = 0; i < kept; i++)
		free_box(&box[i]);
	free(box);
	errno = E2BIG;
	return -1;
}

static int
by_wd(const void *a, const void *b)
{
	const struct notify_wd *x = a, *y = b;

	return x->wd < y->wd ? -1 : x->wd > y->wd;
}

static void
map_watches(struct notify *nt)
{
	free(nt->map);
	nt->map = die_calloc(nt->n * 3 + 1, sizeof(*nt->map));
	nt->nmap = 0;
	for (size_t i = 0; i < nt->n; i++)
		for (size_t k = 0; k < 3; k++)
			if (nt->box[i].wd[k] != -1)
				nt->map[nt->nmap++] =
				    (struct notify_wd){ nt->box[i].wd[k], i };
	qsort(nt->map, nt->nmap, sizeof(*nt->map), by_wd);
}

static void
on_watch(void *ctx, int wd)
{
	struct notify *nt = ctx;
	size_t from = 0, to = nt->nmap;

	if (wd == nt->root_wd)
		nt->all_dirty = true;
	for (size_t k = 0; k < 3; k++)
		if (wd == nt->selected_wd[k])
			nt->selected_dirty = true;
	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (nt->map[mid].wd == wd) {
			nt->box[nt->map[mid].box].dirty = true;
			return;
		}
		if (nt->map[mid].wd < wd)
			from = mid + 1;
		else
			to = mid;
	}
}

/* Without a watch: what looks other than before. */
static void
poll_boxes(struct imap *im, struct notify *nt)
{
	char path[LIMIT_PATH];

	nt->all_dirty = nt->selected_dirty = true;
	for (size_t i = 0; i < nt->n; i++) {
		struct notify_box *b = &nt->box[i];

		if (!notify_exists(b) || !path_of(im, b, path, sizeof(path)))
			continue;
		if (glance_renew(&b->glance, path)) {
			b->dirty = true;
			nt->active = unix_now();
		}
		b->dirty = b->dirty || b->events & NOTIFY_METADATA;
	}
}

void
notify_drain(struct imap *im, struct notify *nt)
{
	if (nt->watch == -1) {
		poll_boxes(im, nt);
	} else if (!watch_each(nt->watch, on_watch, nt)) {
		nt->all_dirty = nt->selected_dirty = true;
		for (size_t i = 0; i < nt->n; i++)
			nt->box[i].dirty = true;
	}
}

/* "ENTRY HASH" of each; the hash is FNV-1a of 64 bits. */
static bool
summarize(const char *path, bool server, struct buf *lines)
{
	struct span entry, value;
	struct metadata m;
	size_t at = 0;
	bool ok = metadata_load(&m, path, server) == 0;

	lines->max = METADATA_MAX;
	while (ok && metadata_next(&m, &at, &entry, &value)) {
		uint64_t h = UINT64_C(0xcbf29ce484222325);

		for (size_t i = 0; i < value.n; i++)
			h = (h ^ (unsigned char)value.p[i]) *
			    UINT64_C(0x100000001b3);
		buf_put(lines, entry);
		buf_printf(lines, " %016llx\n", (unsigned long long)h);
	}
	metadata_free(&m);
	return ok;
}

static bool
has_line(struct span lines, struct span line)
{
	while (lines.n > 0)
		if (span_eq(span_cut(&lines, '\n'), line))
			return true;
	return false;
}

/* The names of lines that are not in `others`, and not in `said`. */
static void
put_changed(struct imap *im, struct span box, struct span lines,
    struct span others, struct buf *said)
{
	while (lines.n > 0) {
		struct span line = span_cut(&lines, '\n'), rest = line;
		struct span entry = span_word(&rest);

		if (has_line(others, line) || has_line(buf_span(said), entry))
			continue;
		if (said->n == 0) {
			out_puts(&im->out, "* METADATA ");
			imap_put_name(im, box);
		}
		out_putc(&im->out, ' ');
		imap_put_astring(im, entry);
		buf_put(said, entry);
		buf_putc(said, '\n');
	}
}

/* Entries only: RFC 5464, section 4.4.2. */
static void
tell_metadata(struct imap *im, struct span box, const char *path, bool server,
    struct buf *old, bool quiet)
{
	struct buf new = { 0 }, said = { .max = 2 * METADATA_MAX };

	if (!summarize(path, server, &new)) {
		buf_free(&new);
		return;
	}
	if (!quiet) {
		put_changed(im, box, buf_span(&new), buf_span(old), &said);
		put_changed(im, box, buf_span(old), buf_span(&new), &said);
		if (said.n > 0)
			out_puts(&im->out, "\r\n");
	}
	buf_free(&said);
	buf_free(old);
	*old = new;
}

/* The items that belong to what has changed. */
static void
tell_status(struct imap *im, const struct notify_box *b, const char *path,
    const struct folder_status *was, const struct folder_status *is)
{
	bool condstore = (im->enabled & ENABLE_CONDSTORE) != 0;
	bool other = was->uidvalidity != is->uidvalidity;
	bool arrived = was->uidnext != is->uidnext || other;
	bool went =
	    was->messages + (is->uidnext - was->uidnext) != is->messages;
	bool flags = was->unseen != is->unseen || was->modseq != is->modseq;
	unsigned items = 0;

	if ((b->events & NOTIFY_NEW && arrived) ||
	    (b->events & NOTIFY_EXPUNGE && went))
		items |= status_item("MESSAGES") | status_item("UIDNEXT") |
		    status_item("UIDVALIDITY");
	if (b->events & NOTIFY_FLAG && (flags || other))
		items |= status_item("UIDVALIDITY") | status_item("UNSEEN");
	if (items != 0 && condstore)
		items |= status_item("HIGHESTMODSEQ");
	if (items != 0 && !status_put(im, span_of(b->name), path, items))
		log_error("status", NULL);
}

static void
look_messages(
    struct imap *im, struct notify_box *b, const char *path, bool quiet)
{
	struct folder_status st;

	if (!(b->events & NOTIFY_MESSAGES))
		return;
	/* what is told of the selected mailbox needs not be told again */
	if (select_is(im, path)) {
		b->selected = true;
		return;
	}
	if (b->no_access || folder_status(path, &st, false) == -1)
		return;
	if (b->known && !b->selected && !quiet)
		tell_status(im, b, path, &b->st, &st);
	b->selected = false;
	b->known = true;
	b->st = st;
}

/* RFC 5465, section 5.9: without r nothing more is said of it. */
static void
look_access(struct imap *im, struct notify_box *b, const char *path, bool quiet)
{
	bool no = b->events & NOTIFY_MESSAGES && !(acl_owner(path) & ACL_R);

	if (no != b->no_access && !quiet)
		list_tell(im, span_of(b->name), b->attrs, SPAN(""), no);
	if (no != b->no_access)
		b->known = false;
	b->no_access = no;
}

static void
look_box(struct imap *im, struct notify *nt, struct notify_box *b, bool quiet)
{
	char path[LIMIT_PATH];

	if (!notify_exists(b) || !path_of(im, b, path, sizeof(path)))
		return;
	/* it stays dirty while it is selected, and is looked at afterwards */
	b->dirty = select_is(im, path);
	if (b->wd[0] == -1) {
		watch_box(nt, b, path);
		free(nt->map);
		nt->map = NULL;
		nt->nmap = 0;
	}
	look_access(im, b, path, quiet);
	look_messages(im, b, path, quiet);
	if (b->events & NOTIFY_METADATA)
		tell_metadata(
		    im, span_of(b->name), path, false, &b->metadata, quiet);
}

/* What was known of a mailbox is still known when it is the same one. */
static void
carry_over(struct notify *nt, struct notify_box *old, size_t n)
{
	for (size_t i = 0; i < nt->n; i++) {
		struct notify_box *b = &nt->box[i],
				  *was = notify_find(old, n, b->name);

		if (was == NULL || was->ino != b->ino)
			continue;
		b->dirty = was->dirty || b->events != was->events;
		b->selected = was->selected;
		b->no_access = was->no_access;
		b->st = was->st;
		b->known = was->known;
		b->glance = was->glance;
		memcpy(b->wd, was->wd, sizeof(b->wd));
		b->metadata = was->metadata;
		was->metadata = (struct buf){ 0 };
	}
}

static void
overflow(struct imap *im, struct notify *nt)
{
	out_puts(&im->out,
	    "* OK [NOTIFICATIONOVERFLOW] Too many mailboxes: NOTIFY NONE\r\n");
	notify_free_boxes(nt);
	nt->groups = NULL;
	nt->has_selected = nt->server = false;
}

static bool
look_list(struct imap *im, struct notify *nt, bool quiet)
{
	struct notify_box *old = nt->box, *box;
	size_t had = nt->n;
	int64_t root_ns = fs_mtime_ns(AT_FDCWD, im->boxes.root);
	int n = list(im, nt, &box);

	if (n == -1 && errno == E2BIG) {
		overflow(im, nt);
		return false;
	}
	if (n == -1)
		return true;
	nt->box = box;
	nt->n = (size_t)n;
	carry_over(nt, old, had);
	if (!quiet)
		notify_names(im, nt, old, had);
	nt->root_ns = root_ns;
	for (size_t i = 0; i < had; i++)
		free_box(&old[i]);
	free(old);
	for (size_t i = 0; i < nt->n; i++)
		nt->box[i].told = false;
	map_watches(nt);
	return true;
}

void
notify_look(struct imap *im, struct notify *nt, bool quiet)
{
	bool list_again = nt->all_dirty && nt->groups != NULL;

	if (nt->all_dirty && nt->server)
		tell_metadata(im, SPAN(""), im->boxes.root, true,
		    &nt->server_metadata, quiet);
	nt->all_dirty = false;
	if (list_again && !look_list(im, nt, quiet))
		return;
	for (size_t i = 0; i < nt->n; i++)
		if (nt->box[i].dirty)
			look_box(im, nt, &nt->box[i], quiet);
	if (nt->map == NULL)
		map_watches(nt);
}

/* RFC 5465, section 3.1: the items that the events are about. */
static void
put_first(struct imap *im, const struct notify_box *b)
{
	unsigned items = 0;
	char path[LIMIT_PATH];

	if (b->events & NOTIFY_MESSAGES)
		items |= status_item("MESSAGES") | status_item("UIDNEXT") |
		    status_item("UIDVALIDITY");
	if (b->events & NOTIFY_FLAG)
		items |= status_item("UNSEEN") | status_item("HIGHESTMODSEQ");
	if (items != 0 && notify_exists(b) && !b->no_access && !b->selected &&
	    path_of(im, b, path, sizeof(path)) &&
	    !status_put(im, span_of(b->name), path, items))
		log_error("status", NULL);
}

bool
notify_learn(struct imap *im, struct notify *nt, bool status)
{
	struct notify_box *box;
	int n;

	nt->root_ns = fs_mtime_ns(AT_FDCWD, im->boxes.root);
	n = nt->groups == NULL ? 0 : list(im, nt, &box);
	if (n == -1)
		return false;
	nt->box = nt->groups == NULL ? NULL : box;
	nt->n = (size_t)n;
	nt->watch = watch_open();
	nt->root_wd = notify_watch_dir(nt, im->boxes.root);
	nt->all_dirty = false;
	if (nt->server)
		tell_metadata(im, SPAN(""), im->boxes.root, true,
		    &nt->server_metadata, true);
	for (size_t i = 0; i < nt->n; i++) {
		struct notify_box *b = &nt->box[i];
		bool none;

		look_box(im, nt, b, true);
		none = b->no_access;
		if (none)
			list_tell(
			    im, span_of(b->name), b->attrs, SPAN(""), true);
		if (status)
			put_first(im, b);
	}
	map_watches(nt);
	return true;
}
