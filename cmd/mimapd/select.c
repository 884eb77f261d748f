/* SELECT and EXAMINE, and the ways out. */
#include <errno.h>

#include "imap.h"

void
select_close(struct imap *im)
{
	body_close(im);
	if (im->folder != NULL)
		folder_close(im->folder);
	im->folder = NULL;
	free(im->saved.range);
	im->saved = (struct imapset){ 0 };
}

/* What is told about a mailbox that was opened: RFC 3501, 6.3.1. */
static void
tell(struct imap *im, struct span asked)
{
	size_t count = folder_count(im->folder), recent = 0, unseen = 0;

	im->keywords = -1;
	sync_flags(im);
	for (size_t i = count; i-- > 0;) {
		uint16_t flags = folder_msg(im->folder, i)->flags;

		if (flags & FLAG_RECENT)
			recent++;
		if (!(flags & FLAG_SEEN))
			unseen = i + 1;
	}
	out_printf(&im->out, "* %zu EXISTS\r\n", count);
	if (!im->rev2) {
		out_printf(&im->out, "* %zu RECENT\r\n", recent);
		if (unseen > 0)
			out_printf(&im->out,
			    "* OK [UNSEEN %zu] First unseen\r\n", unseen);
	}
	out_printf(&im->out, "* OK [UIDVALIDITY %lu] UIDs valid\r\n",
	    (unsigned long)folder_uidvalidity(im->folder));
	out_printf(&im->out, "* OK [UIDNEXT %lu] Predicted next UID\r\n",
	    (unsigned long)folder_uidnext(im->folder));
	if (im->rev2)
		list_put(im, span_of(im->box), asked);
}

static void
run(struct imap *im, bool read_only)
{
	const struct imap_arg *params = im->e.args->next;
	struct span name;
	enum box_result r;
	bool was_open = im->folder != NULL;

	if (params != NULL &&
	    (params->type != IMAP_LIST || params->list != NULL)) {
		imap_bad(im, "Unknown parameter");
		return;
	}
	if (!imap_name(im, im->e.args, &name))
		return;
	select_close(im);
	if (was_open && im->rev2)
		out_puts(&im->out, "* OK [CLOSED] Closed\r\n");
	r = boxes_find(&im->boxes, name, im->path, sizeof(im->path));
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return;
	}
	if (!span_cstr(name, im->box, sizeof(im->box)) ||
	    folder_open(&im->folder, im->path, !read_only) == -1) {
		im->folder = NULL;
		imap_failed(im, "mailbox");
		return;
	}
	if (span_iis(name, "INBOX"))
		memcpy(im->box, "INBOX", 6);
	im->read_only = read_only;
	tell(im, name);
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

	if (!im->read_only && count > 0)
		idx = calloc(count, sizeof(*idx));
	for (size_t i = 0; idx != NULL && i < count; i++) {
		const struct msg *m = folder_msg(im->folder, i);

		if (m->flags & FLAG_DELETED && !m->gone)
			idx[n++] = i;
	}
	if (n > 0 && folder_expunge(im->folder, idx, n) == -1) {
		free(idx);
		imap_failed(im, "expunge");
		return;
	}
	free(idx);
	select_close(im);
	imap_reply(im, "OK Close completed");
}
