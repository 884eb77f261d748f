/*
 * A message with 8-bit bytes for a host that takes none.
 */
#include <errno.h>
#include <unistd.h>

#include "mail/qp.h"
#include "mail/sevenbit.h"
#include "msend.h"

enum { CHUNK = 65536 };

/* What is known of the message that was last asked about. */
static struct {
	const struct message *of;
	bool ok;
	struct arena arena;
	struct sevenbit plan;
} seven;

static char piece[CHUNK];

/* from..to of the message, as far as one read goes; 0 at the end. */
static ssize_t
part(const struct message *m, uint64_t from, uint64_t to, char *p, size_t max)
{
	uint64_t want = to - from;
	ssize_t n;

	if (want == 0)
		return 0;
	do
		n = pread(m->fd, p, want < max ? (size_t)want : max,
		    m->at + (off_t)from);
	while (n == -1 && errno == EINTR);
	return n;
}

static bool
has_8bit(void *ctx, uint64_t from, uint64_t to)
{
	ssize_t n;

	while ((n = part(ctx, from, to, piece, sizeof(piece))) > 0) {
		if (span_is_8bit((struct span){ piece, (size_t)n }))
			return true;
		from += (uint64_t)n;
	}
	return false;
}

/* The headers that are to be changed fit in memory. */
static bool
heads_fit(void)
{
	for (size_t i = 0; i < seven.plan.n; i++) {
		const struct sevenbit_place *p = &seven.plan.places[i];

		if (p->kind != SEVENBIT_BODY &&
		    p->to - p->from > LIMIT_RECODE_HEADER)
			return false;
	}
	return true;
}

static bool
find_places(const struct message *m)
{
	static struct mime mime;
	struct message *ctx = &(struct message){ .fd = m->fd, .at = m->at };
	uint64_t at = 0;
	ssize_t n;

	arena_free(&seven.arena);
	arena_init(&seven.arena, LIMIT_RECODE_ARENA);
	mime_init(&mime, &seven.arena);
	while ((n = part(m, at, UINT64_MAX, piece, sizeof(piece))) > 0) {
		mime_feed(&mime, (struct span){ piece, (size_t)n });
		at += (uint64_t)n;
	}
	return sevenbit_plan(
		   &seven.arena, mime_end(&mime), has_8bit, ctx, &seven.plan) &&
	    n == 0 && heads_fit();
}

void
seven_forget(void)
{
	seven.of = NULL;
}

bool
seven_can(const struct message *m)
{
	if (seven.of != m) {
		seven.ok = find_places(m);
		seven.of = m;
	}
	return seven.ok;
}

struct writer {
	bool (*put)(void *ctx, struct span);
	void *ctx;
	bool cr; /* it was the last byte: what follows says what it is */
};

/* A CR in front of a LF is part of the line end, any other a blank. */
static bool
put(struct writer *w, struct span s)
{
	while (s.n > 0) {
		size_t at = span_chr(s, '\r');

		if (w->cr && *s.p != '\n' && !w->put(w->ctx, SPAN(" ")))
			return false;
		w->cr = at < s.n;
		if (at > 0 && !w->put(w->ctx, span_take(&s, at)))
			return false;
		if (w->cr)
			span_take(&s, 1);
	}
	return true;
}

static int
stop(void)
{
	errno = EPIPE;
	return -1;
}

static int
copy(const struct message *m, uint64_t from, uint64_t to, struct writer *w)
{
	ssize_t n;

	while ((n = part(m, from, to, piece, sizeof(piece))) > 0) {
		if (!put(w, (struct span){ piece, (size_t)n }))
			return stop();
		from += (uint64_t)n;
	}
	return (int)n;
}

static int
encode(
    const struct message *m, const struct sevenbit_place *p, struct writer *w)
{
	uint64_t from = p->from;
	struct qp q = { 0 };
	ssize_t n;

	while ((n = part(m, from, p->to, piece, sizeof(piece))) > 0) {
		struct span in = { piece, (size_t)n }, out;

		while (qp_next(&q, &in, &out))
			if (!put(w, out))
				return stop();
		from += (uint64_t)n;
	}
	return n == 0 && !put(w, qp_end(&q)) ? stop() : (int)n;
}

static int
head(const struct message *m, const struct sevenbit_place *p, struct writer *w)
{
	struct buf in = { .max = LIMIT_RECODE_HEADER },
		   out = { .max = 2 * LIMIT_RECODE_HEADER };
	ssize_t n = 1;
	int r = -1;

	while (n > 0 && p->from + in.n < p->to) {
		n = part(m, p->from + in.n, p->to, piece, sizeof(piece));
		if (n > 0)
			buf_put(&in, (struct span){ piece, (size_t)n });
	}
	if (n > 0 || in.n == 0) {
		sevenbit_head(&out, p, buf_span(&in));
		r = put(w, buf_span(&out)) ? 0 : stop();
	}
	buf_free(&in);
	buf_free(&out);
	return r;
}

int
seven_put(
    const struct message *m, bool (*to)(void *ctx, struct span), void *ctx)
{
	struct writer w = { to, ctx, false };
	uint64_t at = 0;

	for (size_t i = 0; i < seven.plan.n; i++) {
		const struct sevenbit_place *p = &seven.plan.places[i];

		if (copy(m, at, p->from, &w) == -1 ||
		    (p->kind == SEVENBIT_BODY ? encode(m, p, &w)
					      : head(m, p, &w)) == -1)
			return -1;
		at = p->to;
	}
	if (copy(m, at, UINT64_MAX, &w) == -1)
		return -1;
	return w.cr && !to(ctx, SPAN(" ")) ? stop() : 0;
}
