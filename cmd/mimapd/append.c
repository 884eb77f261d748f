/* APPEND: a message streams into the store, CRLF becoming LF. */
#include <errno.h>

#include "event.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "mail/header.h"

struct append {
	struct span name;
	uint16_t flags;
	struct buf keywords;
	int64_t date;
	bool after_cr;
};

/* A bare CR or LF is kept; CRLF becomes LF. */
static void
write_lines(struct append *a, struct maildir_file *f, struct span s)
{
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

/* append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal */
static bool
parse(struct imap *im, struct append *a)
{
	const struct imap_arg *arg = im->e.args->next;

	if (arg != NULL && arg->type == IMAP_LIST) {
		if (!imap_flags(im, arg->list, &a->flags, &a->keywords))
			return false;
		arg = arg->next;
	}
	if (arg != NULL && arg->type == IMAP_QUOTED) {
		if (!parse_date(arg->text, &a->date)) {
			imap_bad(im, "Not a date and time");
			return false;
		}
		arg = arg->next;
	}
	if (arg != NULL) {
		imap_bad(im, "Syntax of APPEND");
		return false;
	}
	return imap_name(im, im->e.args, &a->name);
}

static bool
begin(struct imap *im, struct append *a, struct folder_append *f)
{
	uint64_t max = conf_limit("message", UINT64_MAX / 2, LIMIT_MESSAGE);
	char path[LIMIT_PATH];
	enum box_result r;

	if (!parse(im, a))
		return false;
	if (im->e.message > max) {
		imap_reply(im, "NO [TOOBIG] The message is too large");
		return false;
	}
	r = boxes_find(&im->boxes, a->name, path, sizeof(path));
	if (r == BOX_NONE) {
		imap_reply(im, "NO [TRYCREATE] No such mailbox");
		return false;
	}
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return false;
	}
	if (folder_append_begin(f, path) == -1) {
		imap_failed(im, "append");
		return false;
	}
	return true;
}

static void
commit(struct imap *im, struct append *a, struct folder_append *f)
{
	uint32_t validity, uid;
	char path[LIMIT_PATH];

	memcpy(path, f->path, sizeof(path));

	if (a->after_cr)
		maildir_write(&f->file, SPAN("\r"));
	if (folder_append_commit(f, a->flags, buf_span(&a->keywords), a->date,
		&validity, &uid) == -1) {
		imap_failed(im, "append");
		return;
	}
	event_appended(im,
	    &(struct event_place){
		.name = a->name, .path = path, .uidvalidity = validity },
	    uid, a->flags, buf_span(&a->keywords));
	if (im->folder != NULL)
		sync_run(im, true);
	imap_reply(im, "OK [APPENDUID %lu %lu] Append completed",
	    (unsigned long)validity, (unsigned long)uid);
}

/* Move the message; false when it is done with, whichever way. */
static bool
step(struct imap *im, struct append *a, struct folder_append *f)
{
	enum imapd_event event = imapd_next(&im->e, &im->in.data);

	imap_put(im, &im->said);
	buf_clear(&im->said);
	switch (event) {
	case IMAPD_PIECE:
		write_lines(a, &f->file, im->e.text);
		return true;
	case IMAPD_END:
		commit(im, a, f);
		return false;
	case IMAPD_MORE:
		im->in.deadline = deadline_in(TIME_IMAP_IDLE);
		if (out_flush(&im->out) == 0 && in_fill(&im->in) == IN_DATA)
			return true;
		im->over = true;
		folder_append_abort(f);
		return false;
	case IMAPD_CLOSE:
		im->over = true;
		folder_append_abort(f);
		return false;
	case IMAPD_ABORT:
	case IMAPD_COMMAND:
	case IMAPD_MESSAGE:
	case IMAPD_LINE:
		folder_append_abort(f);
		return false;
	}
	return false;
}

void
cmd_append(struct imap *im)
{
	static struct folder_append f;
	struct append a = { .keywords.max = 16384 };

	if (begin(im, &a, &f)) {
		imapd_accept(&im->e);
		while (step(im, &a, &f))
			continue;
	} else {
		imapd_refuse(&im->e);
	}
	buf_free(&a.keywords);
}
