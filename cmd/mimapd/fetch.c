/* FETCH: a response for each message, written as it is read. */
#include "fetch.h"

#include <errno.h>

#include "base/date.h"
#include "io/log.h"
#include "mail/bodystructure.h"
#include "mail/nstring.h"
#include "store/acl.h"
#include "sync.h"

/* What the items of a command need of each message. */
struct wants {
	unsigned digest; /* of folder_digest */
	bool file, seen, flags, uid, modseq, date;
	bool whole; /* the text is sent, to its end */
	bool lazy;  /* PREVIEW is told only where it is known */
	bool brief; /* BODY */
	bool binary;
};

/* A message, and what is known of it. */
struct told {
	size_t i;
	const struct msg *msg;
	struct digest digest;
	struct span body;
	int64_t date;
	bool preview;
	uint64_t size; /* as it was known before */
};

static void
put_two(char *to, int n)
{
	to[0] = (char)('0' + n / 10 % 10);
	to[1] = (char)('0' + n % 10);
}

/* date-time = DQUOTE date-day-fixed "-" ... SP zone DQUOTE */
static void
put_date(struct imap *im, const char *before, int64_t t)
{
	char s[] = "\"dd-mmm-yyyy hh:mm:ss +0000\"";
	struct civil c = date_civil(t);
	char *to = s + 1;

	put_two(to, c.day);
	if (c.day < 10)
		to[0] = ' ';
	memcpy(to + 3, date_months[c.month - 1], 3);
	put_two(to + 7, c.year / 100);
	put_two(to + 9, c.year);
	put_two(to + 12, c.hour);
	put_two(to + 15, c.min);
	put_two(to + 18, c.sec);
	out_puts(&im->out, before);
	out_put(&im->out, (struct span){ s, sizeof(s) - 1 });
}

/* PREVIEW SP nstring (RFC 8970) */
static void
put_preview(struct imap *im, const struct told *t)
{
	struct buf b = { .max = LIMIT_PREVIEW * 5 };

	out_puts(&im->out, "PREVIEW ");
	if (t->preview)
		nstring_put_string(&b, t->digest.preview);
	else
		buf_puts(&b, "NIL");
	imap_put(im, &b);
	buf_free(&b);
}

static void
put_number(struct imap *im, const char *before, uint64_t n)
{
	out_puts(&im->out, before);
	out_putu(&im->out, n);
}

static void
put_text(struct imap *im, const char *before, struct span text)
{
	out_puts(&im->out, before);
	out_put(&im->out, text);
}

/* fetch-emailid-resp = "EMAILID" SP "(" objectid ")" */
static void
put_email_id(struct imap *im, size_t i)
{
	char id[FOLDER_ID];

	folder_email_id(im->folder, i, id);
	out_puts(&im->out, "EMAILID (");
	out_puts(&im->out, id);
	out_putc(&im->out, ')');
}

static void
put_item(struct imap *im, const struct told *t, const struct item *it)
{
	switch (it->kind) {
	case ITEM_UID:
		put_number(im, "UID ", t->msg->uid);
		break;
	case ITEM_FLAGS:
		out_puts(&im->out, "FLAGS ");
		imap_put_flags(im, t->msg->flags, t->msg->keywords);
		break;
	case ITEM_DATE:
		put_date(im, "INTERNALDATE ", t->date);
		break;
	case ITEM_SIZE:
		put_number(im, "RFC822.SIZE ", t->digest.size);
		break;
	case ITEM_MODSEQ:
		put_number(im, "MODSEQ (", t->msg->modseq);
		out_putc(&im->out, ')');
		break;
	case ITEM_SAVEDATE:
		if (t->msg->saved > 0)
			put_date(im, "SAVEDATE ", t->msg->saved);
		else
			out_puts(&im->out, "SAVEDATE NIL");
		break;
	case ITEM_EMAILID:
		put_email_id(im, t->i);
		break;
	case ITEM_THREADID:
		out_puts(&im->out, "THREADID NIL");
		break;
	case ITEM_ENVELOPE:
		put_text(im, "ENVELOPE ", t->digest.envelope);
		break;
	case ITEM_BODY:
		put_text(im, "BODY ", t->body);
		break;
	case ITEM_STRUCTURE:
		put_text(im, "BODYSTRUCTURE ", t->digest.structure);
		break;
	case ITEM_PREVIEW:
		put_preview(im, t);
		break;
	case ITEM_SECTION:
		if (it->kept && t->digest.fields.p != NULL)
			section_put_kept(im, it, t->digest.fields);
		else
			section_put(im, it);
		break;
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE:
		binary_put(im, it);
		break;
	}
}

