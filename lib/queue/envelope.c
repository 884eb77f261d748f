#include "queue/envelope.h"

#include <errno.h>
#include <unistd.h>

#include "base/date.h"
#include "base/enc.h"
#include "base/num.h"

enum { CHUNK = 4096 };

static const char marks[4][3] = { "to", "ok", "no", "xx" };

static bool
decode(struct arena *a, struct span raw, const char *none, struct span *to)
{
	struct buf b = { .max = raw.n };
	bool ok;

	if (raw.n == 0)
		return false;
	if (span_is(raw, none)) {
		*to = SPAN("");
		return true;
	}
	if (span_chr(raw, '%') == raw.n) {
		*to = raw;
		return true;
	}
	ok = dec_pct(&b, raw);
	if (ok)
		*to = arena_span(a, buf_span(&b));
	buf_free(&b);
	return ok;
}

static int
find_mark(struct span word)
{
	for (int i = 0; i < 4; i++)
		if (span_is(word, marks[i]))
			return i;
	return -1;
}

static size_t
count_rcpts(struct span text)
{
	size_t n = 0;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (line.n == 0)
			break;
		if (find_mark(span_word(&line)) != -1)
			n++;
	}
	return n;
}

/* "received" TIME IP HELO WITH */
static bool
parse_received(struct arena *a, struct span line, struct envelope *e)
{
	return date_parse_rfc3339(span_word(&line), &e->received) &&
	    decode(a, span_word(&line), "-", &e->ip) &&
	    decode(a, span_word(&line), "-", &e->helo) &&
	    decode(a, span_word(&line), "-", &e->with);
}

enum { SEEN_FROM = 1, SEEN_RECEIVED = 2, SEEN_SIZE = 4, SEEN_ALL = 7 };

static bool
parse_line(struct arena *a, struct span line, size_t at, struct envelope *e,
    unsigned *seen)
{
	struct span key = span_word(&line);
	int mark = find_mark(key);

	if (mark != -1) {
		struct envelope_rcpt *r = &e->rcpts[e->nrcpts++];

		r->mark = (enum mark)mark;
		r->at = at;
		if (!decode(a, span_word(&line), "<>", &r->address))
			return false;
		r->args = span_trim(line);
		return r->address.n > 0;
	}
	if (span_is(key, "from") && (*seen & SEEN_FROM) == 0) {
		*seen |= SEEN_FROM;
		if (!decode(a, span_word(&line), "<>", &e->sender))
			return false;
		e->args = span_trim(line);
		return true;
	}
	if (span_is(key, "received")) {
		*seen |= SEEN_RECEIVED;
		return parse_received(a, line, e);
	}
	if (span_is(key, "auth"))
		return decode(a, span_word(&line), "-", &e->auth);
	if (span_is(key, "size")) {
		*seen |= SEEN_SIZE;
		return num_u64(span_trim(line), &e->size);
	}
	return false;
}

enum envelope_result
envelope_parse(struct arena *a, struct span text, struct envelope *e)
{
	struct span rest = text, line;
	unsigned seen = 0;

	*e = (struct envelope){ .nrcpts = 0 };
	e->message_at = span_find(text, SPAN("\n\n"));
	line = span_cut(&rest, '\n');
	if (!span_starts(line, "pneu-queue ") &&
	    !(text.n < 11 && memcmp("pneu-queue ", text.p, text.n) == 0))
		return ENVELOPE_BAD;
	if (e->message_at == text.n)
		return ENVELOPE_MORE;
	e->message_at += 2;
	if (!span_is(line, "pneu-queue 1"))
		return ENVELOPE_NEWER;
	text.n = e->message_at - 1;
	rest.n = (size_t)(text.p + text.n - rest.p);
	e->rcpts =
	    arena_alloc(a, (count_rcpts(rest) + 1) * sizeof(e->rcpts[0]));
	while (rest.n > 0) {
		size_t at = (size_t)(rest.p - text.p);

		line = span_cut(&rest, '\n');
		if (!parse_line(a, line, at, e, &seen))
			return ENVELOPE_BAD;
	}
	return seen == SEEN_ALL && e->nrcpts > 0 ? ENVELOPE_OK : ENVELOPE_BAD;
}

