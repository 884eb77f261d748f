/* What has changed in the selected mailbox, told to the client. */
#include <errno.h>

#include "imap.h"
#include "io/log.h"

static void
on_expunged(void *ctx, size_t i, uint32_t uid)
{
	struct imap *im = ctx;

	if (im->body.fd != -1 && im->body.uid == uid)
		body_close(im);
	if (im->body.fd != -1 && im->body.i > i)
		im->body.i--;
	out_printf(&im->out, "* %zu EXPUNGE\r\n", i + 1);
}

void
sync_fetch_flags(struct imap *im, size_t i)
{
	const struct msg *m = folder_msg(im->folder, i);

	sync_flags(im);
	out_printf(&im->out, "* %zu FETCH (", i + 1);
	if (im->e.uid || im->rev2)
		out_printf(&im->out, "UID %lu ", (unsigned long)m->uid);
	out_puts(&im->out, "FLAGS ");
	imap_put_flags(im, m->flags, m->keywords);
	out_puts(&im->out, ")\r\n");
}

static void
on_flags(void *ctx, size_t i)
{
	sync_fetch_flags(ctx, i);
}

static void
on_exists(void *ctx, size_t count)
{
	struct imap *im = ctx;
	size_t recent = 0;

	out_printf(&im->out, "* %zu EXISTS\r\n", count);
	if (im->rev2)
		return;
	for (size_t i = 0; i < count; i++)
		if (folder_msg(im->folder, i)->flags & FLAG_RECENT)
			recent++;
	out_printf(&im->out, "* %zu RECENT\r\n", recent);
}

static int
count_keywords(const struct imap *im)
{
	int n = 0;

	while (n < LIMIT_KEYWORDS && folder_keyword_name(im->folder, n) != NULL)
		n++;
	return n;
}

void
sync_flags(struct imap *im)
{
	int n = count_keywords(im);
	uint64_t all = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;

	if (n == im->keywords)
		return;
	im->keywords = n;
	out_puts(&im->out, "* FLAGS ");
	imap_put_flags(im, FLAG_ALL, all);
	out_puts(&im->out, "\r\n* OK [PERMANENTFLAGS ");
	if (im->read_only) {
		out_puts(&im->out, "()] Read-only mailbox\r\n");
		return;
	}
	out_puts(&im->out, "(\\Seen \\Answered \\Flagged \\Deleted \\Draft");
	for (int k = 0; k < n; k++)
		out_printf(&im->out, " %s", folder_keyword_name(im->folder, k));
	out_puts(&im->out, " \\*)] Flags permitted\r\n");
}

void
sync_run(struct imap *im, bool expunge)
{
	struct folder_news news = { .ctx = im,
		.expunged = on_expunged,
		.flags = on_flags,
		.exists = on_exists };

	if (folder_refresh(im->folder, expunge, &news) == -1 && errno != ENOENT)
		log_error("mailbox", NULL);
	sync_flags(im);
}
