/* What commands did to messages, told to programs (store/events.h). */
#include "event.h"

#include "io/log.h"

static const struct {
	uint16_t flag;
	const char *name;
} system_flags[] = { { FLAG_SEEN, "\\Seen" }, { FLAG_ANSWERED, "\\Answered" },
	{ FLAG_FLAGGED, "\\Flagged" }, { FLAG_DELETED, "\\Deleted" },
	{ FLAG_DRAFT, "\\Draft" } };

void
event_start(struct imap *im)
{
	events_open(&im->events, im->boxes.root, im->login);
	if (events_start(&im->events) == -1)
		log_error("events", NULL);
}

static void
put_word(struct buf *b, const char *word)
{
	if (b->n > 0)
		buf_putc(b, ' ');
	buf_puts(b, word);
}

static void
put_flags(struct imap *im, struct buf *b, uint16_t flags, uint64_t keywords)
{
	const char *name;

	for (size_t i = 0; i < sizeof(system_flags) / sizeof(system_flags[0]);
	     i++)
		if ((flags & system_flags[i].flag) != 0)
			put_word(b, system_flags[i].name);
	for (int k = 0; keywords != 0 && k < LIMIT_KEYWORDS; k++)
		if ((keywords >> k & 1) != 0 &&
		    (name = folder_keyword_name(im->folder, k)) != NULL)
			put_word(b, name);
}

/* The folder's name in the Maildir: "" for INBOX. */
static struct span
dir_of(const struct imap *im, const char *path)
{
	size_t root = strlen(im->boxes.root);
	struct span s = span_of(path);

	if (s.n > root && s.p[root] == '/')
		return (struct span){ s.p + root + 1, s.n - root - 1 };
	return SPAN("");
}

void
event_flagged(struct imap *im, const size_t *idx, size_t n, const bool *failed,
    const struct event_change *c)
{
	struct buf changed = { .max = LIMIT_FLAG_WORDS },
		   now = { .max = LIMIT_FLAG_WORDS };
	struct event ev = { .kind = EVENT_FLAGGED,
		.from = span_of(im->box),
		.to = span_of(im->box),
		.dir = dir_of(im, im->path),
		.uidvalidity = folder_uidvalidity(im->folder) };

	if (!events_want(&im->events, EVENT_FLAGGED))
		return;
	buf_putc(&changed, c->how);
	put_flags(im, &changed, c->flags, c->keywords);
	ev.changed = buf_span(&changed);
	for (size_t k = 0; k < n; k++) {
		const struct msg *m = folder_msg(im->folder, idx[k]);

		if (m->gone || failed[k])
			continue;
		buf_clear(&now);
		put_flags(im, &now, m->flags, m->keywords);
		ev.flags = buf_span(&now);
		ev.uid = m->uid;
		events_note(&im->events, &ev);
	}
	buf_free(&changed);
	buf_free(&now);
}

void
event_expunged(struct imap *im, const size_t *idx, size_t n)
{
	struct buf flags = { .max = LIMIT_FLAG_WORDS };
	struct event ev = { .kind = EVENT_EXPUNGED,
		.from = span_of(im->box),
		.dir = dir_of(im, im->path),
		.uidvalidity = folder_uidvalidity(im->folder) };

	if (!events_want(&im->events, EVENT_EXPUNGED))
		return;
	for (size_t k = 0; k < n; k++) {
		const struct msg *m = folder_msg(im->folder, idx[k]);

		if (!m->gone)
			continue;
		buf_clear(&flags);
		put_flags(im, &flags, m->flags, m->keywords);
		ev.flags = buf_span(&flags);
		ev.uid = m->uid;
		events_note(&im->events, &ev);
	}
	buf_free(&flags);
}

void
event_copied(struct imap *im, const size_t *idx, size_t n,
    const struct event_place *to, const uint32_t *uids, bool moved)
{
	struct buf flags = { .max = LIMIT_FLAG_WORDS };
	struct event ev = { .kind = moved ? EVENT_MOVED : EVENT_COPIED,
		.from = span_of(im->box),
		.to = to->name,
		.dir = dir_of(im, to->path),
		.uidvalidity = to->uidvalidity };

	if (!events_want(&im->events, ev.kind))
		return;
	for (size_t k = 0; k < n; k++) {
		const struct msg *m = folder_msg(im->folder, idx[k]);

		buf_clear(&flags);
		put_flags(im, &flags, m->flags, m->keywords);
		ev.flags = buf_span(&flags);
		ev.uid = uids[k];
		events_note(&im->events, &ev);
	}
	buf_free(&flags);
}

void
event_appended(struct imap *im, const struct event_place *to, uint32_t uid,
    uint16_t flags, struct span keywords)
{
	struct buf words = { .max = LIMIT_FLAG_WORDS };
	struct event ev = { .kind = EVENT_APPENDED,
		.to = to->name,
		.dir = dir_of(im, to->path),
		.uidvalidity = to->uidvalidity,
		.uid = uid };

	if (!events_want(&im->events, EVENT_APPENDED))
		return;
	put_flags(im, &words, flags, 0);
	if (words.n > 0 && keywords.n > 0)
		buf_putc(&words, ' ');
	buf_put(&words, keywords);
	ev.flags = buf_span(&words);
	events_note(&im->events, &ev);
	buf_free(&words);
}