/* The whole of what was read into memory that stays. */
static int
parse_copy(struct arena *a, struct buf *b, struct envelope *e)
{
	size_t end = span_find(buf_span(b), SPAN("\n\n"));
	struct span text = { b->p, end + 2 <= b->n ? end + 2 : b->n };

	text = arena_span(a, text);
	switch (envelope_parse(a, text, e)) {
	case ENVELOPE_OK:
		return 0;
	case ENVELOPE_NEWER:
		errno = EPROTO;
		return -1;
	case ENVELOPE_MORE:
	case ENVELOPE_BAD:
		break;
	}
	errno = EBADMSG;
	return -1;
}

int
envelope_read(int fd, struct arena *a, struct envelope *e)
{
	struct buf b = { .max = LIMIT_ENVELOPE };
	size_t seen = 0;
	int r = -1, err;

	for (;;) {
		char *room = buf_room(&b, CHUNK);
		struct span tail;
		ssize_t n;

		if (room == NULL) {
			errno = E2BIG;
			break;
		}
		n = pread(fd, room, CHUNK, (off_t)b.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		b.n += (size_t)n;
		tail = (struct span){ b.p + seen, b.n - seen };
		if (n == 0 || span_find(tail, SPAN("\n\n")) < tail.n) {
			r = parse_copy(a, &b, e);
			break;
		}
		seen = b.n > 0 ? b.n - 1 : 0;
	}
	err = errno;
	buf_free(&b);
	errno = err;
	return r;
}

int
envelope_mark(int fd, struct envelope_rcpt *r, enum mark mark)
{
	ssize_t n = pwrite(fd, marks[mark], 2, (off_t)r->at);

	if (n != 2) {
		if (n != -1)
			errno = EIO;
		return -1;
	}
	r->mark = mark;
	return 0;
}

bool
envelope_arg(struct span args, const char *name, struct span *value)
{
	while (args.n > 0) {
		struct span word = span_word(&args);
		struct span key = span_cut(&word, '=');

		if (span_iis(key, name)) {
			*value = word;
			return true;
		}
	}
	*value = SPAN("");
	return false;
}

bool
envelope_notify(struct span args, const char *what, bool dflt)
{
	struct span list;

	if (!envelope_arg(args, "NOTIFY", &list))
		return dflt;
	while (list.n > 0)
		if (span_iis(span_cut(&list, ','), what))
			return true;
	return false;
}

bool
envelope_hold_until(struct span args, int64_t *t)
{
	struct span v;

	return envelope_arg(args, "HOLDUNTIL", &v) && date_parse_rfc3339(v, t);
}

int64_t
envelope_since(const struct envelope *e)
{
	int64_t t;

	return envelope_hold_until(e->args, &t) && t > e->received
	    ? t
	    : e->received;
}

bool
envelope_deliver_by(struct span args, struct deliver_by *by)
{
	struct span v, time;

	if (!envelope_arg(args, "BY", &v))
		return false;
	time = span_cut(&v, ';');
	*by = (struct deliver_by){ .back = v.n > 0 && to_upper(*v.p) == 'R',
		.trace = v.n == 2 && to_upper(v.p[1]) == 'T' };
	return date_parse_rfc3339(time, &by->at) && (v.n == 1 || by->trace) &&
	    (by->back || to_upper(*v.p) == 'N');
}

bool
envelope_utf8(const struct envelope *e)
{
	struct span v;

	if (envelope_arg(e->args, "SMTPUTF8", &v) || span_is_8bit(e->sender))
		return true;
	for (size_t i = 0; i < e->nrcpts; i++)
		if (span_is_8bit(e->rcpts[i].address))
			return true;
	return false;
}

size_t
envelope_count(const struct envelope *e, enum mark mark)
{
	size_t n = 0;

	for (size_t i = 0; i < e->nrcpts; i++)
		n += e->rcpts[i].mark == mark;
	return n;
}
