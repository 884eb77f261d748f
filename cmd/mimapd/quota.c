/* QUOTA (RFC 9208, RFC 2087): one root for all that a user has. */
#include "imap.h"

static const char root[] = "ROOT";

bool
quota_allows(struct imap *im, uint64_t bytes, uint64_t messages)
{
	if (quota_room(&im->quota, bytes, messages))
		return true;
	imap_reply(im, "NO [OVERQUOTA] The mailbox is full");
	return false;
}

static void
put_resource(struct imap *im, const char *sep, const char *name, uint64_t use,
    uint64_t max)
{
	out_puts(&im->out, sep);
	out_puts(&im->out, name);
	out_putc(&im->out, ' ');
	out_putu(&im->out, use);
	out_putc(&im->out, ' ');
	out_putu(&im->out, max);
}

/* "QUOTA" SP quota-root SP "(" [name SP use SP limit ...] ")"; of 1024 octets,
 * of which a part counts as one when used and as none when allowed */
static void
put_quota(struct imap *im, const struct quota_use *u)
{
	const char *sep = "";

	out_printf(&im->out, "* QUOTA \"%s\" (", root);
	if (u->max_bytes != 0) {
		put_resource(im, sep, "STORAGE", (u->bytes + 1023) / 1024,
		    u->max_bytes / 1024);
		sep = " ";
	}
	if (u->max_messages != 0)
		put_resource(im, sep, "MESSAGE", u->messages, u->max_messages);
	out_puts(&im->out, ")\r\n");
}

static bool
get(struct imap *im, struct quota_use *u)
{
	if (quota_get(&im->quota, u) == 0)
		return true;
	imap_failed(im, "quota");
	return false;
}

static bool
is_limited(const struct quota_use *u)
{
	return u->max_bytes != 0 || u->max_messages != 0;
}

void
cmd_getquota(struct imap *im)
{
	struct quota_use u;

	if (!imap_is_string(im->e.args)) {
		imap_bad(im, "GETQUOTA takes a quota root");
		return;
	}
	if (!get(im, &u))
		return;
	if (!is_limited(&u) || !span_is(im->e.args->text, root)) {
		imap_reply(im, "NO [NONEXISTENT] No such quota root");
		return;
	}
	put_quota(im, &u);
	imap_done(im, "OK Getquota completed");
}

/* The mailbox need not exist: RFC 9208, section 4.1.2. */
void
cmd_getquotaroot(struct imap *im)
{
	struct quota_use u;
	char path[LIMIT_PATH];
	struct span name;

	if (!imap_name(im, im->e.args, &name))
		return;
	if (boxes_path(&im->boxes, name, path, sizeof(path)) != BOX_OK) {
		imap_box_failed(im, BOX_NONE);
		return;
	}
	if (!get(im, &u))
		return;
	out_puts(&im->out, "* QUOTAROOT ");
	imap_put_name(im, span_iis(name, "INBOX") ? SPAN("INBOX") : name);
	if (is_limited(&u)) {
		out_printf(&im->out, " \"%s\"\r\n", root);
		put_quota(im, &u);
	} else {
		out_puts(&im->out, "\r\n");
	}
	imap_done(im, "OK Getquotaroot completed");
}

void
cmd_setquota(struct imap *im)
{
	imap_reply(im, "NO [NOPERM] Quotas are set in the configuration");
}
