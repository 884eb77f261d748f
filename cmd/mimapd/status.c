/* STATUS, also as a part of LIST. */
#include "imap.h"

enum {
	STATUS_MESSAGES = 1,
	STATUS_RECENT = 2,
	STATUS_UIDNEXT = 4,
	STATUS_UIDVALIDITY = 8,
	STATUS_UNSEEN = 16,
	STATUS_DELETED = 32,
	STATUS_SIZE = 64,
	STATUS_HIGHESTMODSEQ = 128,
	STATUS_APPENDLIMIT = 256,
	STATUS_DELETED_STORAGE = 512,
	STATUS_MAILBOXID = 1024
};

static const struct {
	const char *name;
	unsigned item;
} names[] = {
	{ "MESSAGES", STATUS_MESSAGES },
	{ "RECENT", STATUS_RECENT },
	{ "UIDNEXT", STATUS_UIDNEXT },
	{ "UIDVALIDITY", STATUS_UIDVALIDITY },
	{ "UNSEEN", STATUS_UNSEEN },
	{ "DELETED", STATUS_DELETED },
	{ "SIZE", STATUS_SIZE },
	{ "HIGHESTMODSEQ", STATUS_HIGHESTMODSEQ },
	{ "MAILBOXID", STATUS_MAILBOXID },
	{ "DELETED-STORAGE", STATUS_DELETED_STORAGE },
	{ "APPENDLIMIT", STATUS_APPENDLIMIT },
};

enum { NNAMES = sizeof(names) / sizeof(names[0]) };

unsigned
status_item(const char *name)
{
	for (int i = 0; i < NNAMES; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].item;
	return 0;
}

/* "(" status-att *(SP status-att) ")" */
bool
status_items(struct imap *im, const struct imap_arg *a, unsigned *items)
{
	*items = 0;
	if (a == NULL || a->type != IMAP_LIST || a->list == NULL) {
		imap_bad(im, "STATUS takes a list of items");
		return false;
	}
	for (a = a->list; a != NULL; a = a->next) {
		int i = 0;

		while (i < NNAMES && !span_iis(a->text, names[i].name))
			i++;
		if (i == NNAMES) {
			imap_bad(im, "Unknown status item");
			return false;
		}
		*items |= names[i].item;
	}
	if (*items & STATUS_HIGHESTMODSEQ)
		sync_condstore(im);
	return true;
}

/* RFC 9208, section 4.1.4: the octets of what is marked as deleted. */
static uint64_t
deleted_storage(const char *path)
{
	struct folder *f;
	uint64_t sum = 0;

	if (folder_open(&f, path, false) == -1)
		return 0;
	for (size_t i = 0; i < folder_count(f); i++) {
		const struct msg *m = folder_msg(f, i);

		if (m->flags & FLAG_DELETED && !m->gone)
			sum += quota_messages(f, &i, 1);
	}
	folder_close(f);
	return sum;
}

static uint64_t
value(const struct folder_status *st, unsigned item, const char *path)
{
	switch (item) {
	case STATUS_MESSAGES:
		return st->messages;
	case STATUS_RECENT:
		return st->recent;
	case STATUS_UIDNEXT:
		return st->uidnext;
	case STATUS_UIDVALIDITY:
		return st->uidvalidity;
	case STATUS_UNSEEN:
		return st->unseen;
	case STATUS_DELETED:
		return st->deleted;
	case STATUS_SIZE:
		return st->size;
	case STATUS_HIGHESTMODSEQ:
		return st->modseq;
	case STATUS_APPENDLIMIT:
		return append_limit();
	case STATUS_DELETED_STORAGE:
		return st->deleted == 0 ? 0 : deleted_storage(path);
	}
	return 0;
}

bool
status_put(struct imap *im, struct span name, const char *path, unsigned items)
{
	struct folder_status st;
	const char *sep = " (";

	if (folder_status(path, &st, (items & STATUS_SIZE) != 0) == -1)
		return false;
	out_puts(&im->out, "* STATUS ");
	imap_put_name(im, name);
	for (int i = 0; i < NNAMES; i++) {
		if (!(items & names[i].item))
			continue;
		out_puts(&im->out, sep);
		out_puts(&im->out, names[i].name);
		out_putc(&im->out, ' ');
		if (names[i].item == STATUS_MAILBOXID)
			out_printf(&im->out, "(%s)", st.id);
		else
			out_putu(&im->out, value(&st, names[i].item, path));
		sep = " ";
	}
	out_puts(&im->out, ")\r\n");
	return true;
}

void
cmd_status(struct imap *im)
{
	char path[LIMIT_PATH];
	struct span name;
	enum box_result r;
	unsigned items;

	if (!status_items(im, im->e.args->next, &items) ||
	    !imap_name(im, im->e.args, &name))
		return;
	r = boxes_find(&im->boxes, name, path, sizeof(path));
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return;
	}
	if (span_iis(name, "INBOX"))
		name = SPAN("INBOX");
	if (status_put(im, name, path, items))
		imap_done(im, "OK Status completed");
	else
		imap_failed(im, "status");
}
