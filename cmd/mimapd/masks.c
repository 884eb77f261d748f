/* Capabilities that are hidden from this client. */
#include "auth/masks.h"
#include "imap.h"
#include "imap/imapcapa.h"
#include "io/net.h"

/* Commands that a capability stands for, where it is not of their name. */
static const struct {
	const char *command, *capability;
} others[] = {
	/* clang-format off */
	{ "COMPRESS",     "COMPRESS=DEFLATE" },
	{ "GETQUOTA",     "QUOTA" },
	{ "GETQUOTAROOT", "QUOTA" },
	{ "SETQUOTA",     "QUOTA" },
	{ "SETACL",       "ACL" },
	{ "DELETEACL",    "ACL" },
	{ "GETACL",       "ACL" },
	{ "LISTRIGHTS",   "ACL" },
	{ "MYRIGHTS",     "ACL" },
	{ "GETMETADATA",  "METADATA" },
	{ "SETMETADATA",  "METADATA" },
	{ "ESEARCH",      "MULTISEARCH" },
	{ "CANCELUPDATE", "CONTEXT=SEARCH" },
	/* clang-format on */
};

enum { NOTHERS = sizeof(others) / sizeof(others[0]) };

void
masks_apply(struct imap *im)
{
	struct net_peer peer;
	struct masks_who who = { .ip = peer.ip,
		.login = span_of(im->login),
		.id = buf_span(&im->id) };

	net_peer_env(im->in.fd, &peer);
	buf_free(&im->hidden); /* ID may come again and again */
	buf_init(&im->hidden, 4096);
	masks_read(&who, &im->hidden);
}

bool
imap_has(const struct imap *im, const char *capability)
{
	return !masks_has(buf_span(&im->hidden), span_of(capability));
}

/* "THREAD=" algorithm, each a capability */
static bool
hides_thread(const struct imap *im, struct span hidden)
{
	struct span word, way = SPAN("");

	if (im->e.args != NULL)
		way = im->e.args->text;
	while ((word = span_word(&hidden)).n > 0)
		if (span_istarts(word, "THREAD=")) {
			span_take(&word, 7);
			if (span_ieq(word, way))
				return true;
		}
	return false;
}

bool
masks_hide(const struct imap *im, struct span command)
{
	struct span hidden = buf_span(&im->hidden);

	if (hidden.n == 0)
		return false;
	if (span_iis(command, "THREAD"))
		return hides_thread(im, hidden);
	for (int i = 0; i < NOTHERS; i++)
		if (span_iis(command, others[i].command))
			return masks_has(hidden, span_of(others[i].capability));
	return masks_has(hidden, command);
}

void
imap_put_capability(struct imap *im)
{
	struct imapcapa_conf c = { .hidden = buf_span(&im->hidden),
		.appendlimit = append_limit(),
		.compressed = im->compressed,
		.unauthenticate = im->again != -1,
		.messagelimit = limit_messages(),
		.savelimit = limit_saved() };
	struct buf b = { .max = 2048 };

	imapcapa_put(&b, &c);
	imap_put(im, &b);
	buf_free(&b);
}
