/*
 * APPEND: messages stream into the store, CRLF becoming LF; several in one
 * command (RFC 3502) all get there or none.
 */
#include <errno.h>

#include "event.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "mail/header.h"

struct append {
	struct imap *im;
	struct folder_append *f;
	struct span name; /* of the mailbox */
	/* of the present message */
	bool options; /* it has flags or a date, and nothing else yet */
	uint16_t flags;
	struct buf keywords;
	int64_t date;
	bool after_cr;
	uint64_t size;
};

uint64_t
append_limit(void)
{
	static uint64_t max;

	if (max == 0)
		max = conf_limit("message", UINT64_MAX / 2, LIMIT_MESSAGE);
	return max < UINT32_MAX ? max : UINT32_MAX;
}

/* A bare CR or LF is kept; CRLF becomes LF. */
static void
write_lines(struct append *a, struct span s)
{
	struct maildir_file *f = &a->f->file;

	while (s.n > 0) {
		size_t n = span_chr(s, '\r');

		if (a->after_cr && *s.p != '\n')
			maildir_write(f, SPAN("\r"));
		a->after_cr = n < s.n;
		if (n > 0)
			maildir_write(f, span_take(&s, n));
		if (a->after_cr)
			span_take(&s, 1);
	}
}

/* date-time = DQUOTE date-day-fixed "-" month "-" year SP time SP zone */
static bool
parse_date(struct span s, int64_t *t)
{
	int zone;

	return s.n >= 25 && s.n <= 26 && header_date(s, t, &zone);
}

static bool
bad(struct append *a, const char *text)
{
	imap_bad(a->im, text);
	return false;
}

static bool
failed(struct append *a)
{
	if (errno == E2BIG)
		imap_reply(a->im, "NO [LIMIT] Too many messages at once");
	else
		imap_failed(a->im, "append");
	return false;
}

/* Room for n octets more of the present message. */
static bool
fits(struct append *a, uint64_t n)
{
	uint64_t max = append_limit();

	if (n <= max && a->size <= max - n) {
		a->size += n;
		return true;
	}
	imap_reply(a->im, "NO [TOOBIG] The message is too large");
	return false;
}

/* Room for those that are whole and what comes. */
static bool
has_room(struct append *a, uint64_t n, uint64_t messages)
{
	return quota_allows(a->im, a->f->bytes + n, a->f->n + messages);
}

static bool
begin(struct append *a)
{
	if (a->f->writing || folder_append_create(a->f) == 0)
		return true;
	return failed(a);
}

/* The present message is whole. */
static bool
finish(struct append *a)
{
	if (a->after_cr)
		maildir_write(&a->f->file, SPAN("\r"));
	if (folder_append_done(
		a->f, a->flags, buf_span(&a->keywords), a->date) == -1)
		return failed(a);
	a->options = a->after_cr = false;
	a->flags = 0;
	a->date = 0;
	a->size = 0;
	buf_clear(&a->keywords);
	return true;
}

/* append-opts = [SP flag-list] [SP date-time] */
static bool
options(struct append *a, const struct imap_arg *arg)
{
	if (arg != NULL && arg->type == IMAP_LIST) {
		if (!imap_flags(a->im, arg->list, &a->flags, &a->keywords))
			return false;
		a->options = true;
		arg = arg->next;
	}
	if (arg != NULL && arg->type == IMAP_QUOTED) {
		if (!parse_date(arg->text, &a->date))
			return bad(a, "Not a date and time");
		a->options = true;
		arg = arg->next;
	}
	return arg == NULL || bad(a, "Syntax of APPEND");
}

/*
 * append = "APPEND" SP mailbox 1*append-message
 * append-message = append-opts SP literal
 */
static bool
segment(struct append *a, const struct imap_arg *arg)
{
	struct imapd *e = &a->im->e;

	if (a->f->writing && !finish(a))
		return false;
	if (e->open > 0 || e->inside > 0)
		return bad(a, "Syntax of APPEND");
	if (!options(a, arg))
		return false;
	if (imapd_has_message(e))
		return fits(a, e->message) && has_room(a, e->message, 1) &&
		    begin(a);
	return (a->f->n > 0 && !a->options) || bad(a, "A message is missing");
}

/* The mailbox; answers when there is none. */
static bool
target(struct append *a, const struct imap_arg *name)
{
	struct imap *im = a->im;
	char path[LIMIT_PATH];
	enum box_result r;

	if (!imap_name(im, name, &a->name))
		return false;
	r = boxes_find(&im->boxes, a->name, path, sizeof(path));
	if (r == BOX_NONE) {
		imap_reply(im, "NO [TRYCREATE] No such mailbox");
		return false;
	}
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return false;
	}
	if (folder_append_begin(a->f, path,
		im->folder != NULL && strcmp(path, im->path) == 0 ? im->folder
								  : NULL) == -1)
		return failed(a);
	return true;
}

static void
note_events(struct append *a, uint32_t validity, uint32_t uid)
{
	struct event_place place = {
		.name = a->name, .path = a->f->md.path, .uidvalidity = validity
	};
	struct span keywords;
	uint16_t flags;

	for (size_t i = 0; i < a->f->n; i++) {
		folder_append_flags(a->f, i, &flags, &keywords);
		event_appended(
		    a->im, &place, uid + (uint32_t)i, flags, keywords);
	}
}

static void
commit(struct append *a)
{
	struct imap *im = a->im;
	size_t n = a->f->n;
	uint32_t validity, uid;
	char set[32];

	if (!has_room(a, 0, 0))
		return;
	if (folder_append_commit(a->f, &validity, &uid) == -1) {
		failed(a);
		return;
	}
	note_events(a, validity, uid);
	if (im->folder != NULL)
		sync_run(im, true);
	snprintf(set, sizeof(set), n == 1 ? "%lu" : "%lu:%lu",
	    (unsigned long)uid, (unsigned long)uid + n - 1);
	imap_reply(im, "OK [APPENDUID %lu %s] Append completed",
	    (unsigned long)validity, set);
}

/* Take the message; true when the next segment is there. */
static bool
receive(struct append *a)
{
	struct imap *im = a->im;

	for (;;) {
		enum imapd_event event = imapd_next(&im->e, &im->in.data);

		imap_put(im, &im->said);
		buf_clear(&im->said);
		switch (event) {
		case IMAPD_PIECE:
			write_lines(a, im->e.text);
			break;
		case IMAPD_MESSAGE:
		case IMAPD_END:
			return true;
		case IMAPD_MORE:
			im->in.deadline = deadline_in(TIME_IMAP_IDLE);
			if (out_flush(&im->out) == 0 && wait_fill(im))
				break;
			im->over = true;
			return false;
		case IMAPD_CLOSE:
			im->over = true;
			return false;
		case IMAPD_ABORT:
		case IMAPD_COMMAND:
		case IMAPD_LINE:
			return false;
		}
	}
}

void
cmd_append(struct imap *im)
{
	struct append a = { .im = im, .f = &im->append, .keywords.max = 16384 };
	bool ok = target(&a, im->e.args) && segment(&a, im->e.args->next);

	while (ok && imapd_has_message(&im->e)) {
		imapd_accept(&im->e);
		if (!receive(&a))
			break;
		ok = segment(&a, im->e.args);
		if (ok && !imapd_has_message(&im->e))
			commit(&a);
	}
	folder_append_abort(&im->append);
	buf_free(&a.keywords);
}
