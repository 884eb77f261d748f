/*
 * THREAD (RFC 5256; REFS as draft-ietf-morg-inthread has it).
 *
 * What threads are made of is kept in pneu.threads (see pneu-index(5)):
 * message IDs, references and base subjects as keyed hashes, and dates.
 * New messages are added to it; the threads themselves are made each time,
 * since they are of the messages that a search finds.
 */
#include "base/die.h"
#include "base/grow.h"
#include "base/siphash.h"
#include "io/fs.h"
#include "mail/basesubject.h"
#include "mail/casemap.h"
#include "mail/digest.h"
#include "mail/threads.h"
#include "order.h"
#include "result.h"
#include "store/le.h"
#include "store/side.h"

enum {
	FILE_MAX = 1 << 29,
	RECORD = 36,
	REFS_BASE = 65536,
	REFS_EACH = 32,
	MSGID_MAX = 1024
};

struct threading {
	struct imap *im;
	size_t count;
	unsigned char key[SIPHASH_KEY];
	struct threads_msg *msg; /* of all messages, by index */
	bool *known;
	uint64_t *ref;
	size_t nrefs, cap;
	bool changed;
};

static void
add_ref(struct threading *t, uint64_t ref)
{
	t->ref = grow_array(t->ref, t->nrefs, &t->cap, sizeof(t->ref[0]));
	t->ref[t->nrefs++] = ref;
}

/* Never 0, which is none. */
static uint64_t
hash(const struct threading *t, struct span s)
{
	return siphash(t->key, s) | 1;
}

/* The record of a message: uid, references and "is a reply" (4 each, the
 * last two in one), id, subject, date (8 each), references (8 each). */
static void
load(struct threading *t)
{
	struct folder *f = t->im->folder;
	struct buf b = { .max = FILE_MAX };
	struct span s;

	if (!side_read(t->im->path, "threads", folder_uidvalidity(f), &b, &s) ||
	    s.n < SIPHASH_KEY) {
		fs_random(t->key, sizeof(t->key));
		buf_free(&b);
		return;
	}
	memcpy(t->key, span_take(&s, SIPHASH_KEY).p, SIPHASH_KEY);
	while (s.n >= RECORD - 4) {
		uint32_t uid = (uint32_t)le_take(&s, 4);
		uint32_t n = (uint32_t)le_take(&s, 4);
		struct threads_msg m = {
			.refs = t->nrefs, .nrefs = n >> 1, .reply = n & 1
		};
		size_t i = folder_lower(f, uid);

		m.id = le_take(&s, 8);
		m.subject = le_take(&s, 8);
		m.date = (int64_t)le_take(&s, 8);
		if (s.n / 8 < m.nrefs)
			break;
		if (i >= t->count || folder_msg(f, i)->uid != uid ||
		    t->known[i]) {
			span_take(&s, 8 * (size_t)m.nrefs);
			t->changed = true;
			continue;
		}
		for (uint32_t k = 0; k < m.nrefs; k++)
			add_ref(t, le_take(&s, 8));
		t->known[i] = true;
		t->msg[i] = m;
	}
	buf_free(&b);
}

static void
save(const struct threading *t)
{
	struct folder *f = t->im->folder;
	struct buf b = { .max = FILE_MAX };

	buf_put(&b, (struct span){ (const char *)t->key, SIPHASH_KEY });
	for (size_t i = 0; i < t->count; i++) {
		const struct threads_msg *m = &t->msg[i];

		if (!t->known[i])
			continue;
		le_put(&b, 4, folder_msg(f, i)->uid);
		le_put(&b, 4, (uint64_t)m->nrefs << 1 | m->reply);
		le_put(&b, 8, m->id);
		le_put(&b, 8, m->subject);
		le_put(&b, 8, (uint64_t)m->date);
		for (uint32_t k = 0; k < m->nrefs; k++)
			le_put(&b, 8, t->ref[m->refs + k]);
	}
	if (!b.over)
		side_write(t->im->path, "threads", folder_uidvalidity(f),
		    buf_span(&b));
	buf_free(&b);
}

