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
	STATUS_APPENDLIMIT = 256
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
	{ "APPENDLIMIT", STATUS_APPENDLIMIT },
};

enum { NNAMES = sizeof(names) / sizeof(names[0]) };

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

void
status_put(struct imap *im, struct span name, const char *path, unsigned items)
{
	struct folder_status st;
	const char *sep = " (";

	if (folder_status(path, &st, (items & STATUS_SIZE) != 0) == -1)
		return;
	out_puts(&im->out, "* STATUS ");
	imap_put_name(im, name);
	for (int i = 0; i < NNAMES; i++) {
		uint64_t v = 0;

		if (!(items & names[i].item))
			continue;
		switch (names[i].item) {
		case STATUS_APPENDLIMIT:
			v = append_limit();
			break;
		case STATUS_MESSAGES:
			v = st.messages;
			break;
		case STATUS_RECENT:
			v = st.recent;
			break;
		case STATUS_UIDNEXT:
			v = st.uidnext;
			break;
		case STATUS_UIDVALIDITY:
			v = st.uidvalidity;
			break;
		case STATUS_UNSEEN:
			v = st.unseen;
			break;
		case STATUS_DELETED:
			v = st.deleted;
			break;
		case STATUS_SIZE:
			v = st.size;
			break;
		case STATUS_HIGHESTMODSEQ:
			v = st.modseq;
			break;
		}
		out_printf(&im->out, "%s%s %llu", sep, names[i].name,
		    (unsigned long long)v);
		sep = " ";
	}
	out_puts(&im->out, ")\r\n");
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
	status_put(im, name, path, items);
	imap_done(im, "OK Status completed");
}