static void
add_wants(struct wants *w, const struct item *it)
{
	w->seen = w->seen || it->seen;
	switch (it->kind) {
	case ITEM_UID:
		w->uid = true;
		break;
	case ITEM_FLAGS:
		w->flags = true;
		break;
	case ITEM_SAVEDATE:
	case ITEM_EMAILID:
	case ITEM_THREADID:
		break;
	case ITEM_MODSEQ:
		w->modseq = true;
		break;
	case ITEM_DATE:
		w->date = true;
		break;
	case ITEM_SIZE:
		w->digest |= FOLDER_SIZE;
		break;
	case ITEM_ENVELOPE:
		w->digest |= DIGEST_HEAD;
		break;
	case ITEM_PREVIEW:
		w->lazy = w->lazy || it->lazy;
		if (!it->lazy)
			w->digest |= DIGEST_BODY;
		break;
	case ITEM_BODY:
		w->brief = true;
		w->digest |= DIGEST_BODY;
		break;
	case ITEM_STRUCTURE:
		w->digest |= DIGEST_BODY;
		break;
	case ITEM_SECTION:
		if (it->kept)
			w->digest |= DIGEST_HEAD;
		else
			w->file = true;
		w->whole = w->whole ||
		    (it->number.n == 0 &&
			(it->section == SECTION_ALL ||
			    it->section == SECTION_TEXT));
		break;
	case ITEM_BINARY:
	case ITEM_BINARY_SIZE:
		w->file = w->binary = true;
		break;
	}
}

static struct wants
wants(const struct item *items)
{
	struct wants w = { 0 };

	for (; items != NULL; items = items->next)
		add_wants(&w, items);
	return w;
}

/* \Seen was set: what tells of that and was not asked for. */
static void
put_seen(struct imap *im, const struct told *t, const struct wants *w)
{
	static const struct item uid = { .kind = ITEM_UID },
				 flags = { .kind = ITEM_FLAGS },
				 modseq = { .kind = ITEM_MODSEQ };
	bool condstore = (im->enabled & ENABLE_CONDSTORE) != 0;

	if (condstore && !w->uid && !(im->enabled & ENABLE_UIDONLY)) {
		out_putc(&im->out, ' ');
		put_item(im, t, &uid);
	}
	if (!w->flags) {
		out_putc(&im->out, ' ');
		put_item(im, t, &flags);
	}
	if (condstore && !w->modseq) {
		out_putc(&im->out, ' ');
		put_item(im, t, &modseq);
	}
}

/*
 * Its size turned out to be another one than clients were told, and they
 * are not told it anyway.
 */
static void
put_resized(struct imap *im, struct told *t, const struct wants *w)
{
	static const struct item size = { .kind = ITEM_SIZE };

	if (t->size == 0 || t->size == t->msg->size ||
	    (w->digest & FOLDER_SIZE) != 0)
		return;
	t->digest.size = t->msg->size;
	out_putc(&im->out, ' ');
	put_item(im, t, &size);
}

/* A copy: what is known of a message is so until the next is asked for. */
static bool
known_preview(struct imap *im, size_t i, struct span *text)
{
	if (!folder_preview(im->folder, i, text))
		return false;
	*text = arena_span(&im->e.arena, *text);
	return true;
}

/* BODY is made of BODYSTRUCTURE, which is found out again if it is none. */
static bool
make_body(struct imap *im, const struct wants *w, struct told *t)
{
	static struct buf b = { .max = LIMIT_DIGEST };

	buf_clear(&b);
	if (!bodystructure_brief(&b, t->digest.structure)) {
		folder_fact_forget(im->folder, t->i, FACT_BODY);
		if (folder_digest(im->folder, t->i, w->digest, &t->digest) ==
		    -1)
			return false;
		if (!bodystructure_brief(&b, t->digest.structure)) {
			errno = EBADMSG;
			return false;
		}
	}
	t->body = buf_span(&b);
	return true;
}

