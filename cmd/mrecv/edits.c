/*
 * What a milter changes: fields, the body, the envelope.
 */
#include <errno.h>
#include <unistd.h>

#include "mail/addr.h"
#include "mail/fields.h"
#include "milter.h"
#include "smtp/smtpd_cmd.h"

enum { ROOM = 16384, SCRATCH = 4096, HEADER_MAX = 2 * LIMIT_HEADER };

static struct edits {
	struct edits_at at;
	unsigned n;
	struct fields fields;
	bool header; /* fields.text holds the header */
	struct spool body;
	bool new_body, cr;
	uint64_t size;
	bool new_rcpts, new_sender;
	struct buf rcpts, args; /* a line each */
	char sender[LIMIT_ADDRESS + 1];
	char hold[LINE_BUF];
} edits;

void
edits_begin(const struct edits_at *at)
{
	edits.at = *at;
	edits.n = 0;
	edits.size = 0;
	edits.header = edits.new_body = edits.cr = false;
	edits.new_rcpts = edits.new_sender = false;
	edits.hold[0] = '\0';
	edits.body.out.fd = -1;
	buf_init(&edits.fields.text, HEADER_MAX);
	buf_init(&edits.rcpts, LIMIT_MAIL_RCPTS);
	buf_init(&edits.args, LIMIT_RCPT_ARGS);
}

void
edits_forget(void)
{
	spool_close(&edits.body);
	buf_free(&edits.fields.text);
	buf_free(&edits.rcpts);
	buf_free(&edits.args);
}

/* The header into memory, without the line that ends it. */
static bool
need_header(void)
{
	struct buf *b = &edits.fields.text;
	char *to;

	if (edits.header)
		return true;
	if (edits.at.body > HEADER_MAX ||
	    (to = buf_room(b, (size_t)edits.at.body)) == NULL) {
		errno = EFBIG;
		return false;
	}
	while (b->n < edits.at.body) {
		ssize_t n = pread(msg.spool.out.fd, to + b->n,
		    (size_t)edits.at.body - b->n, (off_t)b->n);

		if (n <= 0)
			return false;
		b->n += (size_t)n;
	}
	if (b->n > 1 && memcmp(b->p + b->n - 2, "\n\n", 2) == 0)
		b->n--;
	else if (b->n > 2 && memcmp(b->p + b->n - 3, "\n\r\n", 3) == 0)
		b->n -= 2;
	else if (b->n > 0 && b->p[b->n - 1] != '\n')
		buf_putc(b, '\n');
	edits.fields.first = edits.at.hidden;
	edits.header = true;
	return true;
}

static bool
take_field(const struct milter *m, enum milter_event e)
{
	struct fields *f = &edits.fields;

	if (e == MILTER_ADD_FIELD)
		return fields_add(f, m->name, m->value);
	if (e == MILTER_INSERT_FIELD)
		return fields_insert(f, m->index, m->name, m->value);
	return fields_change(f, m->index, m->name, m->value);
}

/* Any line end becomes LF. */
static bool
take_body(const struct mrecv *m, struct span s)
{
	struct out *o = &edits.body.out;

	if (!edits.new_body && spool_open(&edits.body) == -1)
		return false;
	edits.new_body = true;
	edits.size += s.n;
	if (m->s.conf.size_max > 0 && edits.size > m->s.conf.size_max) {
		errno = EFBIG;
		return false;
	}
	while (s.n > 0) {
		size_t n;

		if (edits.cr) {
			out_putc(o, '\n');
			if (*s.p == '\n')
				span_take(&s, 1);
			edits.cr = false;
		}
		n = span_chr(s, '\r');
		out_put(o, span_take(&s, n));
		if (s.n > 0) {
			span_take(&s, 1);
			edits.cr = true;
		}
	}
	return true;
}

/* "<a@b>" or "a@b"; "" and "<>" only where there may be none. */
static bool
take_address(struct span s, bool none, bool utf8, char *to)
{
	struct arena a;
	struct span addr = s;
	bool good;

	arena_init(&a, SCRATCH);
	s = addr = span_trim(s);
	if (s.n > 0 && *s.p == '<')
		good = addr_path(&a, &s, &addr) && s.n == 0;
	else
		good = s.n == 0 || addr_valid(s);
	good = good && (none || addr.n > 0) && (utf8 || addr_is_ascii(addr)) &&
	    span_cstr(addr, to, LIMIT_ADDRESS + 1);
	arena_free(&a);
	return good;
}

static void
need_rcpts(const struct mrecv *m)
{
	if (edits.new_rcpts)
		return;
	buf_put(&edits.rcpts, buf_span(&m->s.rcpts));
	buf_put(&edits.args, buf_span(&m->s.rcpt_args));
	edits.new_rcpts = true;
}

static void
cut_line(struct buf *b, size_t at, size_t n)
{
	memmove(b->p + at, b->p + at + n, b->n - at - n);
	b->n -= n;
}

/*
 * Whether the recipient is there; with `out` it is taken out, as often as
 * the client gave it.
 */
