/* What has changed in the selected mailbox, told to the client. */
#include "sync.h"

#include <errno.h>

#include "base/grow.h"
#include "context.h"
#include "io/log.h"
#include "notify.h"
#include "store/acl.h"

static const struct {
	const char *name;
	uint16_t flag;
} permanent[] = {
	{ "\\Seen", FLAG_SEEN },
	{ "\\Answered", FLAG_ANSWERED },
	{ "\\Flagged", FLAG_FLAGGED },
	{ "\\Deleted", FLAG_DELETED },
	{ "\\Draft", FLAG_DRAFT },
};

enum { VANISHED_LINE = 8000 };

/* What one refresh finds.  EXPUNGEs come from the highest number down. */
struct news {
	struct imap *im;
	bool checked;    /* the keywords */
	bool more;       /* there are others, or fewer: no MODSEQ tells so */
	uint64_t modseq; /* what has a larger one may not be told yet */
	uint32_t *uid;
	size_t n, cap;
};

void
sync_vanished(
    struct imap *im, struct vanished *v, uint32_t first, uint32_t last)
{
	if (v->line.n > VANISHED_LINE)
		sync_vanished_end(im, v);
	if (v->line.n == 0) {
		v->line.max = VANISHED_LINE + 64;
		buf_puts(&v->line,
		    v->earlier ? "* VANISHED (EARLIER) " : "* VANISHED ");
	}
	imapset_add_range(&v->line, &v->set, first, last);
}

void
sync_vanished_end(struct imap *im, struct vanished *v)
{
	if (v->line.n > 0) {
		imapset_end(&v->line, &v->set);
		imap_put(im, &v->line);
		out_puts(&im->out, "\r\n");
	}
	buf_free(&v->line);
	v->set = (struct imapset_writer){ 0 };
}

static void
put_expunges(struct news *n)
{
	struct vanished v = { 0 };

	n->more = n->more || n->n > 0;
	for (size_t i = n->n; i-- > 0;)
		sync_vanished(n->im, &v, n->uid[i], n->uid[i]);
	sync_vanished_end(n->im, &v);
	free(n->uid);
	n->uid = NULL;
	n->n = n->cap = 0;
}

static void
on_expunged(void *ctx, size_t i, uint32_t uid)
{
	struct news *n = ctx;
	struct imap *im = n->im;

	if (im->body.fd != -1 && im->body.uid == uid)
		body_close(im);
	if (im->body.fd != -1 && im->body.i > i)
		im->body.i--;
	if ((im->enabled & (ENABLE_QRESYNC | ENABLE_UIDONLY)) == 0) {
		out_puts(&im->out, "* ");
		out_putu(&im->out, i + 1);
		out_puts(&im->out, " EXPUNGE\r\n");
		return;
	}
	n->uid = grow_array(n->uid, n->n, &n->cap, sizeof(n->uid[0]));
	n->uid[n->n++] = uid;
}

void
sync_fetch_open(struct imap *im, size_t i)
{
	bool uidonly = (im->enabled & ENABLE_UIDONLY) != 0;

	out_puts(&im->out, "* ");
	out_putu(&im->out, uidonly ? folder_msg(im->folder, i)->uid : i + 1);
	out_puts(&im->out, uidonly ? " UIDFETCH (" : " FETCH (");
}

/* RFC 7162, section 3.2.4: with CONDSTORE the UID is always there. */
static void
fetch_begin(struct imap *im, size_t i)
{
	sync_fetch_open(im, i);
	if (im->enabled & ENABLE_UIDONLY)
		return;
	if (im->e.uid || im->notify != NULL ||
	    im->enabled & (ENABLE_REV2 | ENABLE_CONDSTORE)) {
		out_puts(&im->out, "UID ");
		out_putu(&im->out, folder_msg(im->folder, i)->uid);
		out_putc(&im->out, ' ');
	}
}

static void
put_modseq(struct imap *im, size_t i)
{
	out_puts(&im->out, "MODSEQ (");
	out_putu(&im->out, folder_msg(im->folder, i)->modseq);
	out_putc(&im->out, ')');
}

static void
put_flags(struct imap *im, size_t i)
{
	const struct msg *m = folder_msg(im->folder, i);

	fetch_begin(im, i);
	out_puts(&im->out, "FLAGS ");
	imap_put_flags(im, m->flags, m->keywords);
	if (im->enabled & ENABLE_CONDSTORE) {
		out_putc(&im->out, ' ');
		put_modseq(im, i);
	}
	out_puts(&im->out, ")\r\n");
}

void
sync_fetch_flags(struct imap *im, size_t i)
{
	sync_flags(im);
	put_flags(im, i);
}

void
sync_fetch_modseq(struct imap *im, size_t i)
{
	fetch_begin(im, i);
	put_modseq(im, i);
	out_puts(&im->out, ")\r\n");
}

static void
on_flags(void *ctx, size_t i)
{
	struct news *n = ctx;

	if (!notify_wants(n->im, NOTIFY_FLAG)) {
		n->im->untold = true;
		return;
	}
	if (!n->checked)
		sync_flags(n->im);
	n->checked = true;
	if (n->n > 0)
		put_expunges(n);
	put_flags(n->im, i);
}