/* False and errno when the message can't be read, ENOENT: it has gone. */
static bool
look(struct imap *im, const struct wants *w, struct told *t)
{
	struct span preview = { NULL, 0 };
	bool body = (w->digest & DIGEST_BODY) != 0;

	t->preview = body || (w->lazy && known_preview(im, t->i, &preview));
	if (w->date && folder_date(im->folder, t->i, &t->date) == -1)
		return false;
	if (w->digest != 0 &&
	    folder_digest(im->folder, t->i, w->digest, &t->digest) == -1)
		return false;
	if (w->brief && !make_body(im, w, t))
		return false;
	if (!body)
		t->digest.preview = preview;
	if ((w->digest & DIGEST_HEAD) != 0 && t->digest.fields.p == NULL &&
	    body_open(im, t->i) == -1)
		return false; /* they were too long to be kept */
	return !w->binary || body_tree(im) != NULL;
}

static bool
set_seen(struct imap *im, size_t i)
{
	if (im->read_only || (im->rights & ACL_S) == 0 ||
	    (folder_msg(im->folder, i)->flags & FLAG_SEEN))
		return false;
	if (folder_store(im->folder, &i, 1, FOLDER_ADD, FLAG_SEEN, 0,
		UINT64_MAX, NULL) == 0)
		return true;
	log_error("flags", NULL);
	return false;
}

/* One that has gone is passed over, one that can't be read is not there. */
static bool
failed(struct imap *im)
{
	if (errno == ENOENT)
		return false;
	log_error("message", NULL);
	im->unread = true;
	return false;
}

/* False: it was expunged by another, and is passed over. */
static bool
fetch(
    struct imap *im, size_t i, const struct item *items, const struct wants *w)
{
	struct told t = { .i = i, .size = folder_msg(im->folder, i)->size };
	bool seen = false;
	uint64_t size;

	if (folder_msg(im->folder, i)->gone)
		return false;
	if (w->file && body_open(im, i) == -1)
		return failed(im);
	if (w->file && (w->whole || (w->digest & FOLDER_SIZE) != 0) &&
	    body_size(im, w->whole, &size) == -1)
		return failed(im);
	if (w->seen)
		seen = set_seen(im, i);
	if (!look(im, w, &t))
		return failed(im);
	t.msg = folder_msg(im->folder, i);
	sync_fetch_open(im, i);
	for (const struct item *it = items; it != NULL; it = it->next) {
		if (it != items)
			out_putc(&im->out, ' ');
		put_item(im, &t, it);
	}
	if (seen)
		put_seen(im, &t, w);
	put_resized(im, &t, w);
	out_puts(&im->out, ")\r\n");
	return true;
}

void
fetch_unasked(struct imap *im, const struct item *items, size_t from, size_t to)
{
	struct wants want = wants(items);

	for (size_t i = from; i < to && im->out.err == 0; i++) {
		struct arena_mark a = arena_mark(&im->e.arena);

		fetch(im, i, items, &want);
		arena_release(&im->e.arena, a);
	}
	im->unknown_cte = im->unread = false;
}

static const char *
outcome(struct imap *im)
{
	bool unknown = im->unknown_cte, unread = im->unread;

	im->unknown_cte = im->unread = false;
	return unread ? "NO [UNAVAILABLE] Some messages can't be read now"
	    : im->gone && !im->e.uid
	    ? "NO [EXPUNGEISSUED] Some messages are no more"
	    : unknown ? "NO [UNKNOWN-CTE] An encoding is not known"
		      : "OK Fetch completed";
}

/* fetch = "FETCH" SP sequence-set SP (macro / fetch-att / list)
 * [SP "(" modifiers ")"] */
void
cmd_fetch(struct imap *im)
{
	const struct imap_arg *set = im->e.args;
	struct modifiers m;
	struct item *items;
	struct wants want;
	struct walk w;
	size_t i;

	if (!imap_is_string(set) || !modifiers_parse(im, &m) ||
	    !item_parse(im, set->next, &m, &items)) {
		imap_bad(im, "Not something to fetch");
		return;
	}
	if (!walk_init(&w, im, set->text, im->e.uid))
		return;
	if (!m.partial)
		limit_walk(&w);
	want = wants(items);
	modifiers_begin(im, &m, items, &w);
	if (m.vanished)
		resync_vanished_in(im, m.since, set->text);
	while (im->out.err == 0 && walk_next(&w, &i)) {
		struct arena_mark a = arena_mark(&im->e.arena);

		if (!modifiers_take(&m, folder_msg(im->folder, i)))
			continue;
		imap_progress(im, m.taken, m.total);
		if (!fetch(im, i, items, &want))
			im->gone = true;
		arena_release(&im->e.arena, a);
	}
	if (m.cut)
		im->limited = m.lowest;
	imap_done(im, outcome(im));
}
