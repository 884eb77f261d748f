/* Commands that change messages: STORE, EXPUNGE, COPY, MOVE. */
#include <errno.h>

#include "base/die.h"
#include "base/num.h"
#include "event.h"
#include "io/log.h"
#include "store/acl.h"

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

/* What a STORE asks for. */
struct store {
	enum folder_op op;
	uint16_t flags;
	uint64_t mask, since;
	bool silent, conditional;
	uint16_t keep; /* flags that there are no rights for */
};

/* store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) */
static bool
store_op(struct span s, struct store *st)
{
	st->op = FOLDER_REPLACE;
	if (s.n > 0 && (*s.p == '+' || *s.p == '-'))
		st->op =
		    *span_take(&s, 1).p == '+' ? FOLDER_ADD : FOLDER_REMOVE;
	st->silent = span_iis(s, "FLAGS.SILENT");
	return st->silent || span_iis(s, "FLAGS");
}

/* store-modifiers = SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")" */
static bool
store_modifiers(const struct imap_arg *list, struct store *st)
{
	const struct imap_arg *name = list->list;

	st->conditional = true;
	return name != NULL && span_iis(name->text, "UNCHANGEDSINCE") &&
	    name->next != NULL && name->next->next == NULL &&
	    name->next->type == IMAP_ATOM &&
	    num_u64(name->next->text, &st->since) && st->since <= INT64_MAX;
}

/* Where the tagged response has a code of its own. */
static void
put_limited(struct imap *im)
{
	if (im->limited == 0)
		return;
	out_puts(&im->out, "* OK ");
	limit_put(im);
	out_puts(&im->out, "Not all of them\r\n");
}

/* resp-text-code =/ "MODIFIED" SP sequence-set */
static void
put_modified(struct imap *im, const size_t *idx, size_t n, const bool *failed)
{
	struct buf b = { .max = n * 12 + 64 };
	struct imapset_writer w = { 0 };

	for (size_t i = 0; i < n; i++)
		if (failed[i])
			imapset_add(&b, &w,
			    im->e.uid ? folder_msg(im->folder, idx[i])->uid
				      : (uint32_t)idx[i] + 1);
	imapset_end(&b, &w);
	sync_run(im, im->expunge_ok);
	put_limited(im);
	out_put(&im->out, im->e.tag);
	out_puts(&im->out,
	    im->gone && !im->e.uid ? " NO [MODIFIED " : " OK [MODIFIED ");
	imap_put(im, &b);
	out_puts(&im->out, "] Some have changed meanwhile\r\n");
	im->e.errors = 0;
	buf_free(&b);
}

/*
 * What the rights allow of it.  False, and answered, when that is nothing,
 * or when flags must stay that are to be replaced on a condition.
 */
static bool
limit_store(struct imap *im, struct store *st)
{
	uint16_t may = acl_flags(im->rights);
	bool some = (st->flags & may) != 0 ||
	    (im->rights & ACL_W && st->mask != 0) ||
	    (st->op == FOLDER_REPLACE && may != 0);

	st->keep = FLAG_ALL & (uint16_t)~may;
	if (!(im->rights & ACL_W))
		st->mask = 0;
	st->flags &= may;
	if (st->keep == 0 ||
	    (some && !(st->op == FOLDER_REPLACE && st->conditional)))
		return true;
	imap_reply(im, "NO [NOPERM] The rights are missing");
	return false;
}

static int
run_store(struct imap *im, const size_t *idx, size_t n, const struct store *st,
    bool *failed)
{
	uint16_t away = (uint16_t)(FLAG_ALL & ~(st->keep | st->flags));

	if (st->op != FOLDER_REPLACE || st->keep == 0)
		return folder_store(im->folder, idx, n, st->op, st->flags,
		    st->mask, st->since, failed);
	/* what may not be touched stays */
	if (folder_store(im->folder, idx, n, FOLDER_REMOVE, away,
		im->rights & ACL_W ? ~st->mask : 0, UINT64_MAX, NULL) == -1)
		return -1;
	return folder_store(im->folder, idx, n, FOLDER_ADD, st->flags, st->mask,
	    UINT64_MAX, NULL);
}

static void
store(struct imap *im, struct walk *w, const struct store *st)
{
	size_t *idx, n = walk_all(w, &idx), nfailed = 0;
	bool *failed = die_calloc(n + 1, sizeof(*failed));

	if (n > 0 && run_store(im, idx, n, st, failed) == -1) {
		imap_failed(im, "flags");
		goto done;
	}
	event_flagged(im, idx, n, failed,
	    &(struct event_change){ .how = st->op == FOLDER_ADD ? '+'
		    : st->op == FOLDER_REMOVE                   ? '-'
								: '=',
		.flags = st->flags,
		.keywords = st->mask });
	sync_flags(im);
	for (size_t i = 0; i < n; i++) {
		if (failed[i])
			nfailed++;
		if (failed[i] || !st->silent)
			sync_fetch_flags(im, idx[i]);
		else if (im->enabled & ENABLE_CONDSTORE)
			sync_fetch_modseq(im, idx[i]);
	}
	if (nfailed > 0)
		put_modified(im, idx, n, failed);
	else
		finish(im, "OK Store completed");
done:
	free(failed);
	free(idx);
}

