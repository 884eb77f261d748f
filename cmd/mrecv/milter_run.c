/*
 * A milter hears the message that lies in the spool, and what it wants to
 * be changed is changed.
 */
#include <errno.h>
#include <unistd.h>

#include "mail/header.h"
#include "mail/wire.h"
#include "milter.h"

enum { ROOM = 16384 };

/* Where a milter is in the message. */
struct run {
	struct mrecv *mrecv;
	struct peer *p;
	struct edits_at at;
	struct said no;
	bool refused;
	const char *why; /* a failure of ours, or NULL */
	bool skip;       /* no more of the body */
	struct wire wire;
	size_t n;
	char chunk[MILTER_CHUNK];
};

/* False when nothing more is to be told. */
static bool
step(struct run *r, bool asked)
{
	enum milter_event e;

	if (!asked) {
		if (r->p->m.out.n == 0 || peer_flush(r->p) == 0)
			return true;
		e = MILTER_BROKEN;
	} else {
		e = peer_next(r->p);
	}
	r->skip = e == MILTER_SKIP;
	if (!peer_heed(r->p, e, &r->no) && !r->p->failed)
		r->refused = true;
	return !r->refused && !r->p->failed && !r->p->done;
}

/* Our own field on top is not the milter's business. */
static size_t
own_field(struct in *in)
{
	struct span ours = msg.received;

	while (in->data.n < ours.n)
		if (in_fill(in) != IN_DATA)
			return 0;
	return ours.n > 0 && span_eq(ours, (struct span){ in->data.p, ours.n })
	    ? ours.n
	    : 0;
}

static bool
send_field(struct run *r, const struct header *h)
{
	return h->name.n == 0 ||
	    step(r, milter_field(&r->p->m, h->name, h->body));
}

/* False at the end of what is to be told, or when it can't be read. */
static bool
send_header(struct run *r, struct in *in)
{
	struct header h;
	bool more = true;

	header_init(&h, LIMIT_HEADER_FIELD);
	while (more && !h.done) {
		enum header_event e = header_next(&h, &in->data);
		enum in_result got = IN_DATA;

		if (e == HEADER_MORE) {
			got = in_fill(in);
			if (got == IN_EOF)
				e = header_eof(&h);
		}
		if (got != IN_DATA && got != IN_EOF) {
			r->why = strerror(errno);
			more = false;
		} else if (e == HEADER_FIELD) {
			more = send_field(r, &h);
		}
	}
	r->at.body = r->at.hidden + h.bytes;
	header_free(&h);
	return more && step(r, milter_eoh(&r->p->m));
}

static bool
send_chunk(struct run *r)
{
	struct span piece = { r->chunk, r->n };

	r->n = 0;
	return piece.n == 0 || r->skip || step(r, milter_body(&r->p->m, piece));
}

static bool
send_piece(struct run *r, struct span piece)
{
	while (piece.n > 0 && !r->skip) {
		size_t room = sizeof(r->chunk) - r->n;
		struct span part =
		    span_take(&piece, piece.n < room ? piece.n : room);

		memcpy(r->chunk + r->n, part.p, part.n);
		r->n += part.n;
		if (r->n == sizeof(r->chunk) && !send_chunk(r))
			return false;
	}
	return true;
}

/* Lines of the body end with CRLF, as on the wire. */
static bool
send_body(struct run *r, struct in *in)
{
	struct span data, piece;
	int got = 1;

	r->wire = (struct wire){ .size = 0 };
	r->n = 0;
	r->skip = false;
	if (!milter_wants_body(&r->p->m))
		return true;
	while (!r->skip && (got = in_next(in, &data)) == 1)
		while (wire_next(&r->wire, &data, &piece))
			if (!send_piece(r, piece))
				return false;
	if (got == -1) {
		r->why = strerror(errno);
		return false;
	}
	return send_piece(r, wire_end(&r->wire, false)) && send_chunk(r);
}

/* It was told all: what it wants to be changed, up to its answer. */
static bool
take_changes(struct run *r)
{
	enum milter_event e;

	for (;;) {
		e = peer_next(r->p);
		if (e < MILTER_PROGRESS)
			break;
		if (r->why == NULL &&
		    !edits_take(r->mrecv, &r->p->m, e, &r->why)) {
			peer_lost(r->p, r->why);
			return false;
		}
	}
	r->p->open = false;
	if (!peer_heed(r->p, e, &r->no) && !r->p->failed)
		r->refused = true;
	return !r->refused && !r->p->failed && !r->p->drop;
}

static void
run(struct run *r, struct outcome *o)
{
	static char room[ROOM];
	struct in in;

	in_init(&in, msg.spool.out.fd, room, sizeof(room));
	r->at.hidden = own_field(&in);
	span_take(&in.data, r->at.hidden);
	if (!send_header(r, &in) || !send_body(r, &in))
		return;
	edits_begin(&r->at);
	milter_end(&r->p->m);
	if (take_changes(r) && !edits_make(r->mrecv, o, &r->why))
		snprintf(o->why, sizeof(o->why), "%s", r->why);
	edits_forget();
}

static void
take_outcome(struct run *r, struct outcome *o)
{
	o->drop = o->drop || r->p->drop;
	if (r->refused) {
		o->verdict = r->no.code < 500 ? TEMP : PERM;
		o->refused = o->logged = true;
		o->code = r->no.code;
		memcpy(o->text, r->no.text, sizeof(o->text));
	} else if (r->p->failed) {
		o->verdict = TEMP;
		o->logged = true;
		memcpy(o->why, r->p->why, sizeof(o->why));
	} else if (r->why != NULL) {
		o->verdict = TEMP;
		snprintf(o->why, sizeof(o->why), "%s", r->why);
	}
}

void
milter_run(struct mrecv *m, size_t stage, struct outcome *o)
{
	static struct run r;
	struct peer *p = milter_peer(stage);

	r = (struct run){ .mrecv = m, .p = p };
	*o = (struct outcome){ .verdict = OK, .what = m->stages[stage].name };
	if (!p->failed && !p->done) {
		peer_hurry(p, m->filter_time);
		if (spool_rewind(&msg.spool) == -1)
			r.why = strerror(errno);
		else
			run(&r, o);
	}
	take_outcome(&r, o);
}