static void
on_exists(void *ctx, size_t count)
{
	struct news *n = ctx;
	struct imap *im = n->im;
	struct folder_counts c;

	n->more = true;
	if (n->n > 0)
		put_expunges(n);
	out_puts(&im->out, "* ");
	out_putu(&im->out, count);
	out_puts(&im->out, " EXISTS\r\n");
	if (im->enabled & ENABLE_REV2)
		return;
	folder_counts(im->folder, &c);
	out_puts(&im->out, "* ");
	out_putu(&im->out, c.recent);
	out_puts(&im->out, " RECENT\r\n");
}

static int
count_keywords(const struct imap *im)
{
	int n = 0;

	while (n < LIMIT_KEYWORDS && folder_keyword_name(im->folder, n) != NULL)
		n++;
	return n;
}

/* Those that the rights allow, in parentheses. */
static void
put_permanent(struct imap *im, int nkeywords)
{
	const char *sep = "";

	out_putc(&im->out, '(');
	for (size_t i = 0; i < sizeof(permanent) / sizeof(permanent[0]); i++)
		if (acl_flags(im->rights) & permanent[i].flag) {
			out_puts(&im->out, sep);
			out_puts(&im->out, permanent[i].name);
			sep = " ";
		}
	for (int k = 0; im->rights & ACL_W && k < nkeywords; k++) {
		out_putc(&im->out, ' ');
		out_puts(&im->out, folder_keyword_name(im->folder, k));
	}
	if (im->rights & ACL_W && nkeywords < LIMIT_KEYWORDS)
		out_puts(&im->out, " \\*");
	out_puts(&im->out, ")] Flags permitted\r\n");
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
	put_permanent(im, n);
}

static void
put_highest(struct imap *im, const char *text)
{
	out_puts(&im->out, "* OK [HIGHESTMODSEQ ");
	out_putu(&im->out, im->modseq);
	out_puts(&im->out, "] ");
	out_puts(&im->out, text);
	out_puts(&im->out, "\r\n");
}

void
sync_condstore(struct imap *im)
{
	if (im->enabled & ENABLE_CONDSTORE)
		return;
	im->enabled |= ENABLE_CONDSTORE;
	if (im->folder != NULL)
		put_highest(im, "Highest");
}

/* Commands that change what messages there are, and say so. */
static bool
changes(const struct imap *im)
{
	static const char *const names[] = { "APPEND", "COPY", "MOVE",
		"EXPUNGE", "REPLACE" };

	if (im->notify != NULL && im->notify->telling)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(im->e.name, names[i]))
			return true;
	return false;
}

/* Commands whose tagged OK has the HIGHESTMODSEQ. */
static bool
ends_with_it(const struct imap *im)
{
	return span_iis(im->e.name, "EXPUNGE") || span_iis(im->e.name, "MOVE");
}

/*
 * After a refresh: how far a client with QRESYNC is now.  Messages that have
 * gone, but may not be told of yet, hold it back: what the client would find
 * out the next time begins before them, whatever larger MODSEQ it has seen
 * meanwhile.  And no FETCH told the MODSEQ of those that came or went: kept
 * from it, the client would take its own APPEND for a change of others the
 * next time (RFC 7162, section 6).  Where NOTIFY keeps flags from it, it
 * stays where it was.
 */
static void
put_reached(struct imap *im, bool expunge, const struct news *n)
{
	bool delayed = !expunge && folder_gone(im->folder) > 0;

	if (im->modseq == n->modseq || im->untold)
		return;
	if (!delayed)
		im->modseq = n->modseq;
	if ((im->enabled & ENABLE_QRESYNC) == 0)
		return;
	if (delayed)
		put_highest(im, "Expunges are delayed");
	else if (n->more && notify_wants(im, NOTIFY_FLAG) && !ends_with_it(im))
		put_highest(im, "Highest");
}

/*
 * 0, or -1 and errno.  What goes leaves the results of searches before it
 * goes: then it is what they were told of that is dropped, and no more.
 */
static int
refresh(struct imap *im, bool expunge, struct news *n)
{
	struct folder_news news = { .ctx = n,
		.expunged = on_expunged,
		.flags = on_flags,
		.exists = on_exists };
	bool later = expunge && im->contexts != NULL;
	size_t told = 0;
	int r = folder_refresh(im->folder, expunge && !later, &news),
	    err = errno;

	n->modseq = folder_modseq(im->folder);
	/* a look at a message may find that others have gone */
	while (r == 0 && later && told != folder_gone(im->folder)) {
		told = folder_gone(im->folder);
		context_flush(im, true);
	}
	if (told > 0)
		folder_drop_gone(im->folder, &news);
	put_expunges(n);
	sync_flags(im);
	context_flush(im, false);
	errno = err;
	return r;
}

void
sync_run(struct imap *im, bool expunge)
{
	uint32_t next = folder_uidnext(im->folder);
	struct news n = { .im = im };
	int r;

	if (!notify_wants(im, NOTIFY_MESSAGES) && !changes(im))
		return;

	r = refresh(im, expunge, &n);
	if (r == -1 && errno == ESTALE) {
		out_puts(&im->out, "* BYE The mailbox was made anew\r\n");
		im->over = true;
	} else if (r == -1) {
		if (errno != ENOENT)
			log_error("mailbox", NULL);
	} else {
		put_reached(im, expunge, &n);
	}
	if (notify_wants(im, NOTIFY_NEW) && !changes(im)) {
		notify_fetch(im, folder_lower(im->folder, next),
		    folder_count(im->folder));
		context_fetch(im, next);
	}
}