struct reading {
	struct threading *t;
	struct threads_msg *m;
	uint64_t reply_to; /* the first of In-Reply-To */
	bool dated, has_id, has_subject, has_refs, has_reply_to;
	int id_field, subject_field, refs_field, reply_field, date_field;
};

static void
read_subject(struct reading *r, struct span body)
{
	static struct buf b = { .max = LIMIT_HEADER_FIELD * 4 };
	static struct buf mapped = { .max = LIMIT_HEADER_FIELD * 4 *
		    CASEMAP_ROOM };
	struct basesubject base;

	buf_clear(&b);
	buf_clear(&mapped);
	sortkey_decode(&b, body);
	base = basesubject_of(b.p, b.n);
	r->m->reply = base.reply;
	casemap_buf(&mapped, base.text);
	if (mapped.n > 0)
		r->m->subject = hash(r->t, buf_span(&mapped));
}

/* The first ID of a field, or 0. */
static uint64_t
read_id(struct reading *r, struct span body)
{
	char id[MSGID_MAX];
	size_t n = threads_msgid(&body, id, sizeof(id));

	return n == 0 ? 0 : hash(r->t, (struct span){ id, n });
}

/*
 * Of more than the limit the last one and the first ones are taken; the
 * last alone, once there are far more in the folder than mail has.
 */
static void
read_refs(struct reading *r, struct span body)
{
	struct threading *t = r->t;
	uint32_t max = t->nrefs > REFS_BASE + REFS_EACH * t->count
	    ? 1
	    : LIMIT_IMAP_REFERENCES;
	struct threads_msg *m = r->m;
	char id[MSGID_MAX];
	size_t n;

	while ((n = threads_msgid(&body, id, sizeof(id))) > 0) {
		if (m->nrefs == max) {
			t->ref[t->nrefs - 1] = hash(t, (struct span){ id, n });
			continue;
		}
		add_ref(t, hash(t, (struct span){ id, n }));
		m->nrefs++;
	}
}

static bool
read_field(void *ctx, const struct head_field *f)
{
	struct reading *r = ctx;

	if (f->id == -1)
		return true;
	if (f->id == r->id_field && !r->has_id) {
		r->has_id = true;
		r->m->id = read_id(r, f->body);
	} else if (f->id == r->subject_field && !r->has_subject) {
		r->has_subject = true;
		read_subject(r, f->body);
	} else if (f->id == r->refs_field && !r->has_refs) {
		r->has_refs = true;
		read_refs(r, f->body);
	} else if (f->id == r->reply_field && !r->has_reply_to) {
		r->has_reply_to = true;
		r->reply_to = read_id(r, f->body);
	} else if (f->id == r->date_field && !r->dated) {
		r->dated = sortkey_date(f->body, &r->m->date);
	}
	return true;
}

static uint64_t
fields_of(const struct reading *r)
{
	return UINT64_C(1) << r->id_field | UINT64_C(1) << r->subject_field |
	    UINT64_C(1) << r->refs_field | UINT64_C(1) << r->reply_field |
	    UINT64_C(1) << r->date_field;
}

static void
read_message(struct threading *t, size_t i, struct reading r)
{
	r.m = &t->msg[i];
	*r.m = (struct threads_msg){ .refs = t->nrefs };
	if (head_each(t->im, i, fields_of(&r), read_field, &r) == -1) {
		r.m->date = head_arrival(t->im, i);
		return; /* it is not kept: another time, perhaps */
	}
	if (!r.dated)
		r.m->date = head_arrival(t->im, i);
	if (r.m->nrefs == 0 && r.reply_to != 0) {
		add_ref(t, r.reply_to);
		r.m->nrefs = 1;
	}
	t->known[i] = true;
	t->changed = true;
}

