/*
 * Notifications: a message of ours to the sender, queued under an id that
 * is made of the original's and of the lines concerned, so that doing it
 * twice does it once.
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mail/dsn.h"
#include "mail/header.h"

enum { HEAD_MAX = 65536, TIME_PART = 9, FULL_MAX = 1048576 };

/* The time of the original's id, and a hash. */
static void
make_id(const struct attempt *at, int action, const bool *pick,
    char id[MAIL_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < MAIL_ID_LEN; i++)
		h = (h ^ (unsigned char)at->m.id[i]) * UINT64_C(1099511628211);
	h = (h ^ (unsigned)action) * UINT64_C(1099511628211);
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (pick[i])
			h = (h ^ (i + 1)) * UINT64_C(1099511628211);
	h ^= h >> 29;
	memcpy(id, at->m.id, TIME_PART);
	for (size_t i = TIME_PART; i < MAIL_ID_LEN; i++, h /= 36)
		id[i] = digits[h % 36];
	id[MAIL_ID_LEN] = '\0';
}

/* How much of the original comes along: its header, or all of it. */
static bool
want_full(const struct attempt *at, int action)
{
	struct span ret, v;

	return action == DSN_FAILED && envelope_arg(at->e.args, "RET", &ret) &&
	    span_iis(ret, "FULL") &&
	    !envelope_arg(at->e.args, "REQUIRETLS", &v) &&
	    at->e.size <= FULL_MAX;
}

/* The header of the original, without its blank line, into b. */
static void
read_head(const struct attempt *at, struct buf *b)
{
	ssize_t n = pread(
	    at->m.fd, buf_room(b, HEAD_MAX), HEAD_MAX, (off_t)at->e.message_at);
	size_t end;

	if (n <= 0)
		return;
	b->n = (size_t)n;
	if (*b->p == '\n') {
		b->n = 0;
		return;
	}
	end = span_find(buf_span(b), SPAN("\n\n"));
	if (end < b->n)
		b->n = end + 1;
}

static bool
copy_body(const struct attempt *at, struct queue_file *f)
{
	static char piece[32768];
	off_t pos = (off_t)at->e.message_at;
	ssize_t n;

	while ((n = pread(at->m.fd, piece, sizeof(piece), pos)) > 0) {
		queue_write(f, (struct span){ piece, (size_t)n });
		pos += n;
	}
	return n == 0;
}

/* "HOST[IP] said: REPLY" of msend: who said it, and what. */
static void
split_text(struct span text, struct dsn_rcpt *r)
{
	size_t at = span_find(text, SPAN("] said: "));
	size_t host = span_chr(text, '[');

	r->text = text;
	if (at == text.n || host == 0 || host > at || host > 255)
		return;
	for (size_t i = 0; i < host; i++)
		if (!is_alnum(text.p[i]) && text.p[i] != '.' &&
		    text.p[i] != '-')
			return;
	r->remote = (struct span){ text.p, host };
	span_take(&r->text, at + 8);
}

static size_t
fill_rcpts(const struct attempt *at, const bool *pick, struct dsn_rcpt *r)
{
	size_t n = 0;

	for (size_t i = 0; i < at->e.nrcpts; i++) {
		if (!pick[i])
			continue;
		r[n].address = at->e.rcpts[i].address;
		envelope_arg(at->e.rcpts[i].args, "ORCPT", &r[n].orcpt);
		r[n].status = at->outcome[i].code;
		split_text(at->outcome[i].text, &r[n]);
		n++;
	}
	return n;
}

static void
log_accept(const struct attempt *at, const char *id, uint64_t size)
{
	struct logline l;

	log_begin(&l, "accept");
	log_str(&l, "id", id);
	log_str(&l, "parent", at->m.id);
	log_str(&l, "from", "");
	log_span(&l, "to", at->e.sender);
	log_num(&l, "size", size);
	log_end(&l);
}

/* A notification is guarded like what it tells of (RFC 8689, section 5). */
static struct span
args_of(struct attempt *at, const struct dsn *d)
{
	struct buf b = { .max = 80 };
	struct span v, all;

	if (d->utf8)
		buf_puts(&b, "SMTPUTF8 ");
	if (d->utf8 || d->body_8bit)
		buf_puts(&b, "BODY=8BITMIME ");
	if (envelope_arg(at->e.args, "REQUIRETLS", &v))
		buf_puts(&b, "REQUIRETLS");
	all = arena_span(&at->arena, buf_span(&b));
	buf_free(&b);
	return all;
}

/* 0; -1 and errno. */
static int
write_notice(struct attempt *at, struct dsn *d, struct queue_file *f)
{
	struct queue_from from = { .received = d->now };
	struct queue_rcpt to = { .address = at->e.sender,
		.args = SPAN("NOTIFY=NEVER") };
	struct buf text = { .max = LIMIT_ENVELOPE }, head = { .max = HEAD_MAX };
	bool ok = true;

	read_head(at, &head);
	d->body_8bit = d->full || span_is_8bit(buf_span(&head));
	from.args = args_of(at, d);
	if (queue_begin(&queue, f, d->id, &from, &to, 1) == -1) {
		buf_free(&head);
		return -1;
	}
	dsn_put(&text, d);
	queue_write(f, buf_span(&text));
	if (d->full)
		ok = copy_body(at, f);
	else
		queue_write(f, buf_span(&head));
	buf_clear(&text);
	dsn_end(&text, d);
	queue_write(f, buf_span(&text));
	buf_free(&text);
	buf_free(&head);
	if (ok)
		return queue_commit(f, NULL);
	queue_abort(f);
	return -1;
}

bool
notify(struct attempt *at, int action, const bool *pick)
{
	static struct queue_file f;
	char id[MAIL_ID_LEN + 1];
	struct dsn_rcpt *r;
	struct deliver_by by;
	struct dsn d = { .action = (enum dsn_action)(action % NOTICE_LATE),
		.me = conf_me(),
		.id = id,
		.orig = at->m.id,
		.to = at->e.sender,
		.now = unix_now(),
		.arrived = at->e.received,
		.until = envelope_since(&at->e) + retry.lifetime,
		.full = want_full(at, action),
		.utf8 = envelope_utf8(&at->e) };

	r = arena_alloc(&at->arena, (at->e.nrcpts + 1) * sizeof(*r));
	d.rcpts = r;
	d.nrcpts = fill_rcpts(at, pick, r);
	if (d.nrcpts == 0 || at->e.sender.n == 0)
		return true; /* nobody wants it, or a bounce of a bounce */
	envelope_arg(at->e.args, "ENVID", &d.envid);
	envelope_hold_until(at->e.args, &d.held);
	if (envelope_deliver_by(at->e.args, &by))
		d.by = by.at;
	make_id(at, action, pick, id);
	unlinkat(queue.tmp_fd, id, 0); /* of a run that died */
	if (write_notice(at, &d, &f) == -1) {
		if (errno == EEXIST)
			return true; /* it was done before */
		log_error("notification", NULL);
		return false;
	}
	log_accept(at, id, f.wire.size);
	return true;
}
