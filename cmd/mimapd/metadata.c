/* METADATA (RFC 5464), also as a part of LIST (RFC 9590). */
#include <errno.h>

#include "base/num.h"
#include "imap.h"
#include "mail/nstring.h"
#include "store/acl.h"
#include "store/metadata.h"

enum { ENTRIES_MAX = 200 };

static const char special_use[] = "/private/specialuse";

/* value = nstring / literal8: a NUL is only in the latter */
static void
put_value(struct imap *im, struct span v)
{
	struct buf b = { .max = LIMIT_METADATA_VALUE + 64 };

	if (v.p != NULL && span_chr(v, '\0') < v.n) {
		buf_printf(&b, "~{%zu}\r\n", v.n);
		buf_put(&b, v);
	} else {
		nstring_put(&b, v);
	}
	imap_put(im, &b);
	buf_free(&b);
}

struct answer {
	struct imap *im;
	struct span box;
	bool begun;
	uint64_t max, longest; /* MAXSIZE */
};

/* metadata-resp = "METADATA" SP mailbox SP entry-values */
static void
put_entry(struct answer *a, struct span entry, struct span value)
{
	struct imap *im = a->im;

	if (value.n > a->max) {
		if (value.n > a->longest)
			a->longest = value.n;
		return;
	}
	if (!a->begun) {
		out_puts(&im->out, "* METADATA ");
		imap_put_name(im, a->box);
	}
	out_puts(&im->out, a->begun ? " " : " (");
	a->begun = true;
	imap_put_astring(im, entry);
	out_putc(&im->out, ' ');
	put_value(im, value);
}

/* RFC 6154, section 5.4: the special use is an entry, too. */
static bool
use_of(struct imap *im, struct span box, struct buf *value)
{
	struct box *list;
	int n = boxes_list(&im->boxes, &list);

	if (n == -1)
		return false;
	for (int i = 0; i < n; i++)
		if (span_is(box, list[i].name))
			boxes_put_uses(value, list[i].attrs);
	free(list);
	return value->n > 0;
}

static void
answer_one(struct answer *a, const struct metadata *m, struct span entry,
    unsigned depth)
{
	struct span name, value = { 0 };
	size_t at = 0, levels;
	bool found = metadata_get(m, entry, &value);
	struct buf use = { .max = 256 };

	if (!found && span_iis(entry, special_use) && a->box.n > 0 &&
	    (found = use_of(a->im, a->box, &use)))
		value = buf_span(&use);
	if (found || depth == 0)
		put_entry(a, entry, found ? value : (struct span){ 0 });
	buf_free(&use);
	while (depth > 0 && metadata_next(m, &at, &name, &value)) {
		struct span rest = name;

		if (name.n <= entry.n || name.p[entry.n] != '/' ||
		    !span_ieq((struct span){ name.p, entry.n }, entry))
			continue;
		span_take(&rest, entry.n);
		for (levels = 0; rest.n > 0; span_take(&rest, 1))
			levels += *rest.p == '/';
		if (depth > 1 || levels == 1)
			put_entry(a, name, value);
	}
}

/* entries = entry / "(" entry *(SP entry) ")"; answers what is wrong */
bool
metadata_entries(struct imap *im, const struct imap_arg *a)
{
	const struct imap_arg *e = a;
	size_t n = 0;

	if (a != NULL && a->type == IMAP_LIST)
		e = a->list;
	for (; e != NULL; e = e->next) {
		struct span name = e->text;

		/* DEPTH may begin at the top. */
		if (!imap_is_string(e) || ++n > ENTRIES_MAX ||
		    (!metadata_entry_ok(name) && !span_iis(name, "/private") &&
			!span_iis(name, "/shared")))
			break;
		if (a->type != IMAP_LIST)
			return true;
	}
	if (e == NULL && n > 0)
		return true;
	imap_bad(im, "Not names of metadata entries");
	return false;
}

static bool
put_all(struct answer *a, const char *path, const struct imap_arg *entries,
    unsigned depth)
{
	const struct imap_arg *e =
	    entries->type == IMAP_LIST ? entries->list : entries;
	struct metadata m;
	bool ok = metadata_load(&m, path, a->box.n == 0) == 0;

	for (; ok && e != NULL; e = e->next) {
		answer_one(a, &m, e->text, depth);
		if (entries->type != IMAP_LIST)
			break;
	}
	if (a->begun)
		out_puts(&a->im->out, ")\r\n");
	metadata_free(&m);
	return ok;
}

void
metadata_put(struct imap *im, struct span box, const char *path,
    const struct imap_arg *entries)
{
	struct answer a = { .im = im, .box = box, .max = UINT64_MAX };

	if (!put_all(&a, path, entries, 0))
		return; /* as LIST does with what can't be read */
}

/* The folder of a mailbox, or for "" the root; answers when there is none. */
static bool
place(struct imap *im, const struct imap_arg *arg, struct span *box, char *path,
    size_t size)
{
	enum box_result r;

	if (imap_is_string(arg) && arg->text.n == 0) {
		*box = arg->text;
		snprintf(path, size, "%s", im->boxes.root);
		return true;
	}
	if (!imap_name(im, arg, box))
		return false;
	r = boxes_find(&im->boxes, *box, path, size);
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return false;
	}
	if (span_iis(*box, "INBOX"))
		*box = SPAN("INBOX");
	return true;
}

