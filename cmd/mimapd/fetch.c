/* FETCH: a response for each message, written as it is read. */
#include "fetch.h"

#include <errno.h>

#include "base/date.h"
#include "io/log.h"
#include "mail/bodystructure.h"
#include "sync.h"

enum { TEXT_MAX = 1048576 };

static void
put_date(struct imap *im, int64_t t)
{
	struct civil c = date_civil(t);

	out_printf(&im->out,
	    "INTERNALDATE \"%2d-%s-%04d %02d:%02d:%02d +0000\"", c.day,
	    date_months[c.month - 1], c.year % 10000, c.hour, c.min, c.sec);
}

/* The envelope needs the header alone. */
static void
make_envelope(struct imap *im, struct buf *b)
{
	struct arena a = { .max = 1048576 };
	struct imapenv env = { 0 };
	struct header h;
	struct span piece;
	struct in in;
	bool end = false;

	if (im->body.tree != NULL) {
		imapenv_put(b, &im->e.arena, im->body.tree->envelope);
		return;
	}
	header_init(&h, LIMIT_HEADER_FIELD);
	if (body_seek(im, 0, &in) == -1)
		end = true;
	while (!end && in_next(&in, &piece) == 1) {
		enum header_event e;

		while ((e = header_next(&h, &piece)) == HEADER_FIELD)
			imapenv_note(&a, &env, h.name, h.body, 262144);
		end = e == HEADER_END;
	}
	while (!end && header_eof(&h) == HEADER_FIELD)
		imapenv_note(&a, &env, h.name, h.body, 262144);
	imapenv_put(b, &a, &env);
	header_free(&h);
	arena_free(&a);
}

static void
make_structure(struct imap *im, struct buf *b, bool extended)
{
	struct mime_part *tree = body_tree(im), opaque;

	if (tree == NULL) {
		buf_puts(b, "NIL");
		return;
	}
	if (bodystructure_put(b, &im->e.arena, tree, extended))
		return;
	/* Too much to tell: a message without parts. */
	opaque = *tree;
	opaque.kind = MIME_LEAF;
	opaque.child = NULL;
	buf_clear(b);
	bodystructure_put(b, &im->e.arena, &opaque, extended);
}

/* A text that is kept beside the index once it was made. */
static void
put_cached(struct imap *im, size_t i, const char *what, enum item_kind kind)
{
	struct buf b = { .max = TEXT_MAX };
	struct span text;

	if (what != NULL && folder_cache_get(im->folder, i, what, &text)) {
		out_put(&im->out, text);
		return;
	}
	if (kind == ITEM_ENVELOPE)
		make_envelope(im, &b);
	else
		make_structure(im, &b, kind == ITEM_STRUCTURE);
	if (what != NULL && !b.over)
		folder_cache_put(im->folder, i, what, buf_span(&b));
	imap_put(im, &b);
	buf_free(&b);
}

static void
put_item(struct imap *im, size_t i, const struct item *it)
{
	const struct msg *m = folder_msg(im->folder, i);
	uint64_t size = 0;

	switch (it->kind) {
	case ITEM_UID:
		out_printf(&im->out, "UID %lu", (unsigned long)m->uid);
		break;
	case ITEM_FLAGS:
		out_puts(&im->out, "FLAGS ");
		imap_put_flags(im, m->flags, m->keywords);
		break;
	case ITEM_DATE:
		put_date(im, m->date);
		break;
	case ITEM_SIZE:
		if (folder_size(im->folder, i, &size) == -1)
			size = 0;
		out_printf(
		    &im->out, "RFC822.SIZE %llu", (unsigned long long)size);
		break;
	case ITEM_MODSEQ:
		out_puts(&im->out, "MODSEQ (");
		out_putu(&im->out, m->modseq);
		out_putc(&im->out, ')');
		break;
	case ITEM_ENVELOPE:
		out_puts(&im->out, "ENVELOPE ");
		put_cached(im, i, "env", it->kind);
		break;
	case ITEM_BODY:
		out_puts(&im->out, "BODY ");
		put_cached(im, i, NULL, it->kind);
		break;
	case ITEM_STRUCTURE:
		out_puts(&im->out, "BODYSTRUCTURE ");
		put_cached(im, i, "body", it->kind);
		break;
	case ITEM_SECTION:
		section_put(im, it);
		break;
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE:
		binary_put(im, it);
		break;
	}
}

