/*
 * APPEND and REPLACE: messages stream into the store, also several in one
 * command (RFC 3502), or made of parts (CATENATE, RFC 4469); all of them
 * get there or none.
 */
#include <errno.h>

#include "append.h"
#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "mail/header.h"
#include "store/acl.h"
#include "store/quota.h"

uint64_t
append_limit(void)
{
	static uint64_t max;

	if (max == 0)
		max = conf_limit("message", UINT64_MAX / 2, LIMIT_MESSAGE);
	return max < UINT32_MAX ? max : UINT32_MAX;
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

bool
append_failed(struct append *a)
{
	if (errno == E2BIG)
		imap_reply(a->im, "NO [LIMIT] Too many messages at once");
	else
		imap_failed(a->im, "append");
	return false;
}

bool
append_add(struct append *a, uint64_t n)
{
	uint64_t max = append_limit();

	if (n > max || a->size > max - n)
		return false;
	a->size += n;
	return true;
}

bool
append_too_big(struct append *a)
{
	imap_reply(a->im, "NO [TOOBIG] The message is too large");
	return false;
}

/* Room for those that are whole and what comes; REPLACE makes some. */
static bool
has_room(struct append *a, uint64_t n, uint64_t messages)
{
	uint64_t bytes = a->f->bytes + n, old;

	messages += a->f->n;
	if (!limit_allows_saving(a->im, messages))
		return false;
	if (a->replaced != SIZE_MAX) {
		old = quota_messages(a->im->folder, &a->replaced, 1);
		bytes -= old < bytes ? old : bytes;
		messages -= messages > 0;
	}
	return quota_allows(a->im, bytes, messages);
}

static bool
begin(struct append *a)
{
	if (a->f->writing || folder_append_create(a->f) == 0)
		return true;
	return append_failed(a);
}

/* The present message is whole. */
static bool
finish(struct append *a)
{
	unsigned rights = acl_owner(a->f->md.path);

	if (!append_text_end(a) || (a->catenate && !has_room(a, a->size, 1)))
		return false;
	if (folder_append_done(a->f, a->flags & acl_flags(rights),
		rights & ACL_W ? buf_span(&a->keywords) : SPAN(""),
		a->date) == -1)
		return append_failed(a);
	a->options = a->catenate = a->part = false;
	a->flags = 0;
	a->date = 0;
	a->size = 0;
	buf_clear(&a->keywords);
	return true;
}

/* append-opts = [SP flag-list] [SP date-time]; cut off *arg */
static bool
options(struct append *a, const struct imap_arg **arg)
{
	if (*arg != NULL && (*arg)->type == IMAP_LIST) {
		if (!imap_flags(a->im, (*arg)->list, &a->flags, &a->keywords))
			return false;
		a->options = true;
		*arg = (*arg)->next;
	}
	if (*arg != NULL && (*arg)->type == IMAP_QUOTED) {
		if (!parse_date((*arg)->text, &a->date))
			return bad(a, "Not a date and time");
		a->options = true;
		*arg = (*arg)->next;
	}
	return true;
}

/* The list goes on behind the literal that comes next. */
static bool
is_open(const struct append *a, const struct imap_arg *list, unsigned depth)
{
	return a->im->e.open >= depth && list->next == NULL;
}

/* "UTF8" SP "(" literal8 ")": its literal comes */
static bool
utf8(struct append *a, const struct imap_arg *arg, unsigned depth)
{
	const struct imap_arg *list = arg->next;

	if (list == NULL || list->type != IMAP_LIST || list->list != NULL ||
	    !is_open(a, list, depth) || !a->im->e.binary)
		return bad(a, "Syntax of UTF8");
	a->part = true;
	return true;
}

/*
 * cat-part *(SP cat-part)
 * cat-part = "TEXT" SP literal / "URL" SP astring / utf8-literal
 */
static bool
parts(struct append *a, const struct imap_arg *arg, bool open)
{
	for (; arg != NULL; arg = arg->next) {
		if (arg->type != IMAP_ATOM)
			return bad(a, "Syntax of CATENATE");
		if (span_iis(arg->text, "URL") && imap_is_string(arg->next)) {
			arg = arg->next;
			if (!append_url(a, arg->text))
				return false;
			a->part = true;
			continue;
		}
		if (open && span_iis(arg->text, "UTF8"))
			return utf8(a, arg, 2);
		if (!open || !span_iis(arg->text, "TEXT") ||
		    arg->next != NULL || a->im->e.open != 1)
			return bad(a, "Syntax of CATENATE");
		a->part = true;
		return true;
	}
	return !open || bad(a, "Syntax of CATENATE");
}

/* The list that the literal before stands in: to its end, or the next. */
static bool
rest_of_list(struct append *a, const struct imap_arg *list)
{
	const struct imap_arg *arg = list->list;
	bool open = is_open(a, list, 1);

	if (!a->catenate && (arg != NULL || open))
		return bad(a, "Syntax of UTF8");
	if (a->im->e.inside == 2) {
		if (arg->list != NULL)
			return bad(a, "Syntax of UTF8");
		arg = arg->next;
	}
	if (!parts(a, arg, open))
		return false;
	return open || finish(a);
}

static bool
catenate(struct append *a, const struct imap_arg *list)
{
	bool open;

	if (list == NULL || list->type != IMAP_LIST)
		return bad(a, "Syntax of CATENATE");
	open = is_open(a, list, 1);
	a->catenate = true;
	if (!begin(a) || !parts(a, list->list, open))
		return false;
	if (!open && !a->part)
		return bad(a, "Nothing to catenate");
	return open || finish(a);
}

/* A message up to its literal, or to its end where it has none. */
static bool
message(struct append *a, const struct imap_arg **arg)
{
	const struct imap_arg *word, *list;

	if (a->replaced != SIZE_MAX && a->f->n > 0)
		return bad(a, "REPLACE takes one message");
	if (!options(a, arg))
		return false;
	word = *arg;
	if (word == NULL)
		return true;
	list = word->next;
	if (word->type != IMAP_ATOM)
		return bad(a, "Syntax of APPEND");
	*arg = list == NULL ? NULL : list->next;
	if (span_iis(word->text, "CATENATE"))
		return catenate(a, list);
	if (span_iis(word->text, "UTF8"))
		return utf8(a, word, 1);
	return bad(a, "Syntax of APPEND");
}

/* The literal behind what was read; an empty one cancels (RFC 3502). */
static bool
literal(struct append *a)
{
	struct imapd *e = &a->im->e;

	if (!a->part && e->open > 0)
		return bad(a, "Syntax of APPEND");
	if (a->replaced != SIZE_MAX && a->f->n > 0)
		return bad(a, "REPLACE takes one message");
	if (e->message == 0 && !a->catenate) {
		imap_reply(a->im, "NO [CANNOT] A message of no bytes is none");
		return false;
	}
	if (!append_add(a, e->message))
		return append_too_big(a);
	if (!has_room(a, a->size, 1) || !begin(a))
		return false;
	return !e->binary || e->open > 0 || append_binary(a);
}

/*
 * append = "APPEND" SP mailbox 1*append-message
 * append-message = append-opts SP append-data
 * append-data = literal / literal8 / "CATENATE" ... / "UTF8" ...
 */
static bool
segment(struct append *a, const struct imap_arg *arg)
{
	struct imapd *e = &a->im->e;

	if (e->inside > 0) {
		if (!rest_of_list(a, arg))
			return false;
		arg = arg->next;
	} else if (a->f->writing && !finish(a)) {
		return false;
	}
	while (arg != NULL)
		if (!message(a, &arg))
			return false;
	if (imapd_has_message(e))
		return literal(a);
	return (a->f->n > 0 && !a->options) || bad(a, "A message is missing");
}

/* The mailbox; answers when there is none. */
static bool
target(struct append *a, const struct imap_arg *name)
{
	struct imap *im = a->im;
	char path[LIMIT_PATH];
	enum box_result r;
	bool selected;

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
	selected = select_is(im, path);
	if (folder_append_begin(a->f, path, selected ? im->folder : NULL) == -1)
		return append_failed(a);
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

/* The message that was replaced goes. */
static bool
remove_old(struct append *a)
{
	struct imap *im = a->im;

	if (folder_expunge(im->folder, &a->replaced, 1) == -1)
		return append_failed(a);
	event_expunged(im, &a->replaced, 1);
	return true;
}

/* RFC 8508, section 4.3: the APPENDUID is told before the EXPUNGE. */
static void
commit(struct append *a)
{
	struct imap *im = a->im;
	size_t n = a->f->n;
	uint32_t validity, uid;
	char code[64];

	if (!has_room(a, 0, 0))
		return;
	if (folder_append_commit(a->f, &validity, &uid) == -1) {
		append_failed(a);
		return;
	}
	note_events(a, validity, uid);
	snprintf(code, sizeof(code),
	    n == 1 ? "[APPENDUID %lu %lu]" : "[APPENDUID %lu %lu:%lu]",
	    (unsigned long)validity, (unsigned long)uid,
	    (unsigned long)uid + n - 1);
	if (a->replaced == SIZE_MAX) {
		if (im->folder != NULL)
			sync_run(im, true);
		imap_reply(im, "OK %s Append completed", code);
		return;
	}
	out_printf(&im->out, "* OK %s Replacement is there\r\n", code);
	if (remove_old(a))
		imap_done(im, "OK Replace completed");
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
			append_text(a, im->e.text);
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

static void
run(struct imap *im, const struct imap_arg *mailbox, size_t replaced)
{
	struct append a = { .im = im,
		.f = &im->append,
		.replaced = replaced,
		.keywords.max = LIMIT_FLAG_WORDS,
		.spool = -1 };
	bool ok = target(&a, mailbox) && segment(&a, mailbox->next);

	while (ok && imapd_has_message(&im->e)) {
		imapd_accept(&im->e);
		ok = receive(&a) && segment(&a, im->e.args);
	}
	if (ok)
		commit(&a);
	append_text_drop(&a);
	append_url_close(&a);
	folder_append_abort(&im->append);
	buf_free(&a.keywords);
}

void
cmd_append(struct imap *im)
{
	run(im, im->e.args, SIZE_MAX);
}

/* What "*" stands for; 0 when there is no message. */
static uint32_t
last(const struct imap *im)
{
	size_t n = folder_count(im->folder);

	return n == 0 || !im->e.uid ? (uint32_t)n
				    : folder_msg(im->folder, n - 1)->uid;
}

/* replace = "REPLACE" SP seq-number SP mailbox append-message (RFC 8508) */
void
cmd_replace(struct imap *im)
{
	const struct imap_arg *arg = im->e.args;
	uint32_t n = 0;
	size_t i;

	if (arg->type == IMAP_ATOM && span_is(arg->text, "*"))
		n = last(im);
	else if (arg->type != IMAP_ATOM || !num_u32(arg->text, &n))
		n = 0;
	if (n == 0) {
		imap_bad(im, "REPLACE takes the number of a message");
		return;
	}
	if (im->read_only) {
		imap_reply(im, "NO [READ-ONLY] The mailbox is read-only");
		return;
	}
	i = im->e.uid ? folder_lower(im->folder, n) : n - 1;
	if (!im->e.uid && i >= folder_count(im->folder)) {
		imap_bad(im, "There is no such message");
		return;
	}
	if (i >= folder_count(im->folder) ||
	    (im->e.uid && folder_msg(im->folder, i)->uid != n) ||
	    folder_msg(im->folder, i)->gone) {
		imap_reply(im, "NO [NONEXISTENT] That message is no more");
		return;
	}
	run(im, arg->next, i);
}