/* "(" ["MAXSIZE" SP number] ["DEPTH" SP ("0" / "1" / "infinity")] ")" */
static bool
options(const struct imap_arg *o, uint64_t *max, unsigned *depth)
{
	for (o = o->list; o != NULL; o = o->next->next) {
		if (o->next == NULL)
			return false;
		if (span_iis(o->text, "MAXSIZE")) {
			if (!num_u64(o->next->text, max))
				return false;
		} else if (span_iis(o->text, "DEPTH")) {
			if (span_is(o->next->text, "0"))
				*depth = 0;
			else if (span_is(o->next->text, "1"))
				*depth = 1;
			else if (span_iis(o->next->text, "infinity"))
				*depth = 2;
			else
				return false;
		} else {
			return false;
		}
	}
	return true;
}

/*
 * getmetadata = "GETMETADATA" [SP options] SP mailbox SP entries; in the
 * text and the examples of the RFC the options are behind the mailbox.
 */
void
cmd_getmetadata(struct imap *im)
{
	const struct imap_arg *box = im->e.args, *o = NULL, *entries;
	struct answer a = { .im = im, .max = UINT64_MAX };
	unsigned depth = 0;
	char path[LIMIT_PATH];

	if (box->type == IMAP_LIST) {
		o = box;
		box = box->next;
	}
	entries = box->next;
	if (o == NULL && entries != NULL && entries->type == IMAP_LIST &&
	    entries->next != NULL) {
		o = entries;
		entries = entries->next;
	}
	if (entries == NULL || entries->next != NULL ||
	    (o != NULL && !options(o, &a.max, &depth))) {
		imap_bad(im, "Syntax of GETMETADATA");
		return;
	}
	if (!metadata_entries(im, entries) ||
	    !place(im, box, &a.box, path, sizeof(path)))
		return;
	if (!put_all(&a, path, entries, depth)) {
		imap_failed(im, "metadata");
		return;
	}
	if (a.longest == 0) {
		imap_done(im, "OK Getmetadata completed");
		return;
	}
	if (im->folder != NULL)
		sync_run(im, true);
	imap_reply(im, "OK [METADATA LONGENTRIES %llu] Some are longer",
	    (unsigned long long)a.longest);
}

/* One pair of entry-values; answers what is wrong. */
static bool
take_change(
    struct imap *im, const struct imap_arg *e, struct metadata_change *c)
{
	const struct imap_arg *v = e->next;

	if (!imap_is_string(e) || !metadata_entry_ok(e->text) ||
	    !imap_is_string(v)) {
		imap_bad(im, "Not entries and values");
		return false;
	}
	c->entry = e->text;
	if (v->type == IMAP_ATOM && !span_iis(v->text, "NIL")) {
		imap_bad(im, "A value is a string or NIL");
		return false;
	}
	if (v->type != IMAP_ATOM)
		c->value = v->text.p == NULL ? SPAN("") : v->text;
	/* one that is there already can be removed */
	if (c->value.p != NULL && !metadata_may_be(c->entry)) {
		imap_bad(im, "A vendor's entry has a name behind the vendor's");
		return false;
	}
	if (c->value.n > LIMIT_METADATA_VALUE) {
		imap_reply(im, "NO [METADATA MAXSIZE %d] A value is too large",
		    LIMIT_METADATA_VALUE);
		return false;
	}
	return true;
}

/* The use goes where CREATE puts it; false: answered. */
static bool
set_use(struct imap *im, struct span box, const struct metadata_change *c)
{
	struct span rest = c->value;
	unsigned one, use = 0;

	while ((rest = span_trim(rest)).n > 0) {
		if ((one = boxes_use(span_word(&rest))) == 0) {
			imap_reply(im, "NO [USEATTR] Not a use we can set");
			return false;
		}
		use |= one;
	}
	if (boxes_set_use(&im->boxes, box, use) == BOX_OK)
		return true;
	imap_failed(im, "special use");
	return false;
}

static void
set(struct imap *im, struct span box, const char *path,
    struct metadata_change *c, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (box.n == 0 || !span_iis(c[i].entry, special_use))
			c[kept++] = c[i];
		else if (!set_use(im, box, &c[i]))
			return;
	}
	switch (kept == 0
		? BOXTEXT_OK
		: metadata_set(&im->boxes, path, box.n == 0, c, kept)) {
	case BOXTEXT_OK:
		/* RFC 7162, section 3.2 */
		if (box.n > 0 && folder_touch(path) == -1)
			break;
		imap_done(im, "OK Setmetadata completed");
		return;
	case BOXTEXT_TOOMANY:
		imap_reply(im, "NO [METADATA TOOMANY] Too many entries");
		return;
	case BOXTEXT_FAILED:
		break;
	}
	imap_failed(im, "metadata");
}

/* Who runs the server is not for clients to say. */
static bool
may_set(struct span box, const char *path, struct span entry)
{
	if (box.n == 0)
		return !span_iis(entry, "/shared/admin");
	return !span_istarts(entry, "/shared/") ||
	    (acl_owner(path) & ACL_W) != 0;
}

/* "SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")" */
void
cmd_setmetadata(struct imap *im)
{
	const struct imap_arg *e = im->e.args->next;
	struct metadata_change *c =
	    arena_alloc(&im->e.arena, ENTRIES_MAX * sizeof(*c));
	char path[LIMIT_PATH];
	struct span box;
	size_t n = 0;

	if (e->type != IMAP_LIST || e->list == NULL) {
		imap_bad(im, "Not entries and values");
		return;
	}
	for (e = e->list; e != NULL; e = e->next->next) {
		if (n == ENTRIES_MAX) {
			imap_reply(
			    im, "NO [METADATA TOOMANY] Too many entries");
			return;
		}
		if (!take_change(im, e, &c[n++]))
			return;
	}
	if (!place(im, im->e.args, &box, path, sizeof(path)))
		return;
	for (size_t i = 0; i < n; i++)
		if (!may_set(box, path, c[i].entry)) {
			imap_reply(im, "NO [NOPERM] The rights are missing");
			return;
		}
	set(im, box, path, c, n);
}