/* Whether the file must be open for it. */
static bool
needs_file(struct imap *im, size_t i, const struct item *it)
{
	struct span text;

	switch (it->kind) {
	case ITEM_UID:
	case ITEM_FLAGS:
	case ITEM_DATE:
	case ITEM_MODSEQ:
		return false;
	case ITEM_SIZE:
		return folder_msg(im->folder, i)->size == 0;
	case ITEM_ENVELOPE:
		return !folder_cache_get(im->folder, i, "env", &text);
	case ITEM_STRUCTURE:
		return !folder_cache_get(im->folder, i, "body", &text);
	case ITEM_BODY:
	case ITEM_SECTION:
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE:
		break;
	}
	return true;
}

struct wants {
	bool file, seen, flags, uid, modseq;
};

static struct wants
wants(struct imap *im, size_t i, const struct item *it)
{
	struct wants w = { 0 };

	for (; it != NULL; it = it->next) {
		w.file = w.file || needs_file(im, i, it);
		w.seen = w.seen || it->seen;
		w.flags = w.flags || it->kind == ITEM_FLAGS;
		w.uid = w.uid || it->kind == ITEM_UID;
		w.modseq = w.modseq || it->kind == ITEM_MODSEQ;
	}
	return w;
}

/* \\Seen was set: what tells of that and was not asked for. */
static void
put_seen(struct imap *im, size_t i, const struct wants *w)
{
	static const struct item uid = { .kind = ITEM_UID },
				 flags = { .kind = ITEM_FLAGS },
				 modseq = { .kind = ITEM_MODSEQ };
	bool condstore = (im->enabled & ENABLE_CONDSTORE) != 0;

	if (condstore && !w->uid && !(im->enabled & ENABLE_UIDONLY)) {
		out_putc(&im->out, ' ');
		put_item(im, i, &uid);
	}
	if (!w->flags) {
		out_putc(&im->out, ' ');
		put_item(im, i, &flags);
	}
	if (condstore && !w->modseq) {
		out_putc(&im->out, ' ');
		put_item(im, i, &modseq);
	}
}

/* False: it was expunged by another, and is passed over. */
static bool
fetch(struct imap *im, size_t i, const struct item *items)
{
	struct wants w = wants(im, i, items);
	bool told = false, any = false;

	if (folder_msg(im->folder, i)->gone)
		return false;
	if (w.file && body_open(im, i) == -1) {
		if (errno != ENOENT)
			log_error("message", NULL);
		return false;
	}
	if (w.seen && !im->read_only &&
	    !(folder_msg(im->folder, i)->flags & FLAG_SEEN)) {
		if (folder_store(im->folder, &i, 1, FOLDER_ADD, FLAG_SEEN, 0,
			UINT64_MAX, NULL) == -1)
			log_error("flags", NULL);
		else
			told = true;
	}
	for (const struct item *it = items; it != NULL; it = it->next)
		if (it->kind == ITEM_BINARY || it->kind == ITEM_BINARY_SIZE)
			if (body_tree(im) == NULL)
				return false;
	sync_fetch_open(im, i);
	for (const struct item *it = items; it != NULL; it = it->next) {
		if (any)
			out_putc(&im->out, ' ');
		any = true;
		put_item(im, i, it);
	}
	if (told)
		put_seen(im, i, &w);
	out_puts(&im->out, ")\r\n");
	return true;
}

/* fetch = "FETCH" SP sequence-set SP (macro / fetch-att / list)
 * [SP "(" modifiers ")"] */
void
cmd_fetch(struct imap *im)
{
	const struct imap_arg *set = im->e.args;
	struct modifiers m;
	struct item *items;
	struct walk w;
	size_t i;
	bool unknown = false;

	if (!imap_is_string(set) || !modifiers_parse(im, &m) ||
	    !item_parse(im, set->next, &m, &items)) {
		imap_bad(im, "Not something to fetch");
		return;
	}
	if (!walk_init(&w, im, set->text, im->e.uid))
		return;
	modifiers_begin(im, &m, items, &w);
	if (m.vanished)
		resync_vanished_in(im, m.since, set->text);
	while (im->out.err == 0 && walk_next(&w, &i)) {
		struct arena_mark a = arena_mark(&im->e.arena);

		if (!modifiers_take(&m, folder_msg(im->folder, i)))
			continue;
		imap_progress(im, m.taken, m.total);
		if (!fetch(im, i, items))
			im->gone = true;
		arena_release(&im->e.arena, a);
	}
	unknown = im->unknown_cte;
	im->unknown_cte = false;
	imap_done(im,
	    im->gone && !im->e.uid
		? "NO [EXPUNGEISSUED] Some messages are no more"
		: unknown ? "NO [UNKNOWN-CTE] An encoding is not known"
			  : "OK Fetch completed");
}