static void
read_new(struct threading *t)
{
	struct reading r = { .t = t,
		.id_field = digest_field_id(SPAN("Message-ID")),
		.subject_field = digest_field_id(SPAN("Subject")),
		.refs_field = digest_field_id(SPAN("References")),
		.reply_field = digest_field_id(SPAN("In-Reply-To")),
		.date_field = digest_field_id(SPAN("Date")) };

	for (size_t i = 0; i < t->count; i++) {
		imap_progress(t->im, i, t->count);
		if (!t->known[i] && !folder_msg(t->im->folder, i)->gone)
			read_message(t, i, r);
	}
}

struct writing {
	struct imap *im;
	const struct results *r;
};

static void
put(void *ctx, int64_t what)
{
	struct writing *w = ctx;
	struct out *out = &w->im->out;
	uint32_t i;

	if (what < 0) {
		out_putc(out,
		    what == THREADS_OPEN        ? '('
			: what == THREADS_CLOSE ? ')'
						: ' ');
		return;
	}
	i = w->r->idx[what];
	out_putu(out, w->im->e.uid ? folder_msg(w->im->folder, i)->uid : i + 1);
}

/* mailbox-data = "THREAD" [SP 1*thread-list], of these messages alone */
static void
tell(struct threading *all, const struct results *r, enum threads_kind kind)
{
	struct threads t = { .n = r->n, .ref = all->ref, .nrefs = all->nrefs };
	struct threads_msg *msg = die_calloc(r->n + 1, sizeof(*msg));
	struct writing w = { all->im, r };
	size_t nodes = threads_nodes(t.n, t.nrefs);

	for (size_t k = 0; k < r->n; k++)
		msg[k] = all->msg[r->idx[k]];
	t.msg = msg;
	t.node = die_calloc(nodes + 1, sizeof(*t.node));
	t.name = die_calloc(nodes + 1, sizeof(*t.name));
	t.slot = die_calloc(threads_slots(t.n, t.nrefs) + 1, sizeof(*t.slot));
	t.dated = die_calloc(t.n + 1, sizeof(*t.dated));
	threads_make(&t, kind);
	out_puts(&all->im->out, r->n > 0 ? "* THREAD " : "* THREAD");
	threads_walk(&t, put, &w);
	out_puts(&all->im->out, "\r\n");
	free(msg);
	free(t.node);
	free(t.name);
	free(t.slot);
	free(t.dated);
}

static void
thread(struct imap *im, const struct results *r, enum threads_kind kind)
{
	struct threading t = { .im = im, .count = folder_count(im->folder) };

	t.msg = die_calloc(t.count + 1, sizeof(*t.msg));
	t.known = die_calloc(t.count + 1, sizeof(*t.known));
	if (r->n > 0) {
		load(&t);
		read_new(&t);
		if (t.changed)
			save(&t);
	}
	tell(&t, r, kind);
	free(t.msg);
	free(t.known);
	free(t.ref);
}

static bool
algorithm(struct span name, enum threads_kind *kind)
{
	*kind = span_iis(name, "REFERENCES") ? THREADS_REFERENCES
	    : span_iis(name, "REFS")         ? THREADS_REFS
					     : THREADS_ORDEREDSUBJECT;
	return *kind != THREADS_ORDEREDSUBJECT ||
	    span_iis(name, "ORDEREDSUBJECT");
}

void
cmd_thread(struct imap *im)
{
	struct search s = { .im = im, .arena = &im->e.arena };
	const struct imap_arg *a = im->e.args;
	struct wanted w = { 0 };
	struct results r = { 0 };
	enum threads_kind kind;

	if (!imap_is_string(a) || !algorithm(a->text, &kind)) {
		imap_bad(im, "Unknown way of threading");
		return;
	}
	if (!result_charset(&s, a->next, &w) ||
	    !result_find(&s, a->next->next, &w, &r))
		return;
	thread(im, &r, kind);
	free(r.idx);
	imap_done(im, "OK Thread completed");
}
