/* Commands that change messages: STORE, EXPUNGE, COPY, MOVE. */
#include <errno.h>

#include "base/die.h"
#include "imap.h"

static bool
writable(struct imap *im)
{
	if (im->read_only)
		imap_reply(im, "NO [NOPERM] The mailbox is open read-only");
	return !im->read_only;
}

static void
finish(struct imap *im, const char *text)
{
	imap_done(im,
	    im->gone && !im->e.uid
		? "NO [EXPUNGEISSUED] Some messages are no more"
		: text);
}

/* store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) */
static bool
store_op(struct span s, enum folder_op *op, bool *silent)
{
	*op = FOLDER_REPLACE;
	if (s.n > 0 && (*s.p == '+' || *s.p == '-'))
		*op = *span_take(&s, 1).p == '+' ? FOLDER_ADD : FOLDER_REMOVE;
	*silent = span_iis(s, "FLAGS.SILENT");
	return *silent || span_iis(s, "FLAGS");
}

static void
store(struct imap *im, struct walk *w, enum folder_op op, uint16_t flags,
    uint64_t mask, bool silent)
{
	size_t *idx, n = walk_all(w, &idx);

	if (n > 0 &&
	    folder_store(
		im->folder, idx, n, op, flags, mask, UINT64_MAX, NULL) == -1) {
		free(idx);
		imap_failed(im, "flags");
		return;
	}
	sync_flags(im);
	for (size_t i = 0; !silent && i < n; i++)
		sync_fetch_flags(im, idx[i]);
	free(idx);
	finish(im, "OK Store completed");
}

/* store = "STORE" SP sequence-set SP store-att-flags SP flags */
void
cmd_store(struct imap *im)
{
	const struct imap_arg *set = im->e.args, *list = set->next->next;
	struct buf names = { .max = 16384 };
	enum folder_op op;
	uint16_t flags;
	uint64_t mask;
	struct walk w;
	bool silent;

	if (!imap_is_string(set) || !store_op(set->next->text, &op, &silent) ||
	    (list->type == IMAP_LIST && list->next != NULL)) {
		imap_bad(im, "Not something to store");
		return;
	}
	if (list->type == IMAP_LIST)
		list = list->list;
	if (walk_init(&w, im, set->text, im->e.uid) &&
	    imap_flags(im, list, &flags, &names) && writable(im) &&
	    imap_mask(im, buf_span(&names), op != FOLDER_REMOVE, &mask))
		store(im, &w, op, flags, mask, silent);
	buf_free(&names);
}

/* Of the messages of a set, or of all, those that are marked. */
static size_t
marked(struct imap *im, struct walk *w, size_t **idx)
{
	size_t n = walk_all(w, idx), kept = 0;

	for (size_t i = 0; i < n; i++)
		if (folder_msg(im->folder, (*idx)[i])->flags & FLAG_DELETED)
			(*idx)[kept++] = (*idx)[i];
	return kept;
}

/* expunge = "EXPUNGE" / "UID" SP "EXPUNGE" SP sequence-set */
void
cmd_expunge(struct imap *im)
{
	const struct imap_arg *set = im->e.args;
	struct span which = set == NULL ? SPAN("1:*") : set->text;
	struct walk w;
	size_t *idx, n;

	if ((set != NULL) != im->e.uid ||
	    (set != NULL && !imap_is_string(set))) {
		imap_bad(im, "Wrong number of arguments");
		return;
	}
	if (!writable(im) || !walk_init(&w, im, which, true))
		return;
	n = marked(im, &w, &idx);
	if (n > 0 && folder_expunge(im->folder, idx, n) == -1)
		imap_failed(im, "expunge");
	else
		imap_done(im, "OK Expunge completed");
	free(idx);
}

/* resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set */
static void
put_copyuid(struct imap *im, const size_t *idx, size_t n, uint32_t validity,
    const uint32_t *uids)
{
	struct buf b = { .max = n * 24 + 64 };
	struct imapset_writer from = { 0 }, to = { 0 };

	buf_printf(&b, "[COPYUID %lu ", (unsigned long)validity);
	for (size_t i = 0; i < n; i++)
		imapset_add(&b, &from, folder_msg(im->folder, idx[i])->uid);
	imapset_end(&b, &from);
	buf_putc(&b, ' ');
	for (size_t i = 0; i < n; i++)
		imapset_add(&b, &to, uids[i]);
	imapset_end(&b, &to);
	buf_puts(&b, "] ");
	imap_put(im, &b);
	buf_free(&b);
}

static void
transfer(
    struct imap *im, const size_t *idx, size_t n, const char *path, bool move)
{
	uint32_t validity, *uids = calloc(n, sizeof(*uids));

	if (uids == NULL)
		die_memory();
	if (folder_copy(im->folder, idx, n, path, move, &validity, uids) ==
	    -1) {
		if (errno == ENOENT)
			imap_reply(im,
			    "NO [EXPUNGEISSUED] Some messages are "
			    "no more; nothing was done");
		else
			imap_failed(im, "copy");
	} else if (move) {
		out_puts(&im->out, "* OK ");
		put_copyuid(im, idx, n, validity, uids);
		out_puts(&im->out, "Moved\r\n");
		imap_done(im, "OK Move completed");
	} else {
		/* The code is too long for imap_reply. */
		sync_run(im, im->expunge_ok);
		out_put(&im->out, im->e.tag);
		out_puts(&im->out, " OK ");
		put_copyuid(im, idx, n, validity, uids);
		out_puts(&im->out, "Copy completed\r\n");
		im->e.errors = 0;
	}
	free(uids);
}

static void
run_copy(struct imap *im, bool move)
{
	const struct imap_arg *set = im->e.args;
	char path[LIMIT_PATH];
	struct span name;
	enum box_result r;
	struct walk w;
	size_t *idx, n;

	if (!imap_is_string(set)) {
		imap_bad(im, "Not a set of messages");
		return;
	}
	if ((move && !writable(im)) || !imap_name(im, set->next, &name) ||
	    !walk_init(&w, im, set->text, im->e.uid))
		return;
	r = boxes_find(&im->boxes, name, path, sizeof(path));
	if (r == BOX_NONE) {
		imap_reply(im, "NO [TRYCREATE] No such mailbox");
		return;
	}
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return;
	}
	n = walk_all(&w, &idx);
	if (im->gone && !im->e.uid && !w.uid)
		imap_done(im,
		    "NO [EXPUNGEISSUED] Some messages are no more; "
		    "nothing was done");
	else if (n == 0)
		imap_done(im, "OK Nothing to do");
	else
		transfer(im, idx, n, path, move);
	free(idx);
}

void
cmd_copy(struct imap *im)
{
	run_copy(im, false);
}

void
cmd_move(struct imap *im)
{
	run_copy(im, true);
}
