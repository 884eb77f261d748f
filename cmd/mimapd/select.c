/* SELECT and EXAMINE, and the ways out. */
#include <errno.h>

#include "context.h"
#include "event.h"
#include "store/acl.h"
#include "sync.h"

bool
select_is(const struct imap *im, const char *path)
{
	return im->folder != NULL && strcmp(path, im->path) == 0 &&
	    folder_is_at(im->folder, path);
}

void
select_close(struct imap *im)
{
	body_close(im);
	context_close(im);
	if (im->folder != NULL)
		folder_close(im->folder);
	im->folder = NULL;
	free(im->saved.range);
	im->saved = (struct imapset){ 0 };
}

static void
put_ok(struct imap *im, const char *code, uint64_t n, const char *text)
{
	out_puts(&im->out, "* OK [");
	out_puts(&im->out, code);
	out_putu(&im->out, n);
	out_puts(&im->out, "] ");
	out_puts(&im->out, text);
	out_puts(&im->out, "\r\n");
}

/* What is told about a mailbox that was opened: RFC 3501, 6.3.1. */
static void
tell(struct imap *im, struct span asked)
{
	struct folder_counts n;
	char id[FOLDER_ID];

	folder_counts(im->folder, &n);
	folder_mailbox_id(im->folder, id);
	im->keywords = -1;
	im->modseq = folder_modseq(im->folder);
	im->untold = false;
	sync_flags(im);
	out_printf(&im->out, "* %zu EXISTS\r\n", n.messages);
	if (!(im->enabled & ENABLE_REV2)) {
		out_printf(&im->out, "* %zu RECENT\r\n", n.recent);
		if (n.first_unseen > 0 && !(im->enabled & ENABLE_UIDONLY))
			put_ok(im, "UNSEEN ", n.first_unseen, "First unseen");
	}
	put_ok(
	    im, "UIDVALIDITY ", folder_uidvalidity(im->folder), "UIDs valid");
	put_ok(
	    im, "UIDNEXT ", folder_uidnext(im->folder), "Predicted next UID");
	put_ok(im, "HIGHESTMODSEQ ", im->modseq, "Highest");
	out_printf(&im->out, "* OK [MAILBOXID (%s)] Identified\r\n", id);
	if (im->enabled & ENABLE_REV2)
		list_put(im, span_of(im->box), asked);
}

/* select-param = "CONDSTORE" / "QRESYNC" SP "(" ... ")" */
static bool
parameters(struct imap *im, const struct imap_arg *a, struct resync *r)
{
	bool condstore = false;

	if (a == NULL)
		return true;
	if (a->type != IMAP_LIST || a->list == NULL) {
		imap_bad(im, "Not a list of parameters");
		return false;
	}
	for (a = a->list; a != NULL; a = a->next)
		if (span_iis(a->text, "CONDSTORE")) {
			condstore = true;
		} else if (span_iis(a->text, "QRESYNC")) {
			if ((im->enabled & ENABLE_QRESYNC) == 0) {
				imap_bad(im, "QRESYNC is not enabled");
				return false;
			}
			if ((a = a->next) == NULL || !resync_parse(im, a, r)) {
				imap_bad(im, "Not a QRESYNC parameter");
				return false;
			}
			if (r->seqs.n > 0 && im->enabled & ENABLE_UIDONLY) {
				imap_bad(im, "[UIDREQUIRED] No numbers here");
				return false;
			}
		} else {
			imap_bad(im, "Unknown parameter");
			return false;
		}
	if (condstore)
		im->enabled |= ENABLE_CONDSTORE;
	return true;
}

/* On a full disk one that has no index can be read at least. */
static int
open_box(struct imap *im, bool *read_only, bool *unkept)
{
	int err;

	*unkept = false;
	if (folder_open(&im->folder, im->path, !*read_only) == 0)
		return 0;
	err = errno;
	if ((err != ENOSPC && err != EDQUOT && err != EROFS) ||
	    folder_open_unkept(&im->folder, im->path) == -1) {
		errno = err;
		return -1;
	}
	*unkept = *read_only = true;
	return 0;
}

static void
run(struct imap *im, bool read_only)
{
	struct resync r = { 0 };
	struct span name, said;
	enum box_result found;
	bool was_open = im->folder != NULL, unkept;

	if (!parameters(im, im->e.args->next, &r) ||
	    !imap_name(im, im->e.args, &name) ||
	    imap_name_said(im, im->e.args, &said) != NULL)
		return;
	select_close(im);
	if (was_open)
		out_puts(&im->out, "* OK [CLOSED] Closed\r\n");
	found = boxes_find(&im->boxes, name, im->path, sizeof(im->path));
	if (found != BOX_OK) {
		imap_box_failed(im, found);
		return;
	}
	im->rights = acl_owner(im->path);
	if ((im->rights & (ACL_I | ACL_E | ACL_S | ACL_T | ACL_W)) == 0)
		read_only = true;
	if (!span_cstr(name, im->box, sizeof(im->box)) ||
	    open_box(im, &read_only, &unkept) == -1) {
		im->folder = NULL;
		imap_failed(im, "mailbox");
		return;
	}
	if (span_iis(name, "INBOX"))
		memcpy(im->box, "INBOX", 6);
	im->read_only = read_only;
	tell(im, said);
	if (unkept)
		out_puts(&im->out,
		    "* NO [UIDNOTSTICKY] Nothing can be "
		    "written, these UIDs will not come again\r\n");
	resync_tell(im, &r);
	imap_reply(im, "OK [%s] %s", read_only ? "READ-ONLY" : "READ-WRITE",
	    read_only ? "Examine completed" : "Select completed");
}

void
cmd_select(struct imap *im)
{
	run(im, false);
}

void
cmd_examine(struct imap *im)
{
	run(im, true);
}

void
cmd_unselect(struct imap *im)
{
	select_close(im);
	imap_reply(im, "OK Unselect completed");
}

/* CLOSE also removes what is marked, and tells nothing of it. */
void
cmd_close(struct imap *im)
{
	size_t n = 0, count = folder_count(im->folder);
	size_t *idx = NULL;

	if (!im->read_only && count > 0 && im->rights & ACL_E)
		idx = calloc(count, sizeof(*idx));
	for (size_t i = 0; idx != NULL && i < count; i++) {
		const struct msg *m = folder_msg(im->folder, i);

		if (m->flags & FLAG_DELETED && !m->gone)
			idx[n++] = i;
	}
	if (n > 0 && folder_expunge_deleted(im->folder, idx, n) == -1) {
		free(idx);
		imap_failed(im, "expunge");
		return;
	}
	event_expunged(im, idx, n);
	free(idx);
	select_close(im);
	imap_reply(im, "OK Close completed");
}