static bool
find_rcpt(struct span addr, bool out)
{
	struct span left = buf_span(&edits.rcpts);
	struct span args = buf_span(&edits.args);
	size_t at = 0, args_at = 0;
	bool found = false;

	while (left.n > 0) {
		size_t r = span_chr(left, '\n') + 1;
		size_t a = span_chr(args, '\n') + 1;
		bool same = addr_same((struct span){ left.p, r - 1 }, addr);

		found = found || same;
		if (same && out) {
			cut_line(&edits.rcpts, at, r);
			cut_line(&edits.args, args_at, a);
			left.n -= r;
			args.n -= a;
		} else {
			span_take(&left, r);
			span_take(&args, a);
			at += r;
			args_at += a;
		}
	}
	return found;
}

/* Parameters as a client could have given them, or none. */
static void
take_args(struct mrecv *m, struct span args)
{
	char text[SMTPD_RCPT_ARG + 2];
	enum smtp_reply why;

	snprintf(text, sizeof(text), " %.*s", (int)args.n, args.p);
	if (args.n + 1 >= sizeof(text) ||
	    !smtpd_rcpt_params(&m->s, span_of(text), &why))
		m->s.rcpt_arg[0] = '\0';
}

static bool
take_rcpt(struct mrecv *m, const struct milter *mi, enum milter_event e)
{
	char addr[LIMIT_ADDRESS + 1];
	bool utf8 = m->s.utf8 || e == MILTER_DELETE_RCPT;

	if (!take_address(mi->value, false, utf8, addr))
		return false;
	need_rcpts(m);
	if (find_rcpt(span_of(addr), e == MILTER_DELETE_RCPT) ||
	    e == MILTER_DELETE_RCPT)
		return true;
	take_args(m, mi->args);
	buf_puts(&edits.rcpts, addr);
	buf_putc(&edits.rcpts, '\n');
	buf_puts(&edits.args, m->s.rcpt_arg);
	buf_putc(&edits.args, '\n');
	return !edits.rcpts.over && !edits.args.over;
}

static void
take_hold(struct span why)
{
	if (why.n == 0)
		why = SPAN("quarantine");
	if (why.n >= sizeof(edits.hold))
		why.n = sizeof(edits.hold) - 1;
	for (size_t i = 0; i < why.n; i++)
		edits.hold[i] = is_print(why.p[i]) ? why.p[i] : '?';
	edits.hold[why.n] = '\0';
}

bool
edits_take(
    struct mrecv *m, struct milter *mi, enum milter_event e, const char **why)
{
	bool good = true;

	*why = "more changes than there may be";
	if (++edits.n > LIMIT_MILTER_CHANGES && e != MILTER_BODY)
		return false;
	if (e == MILTER_BODY) {
		edits.n--;
		good = take_body(m, mi->value);
		*why = strerror(errno);
	} else if (e == MILTER_ADD_FIELD || e == MILTER_INSERT_FIELD ||
	    e == MILTER_CHANGE_FIELD) {
		good = need_header() && take_field(mi, e);
		*why = "header too long";
	} else if (e == MILTER_ADD_RCPT || e == MILTER_DELETE_RCPT) {
		good = take_rcpt(m, mi, e);
		*why = "not a recipient";
	} else if (e == MILTER_SENDER) {
		edits.new_sender = true;
		good = take_address(mi->value, true, m->s.utf8, edits.sender);
		*why = "not a sender";
	} else if (e == MILTER_QUARANTINE) {
		take_hold(mi->value);
	}
	if (good)
		*why = NULL;
	return good;
}

static int
copy(struct out *to, int fd)
{
	static char room[ROOM];
	struct span piece;
	struct in in;
	int r;

	in_init(&in, fd, room, sizeof(room));
	while ((r = in_next(&in, &piece)) == 1)
		out_put(to, piece);
	return r;
}

/* The changed header, and the one body or the other. */
static int
write_message(void)
{
	struct out *to = &msg.next.out;
	int from = msg.spool.out.fd;

	if (!need_header() || spool_open(&msg.next) == -1)
		return -1;
	out_put(to, buf_span(&edits.fields.text));
	out_putc(to, '\n');
	if (edits.new_body) {
		if (edits.cr)
			out_putc(&edits.body.out, '\n');
		if (spool_rewind(&edits.body) == -1)
			return -1;
		from = edits.body.out.fd;
	} else if (lseek(from, (off_t)edits.at.body, SEEK_SET) == -1) {
		return -1;
	}
	return copy(to, from) == -1 || out_flush(to) == -1 ? -1 : 0;
}

/* All of the envelope, or nothing. */
static bool
change_envelope(struct mrecv *m, struct outcome *o)
{
	if (edits.new_rcpts && edits.rcpts.n == 0)
		o->drop = true;
	else if (edits.new_rcpts &&
	    !smtpd_set_rcpts(
		&m->s, buf_span(&edits.rcpts), buf_span(&edits.args)))
		return false;
	if (edits.new_sender)
		memcpy(m->s.sender, edits.sender, sizeof(m->s.sender));
	if (!o->drop && (edits.new_rcpts || edits.new_sender))
		message_env(m);
	return true;
}

bool
edits_make(struct mrecv *m, struct outcome *o, const char **why)
{
	bool rewrite = edits.header || edits.new_body;

	*why = NULL;
	if (rewrite && write_message() == -1)
		*why = strerror(errno);
	else if (!change_envelope(m, o))
		*why = "too many recipients";
	if (*why != NULL) {
		spool_close(&msg.next);
		return false;
	}
	if (rewrite)
		spool_swap();
	memcpy(o->hold, edits.hold, sizeof(o->hold));
	return true;
}
