/* Commands about mailboxes as such. */
#include "imap.h"

/* create-param = "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")" */
static bool
use_param(struct imap *im, const struct imap_arg *a, unsigned *use)
{
	const struct imap_arg *u;

	*use = 0;
	if (a == NULL)
		return true;
	if (a->type != IMAP_LIST || a->list == NULL ||
	    !span_iis(a->list->text, "USE") || a->list->next == NULL ||
	    a->list->next->type != IMAP_LIST || a->list->next->next != NULL) {
		imap_bad(im, "Unknown parameter of CREATE");
		return false;
	}
	for (u = a->list->next->list; u != NULL; u = u->next) {
		unsigned one = boxes_use(u->text);

		if (one == 0) {
			imap_reply(im, "NO [USEATTR] Not a use we can set");
			return false;
		}
		*use |= one;
	}
	return true;
}

static void
answer(struct imap *im, enum box_result r, const char *done)
{
	if (r == BOX_OK)
		imap_done(im, done);
	else
		imap_box_failed(im, r);
}

/* A separator at the end only says that there will be children. */
static struct span
without_end(const struct imap *im, struct span name)
{
	if (name.n > 1 && name.p[name.n - 1] == im->boxes.separator)
		name.n--;
	return name;
}

void
cmd_create(struct imap *im)
{
	struct folder_status st;
	char path[LIMIT_PATH];
	struct span name, said;
	enum box_result r;
	unsigned use;

	if (!use_param(im, im->e.args->next, &use) ||
	    !imap_new_name(im, im->e.args, &name) ||
	    imap_name_said(im, im->e.args, &said) != NULL)
		return;
	name = without_end(im, name);
	said = without_end(im, said);
	r = boxes_create(&im->boxes, name, use);
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return;
	}
	if (im->enabled & ENABLE_REV2 && !span_eq(said, name))
		list_put(im, name, said);
	if (im->folder != NULL)
		sync_run(im, true);
	if (boxes_find(&im->boxes, name, path, sizeof(path)) == BOX_OK &&
	    folder_status(path, &st, false) == 0)
		imap_reply(im, "OK [MAILBOXID (%s)] Create completed", st.id);
	else
		imap_failed(im, "mailbox");
}

/* Our own selected mailbox, which has gone or has another name, is left. */
static void
leave(struct imap *im, struct span name)
{
	if (im->folder != NULL && span_is(name, im->box)) {
		select_close(im);
		if (im->enabled & ENABLE_REV2)
			out_puts(&im->out, "* OK [CLOSED] Closed\r\n");
	}
}

void
cmd_delete(struct imap *im)
{
	enum box_result r;
	struct span name;

	if (!imap_name(im, im->e.args, &name))
		return;
	r = boxes_delete(&im->boxes, name);
	if (r == BOX_OK)
		leave(im, name);
	answer(im, r, "OK Delete completed");
}

void
cmd_rename(struct imap *im)
{
	struct span from, to;
	enum box_result r;

	if (!imap_name(im, im->e.args, &from) ||
	    !imap_new_name(im, im->e.args->next, &to))
		return;
	to = without_end(im, to);
	r = boxes_rename(&im->boxes, from, to);
	if (r == BOX_OK && !span_iis(from, "INBOX"))
		leave(im, from);
	if (r == BOX_OK && im->enabled & ENABLE_REV2)
		list_put(im, to, from);
	answer(im, r, "OK Rename completed");
}

static void
subscribe(struct imap *im, bool on)
{
	struct span name;

	if (imap_name(im, im->e.args, &name))
		answer(im,
		    boxes_subscribe(&im->boxes, without_end(im, name), on),
		    on ? "OK Subscribe completed" : "OK Unsubscribe completed");
}

void
cmd_subscribe(struct imap *im)
{
	subscribe(im, true);
}

void
cmd_unsubscribe(struct imap *im)
{
	subscribe(im, false);
}