/* "STORE" SP sequence-set [store-modifiers] SP store-att-flags SP flags */
void
cmd_store(struct imap *im)
{
	const struct imap_arg *set = im->e.args, *op = set->next, *list;
	struct buf names = { .max = LIMIT_FLAG_WORDS };
	struct store st = { .since = UINT64_MAX };
	struct walk w;

	if (op->type == IMAP_LIST && store_modifiers(op, &st))
		op = op->next;
	list = op->next;
	if (!imap_is_string(set) || !imap_is_string(op) || list == NULL ||
	    !store_op(op->text, &st) ||
	    (list->type == IMAP_LIST && list->next != NULL)) {
		imap_bad(im, "Not something to store");
		return;
	}
	if (list->type == IMAP_LIST)
		list = list->list;
	if (walk_init(&w, im, set->text, im->e.uid) &&
	    imap_flags(im, list, &st.flags, &names) && writable(im) &&
	    imap_mask(im, buf_span(&names), st.op != FOLDER_REMOVE, &st.mask)) {
		if (st.conditional)
			sync_condstore(im);
		limit_walk(&w);
		if (limit_store(im, &st))
			store(im, &w, &st);
	}
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

/* RFC 7162, section 3.2.7: how far the client is now. */
static void
removed(struct imap *im, const char *text)
{
	sync_run(im, true);
	if (im->enabled & ENABLE_QRESYNC)
		put_limited(im);
	if (im->enabled & ENABLE_QRESYNC)
		imap_reply(im, "OK [HIGHESTMODSEQ %llu] %s",
		    (unsigned long long)im->modseq, text);
	else
		imap_reply(im, "OK %s", text);
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
	if (set != NULL)
		limit_walk(&w);
	n = marked(im, &w, &idx);
	if (n > 0 && folder_expunge_deleted(im->folder, idx, n) == -1) {
		imap_failed(im, "expunge");
		free(idx);
		return;
	}
	event_expunged(im, idx, n);
	if (n > 0)
		removed(im, "Expunge completed");
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

/* Flags that there are no rights for there are not copied. */
static void
limit_copied(const char *path, size_t n, const uint32_t *uids)
{
	unsigned rights = acl_owner(path);
	uint16_t not = (uint16_t)(FLAG_ALL & ~acl_flags(rights));
	struct folder *f;
	size_t *idx;

	if (not == 0 || folder_open(&f, path, true) == -1)
		return;
	idx = die_calloc(n + 1, sizeof(*idx));
	for (size_t i = 0; i < n; i++) {
		idx[i] = folder_lower(f, uids[i]);
		if (idx[i] == folder_count(f))
			n = i;
	}
	if (folder_store(f, idx, n, FOLDER_REMOVE, not,
		rights & ACL_W ? 0 : UINT64_MAX, UINT64_MAX, NULL) == -1)
		log_error("flags", NULL);
	free(idx);
	folder_close(f);
}

static void
transfer(struct imap *im, const size_t *idx, size_t n, struct event_place *to,
    bool move)
{
	uint32_t validity, *uids = die_calloc(n + 1, sizeof(*uids));

	if (folder_copy(im->folder, idx, n, to->path, move, &validity, uids) ==
	    -1) {
		if (errno == ENOENT)
			imap_reply(im,
			    "NO [EXPUNGEISSUED] Some messages are "
			    "no more; nothing was done");
		else
			imap_failed(im, "copy");
		free(uids);
		return;
	}
	limit_copied(to->path, n, uids);
	to->uidvalidity = validity;
	event_copied(im, idx, n, to, uids, move);
	if (move) {
		out_puts(&im->out, "* OK ");
		put_copyuid(im, idx, n, validity, uids);
		out_puts(&im->out, "Moved\r\n");
		removed(im, "Move completed");
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
	if (move)
		limit_walk(&w);
	else if (!limit_allows_saving(im, walk_count(&w)))
		return;
	n = walk_all(&w, &idx);
	if (im->gone && !im->e.uid && !w.uid)
		imap_done(im,
		    "NO [EXPUNGEISSUED] Some messages are no more; "
		    "nothing was done");
	else if (n == 0)
		imap_done(im, "OK Nothing to do");
	else if (move ||
	    quota_allows(im, quota_messages(im->folder, idx, n), n))
		transfer(im, idx, n,
		    &(struct event_place){ .name = name, .path = path }, move);
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
