/* What each record of the journal does to the table. */
#include "store/index.h"
#include "store/le.h"
#include "store/mdname.h"

size_t
index_lower(const struct index *ix, uint32_t uid)
{
	size_t lo = 0, hi = ix->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ix->entry[mid].msg.uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct entry *
index_find(struct index *ix, uint32_t uid)
{
	size_t i = index_lower(ix, uid);

	if (i == ix->n || ix->entry[i].msg.uid != uid || ix->entry[i].msg.gone)
		return NULL;
	return &ix->entry[i];
}

struct span
index_base(const struct index *ix, const struct entry *e)
{
	return mdname_base(index_name(ix, e));
}

const char *
index_file(const struct index *ix, const struct entry *e, char *dst)
{
	struct span file = index_name(ix, e);
	struct mdname m;

	memcpy(dst, (e->bits & ENTRY_NEW) != 0 ? "new/" : "cur/", 4);
	memcpy(dst + 4, file.p, file.n);
	dst[4 + file.n] = '\0';
	if ((e->bits & (ENTRY_ODD | ENTRY_NEW)) != 0 ||
	    mdname_says(
		file, e->msg.flags & FLAG_ALL, (e->msg.keywords & 1) != 0))
		return dst;
	m = mdname_parse(file);
	mdname_make(
	    dst + 4, m.base, e->msg.flags, (e->msg.keywords & 1) != 0, m.extra);
	return dst;
}

/* A file in new/ has no info, one in cur/ has it sorted and whole. */
static bool
is_odd(const struct mdname *m, struct span file, bool in_new)
{
	return in_new ? m->base.n < file.n : !m->canonical;
}

/* What was counted is right; what was not is as the name says. */
static void
size_from_name(struct entry *e, const struct mdname *m)
{
	if (index_counted(e) > 0)
		return;
	e->msg.size = mdname_wire(m);
	e->bits &= (uint16_t)~ENTRY_NAMED;
	if (e->msg.size > 0)
		e->bits |= ENTRY_NAMED;
}

static void
name_set(struct index *ix, struct entry *e, struct span file, bool in_new)
{
	struct mdname m = mdname_parse(file);
	uint16_t bits = (uint16_t)(e->bits & ~(ENTRY_NEW | ENTRY_ODD));

	index_tidy_names(ix);
	e->msg.name = (uint32_t)(ix->nmap + ix->names.n);
	e->len = (uint16_t)file.n;
	buf_put(&ix->names, file);
	e->msg.flags = (uint16_t)(m.flags | (e->msg.flags & FLAG_RECENT));
	e->msg.keywords = (e->msg.keywords & ~UINT64_C(1)) | (m.passed ? 1 : 0);
	e->bits = (uint16_t)(bits | (in_new ? ENTRY_NEW : 0) |
	    (is_odd(&m, file, in_new) ? ENTRY_ODD : 0));
	size_from_name(e, &m);
}

static void
seen_modseq(struct index *ix, struct entry *e, uint64_t modseq)
{
	if (modseq > ix->modseq)
		ix->modseq = modseq;
	if (e != NULL && modseq > e->msg.modseq)
		e->msg.modseq = modseq;
}

/* Behind all others; what is no message that can be is passed over. */
static void
add(struct index *ix, struct entry *e, struct span file)
{
	if (file.n == 0 || file.n > MDNAME_MAX || e->msg.uid == 0 ||
	    (ix->n > 0 && e->msg.uid <= ix->entry[ix->n - 1].msg.uid))
		return;
	name_set(ix, e, file, (e->bits & ENTRY_NEW) != 0);
	index_room(ix, 1);
	ix->entry[ix->n++] = *e;
	index_count(ix, e, true);
	if (e->msg.uid >= ix->uidnext)
		ix->uidnext = e->msg.uid + 1;
	seen_modseq(ix, NULL, e->msg.modseq);
}

/* uid(4) bits(1) keywords(8) modseq(8) date(8) size(8) saved(4) name */
static void
apply_new(struct index *ix, struct span b)
{
	struct entry e = { .msg.uid = (uint32_t)le_take(&b, 4) };

	e.bits = (uint16_t)le_take(&b, 1) & (ENTRY_NEW | ENTRY_FRESH);
	e.msg.keywords = le_take(&b, 8);
	e.msg.modseq = le_take(&b, 8);
	e.msg.date = (int64_t)le_take(&b, 8);
	e.msg.size = le_take(&b, 8);
	e.msg.saved = (uint32_t)le_take(&b, 4);
	add(ix, &e, b);
}

void
index_add(struct index *ix, const struct index_new *m)
{
	struct entry e = { .msg.uid = m->uid,
		.msg.keywords = m->keywords,
		.msg.modseq = m->modseq,
		.msg.date = m->date,
		.msg.size = m->size,
		.msg.saved = index_saved(m) };

	e.bits = (m->in_new ? ENTRY_NEW : 0) | (m->fresh ? ENTRY_FRESH : 0);
	add(ix, &e, m->file);
	ix->bulk = true;
}

/* modseq(8) uid(4) in_new(1) name */
static void
apply_moved(struct index *ix, struct span b)
{
	uint64_t modseq = le_take(&b, 8);
	struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));
	bool in_new = le_take(&b, 1) != 0;
	uint16_t flags;
	uint64_t keywords;

	if (e == NULL || b.n == 0 || b.n > MDNAME_MAX)
		return;
	flags = e->msg.flags;
	keywords = e->msg.keywords;
	index_count(ix, e, false);
	name_set(ix, e, b, in_new);
	if (!in_new)
		e->bits &= (uint16_t)~ENTRY_FRESH;
	index_count(ix, e, true);
	if (flags != e->msg.flags || keywords != e->msg.keywords)
		index_news(ix, e);
	seen_modseq(ix, e, modseq);
}

/* uid(4) renamed(1) flags(2) keywords(8), again and again */
static void
apply_flags(struct index *ix, uint64_t modseq, struct span b)
{
	while (b.n >= 15) {
		struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));
		bool renamed = le_take(&b, 1) != 0;
		uint16_t flags = (uint16_t)le_take(&b, 2);
		uint64_t keywords = le_take(&b, 8);

		if (e == NULL)
			continue;
		if (!ix->own &&
		    ((e->msg.flags & FLAG_ALL) != flags ||
			e->msg.keywords != keywords))
			index_news(ix, e);
		index_count(ix, e, false);
		e->msg.flags = (uint16_t)(flags | (e->msg.flags & FLAG_RECENT));
		index_count(ix, e, true);
		e->msg.keywords = keywords;
		if (renamed)
			e->bits &= (uint16_t) ~(ENTRY_NEW | ENTRY_ODD);
		seen_modseq(ix, e, modseq);
	}
}

/* uid(4), again and again */
static void
apply_gone(struct index *ix, uint64_t modseq, struct span b)
{
	while (b.n >= 4) {
		struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));

		if (e == NULL)
			continue;
		index_gone(ix, e);
		index_vanish(ix, e->msg.uid, modseq);
	}
}

/* uid(4), again and again */
static void
apply_taken(struct index *ix, struct span b)
{
	while (b.n >= 4) {
		struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));

		if (e == NULL)
			continue;
		index_count(ix, e, false);
		if ((e->bits & ENTRY_NEW) != 0)
			e->bits &= (uint16_t) ~(ENTRY_NEW | ENTRY_ODD);
		e->bits &= (uint16_t)~ENTRY_FRESH;
		index_count(ix, e, true);
	}
}

/* uid(4) size(8) date(8), again and again; 0 is not known */
static void
apply_learnt(struct index *ix, struct span b)
{
	while (b.n >= 20) {
		struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));
		uint64_t size = le_take(&b, 8);
		int64_t date = (int64_t)le_take(&b, 8);

		if (e == NULL)
			continue;
		if (size > 0)
			index_set_size(ix, e, size);
		if (date != 0)
			e->msg.date = date;
	}
}

/* uid(4) kind(1) place(4), again and again */
static void
apply_facts(struct index *ix, struct span b)
{
	while (b.n >= 9) {
		struct entry *e = index_find(ix, (uint32_t)le_take(&b, 4));
		size_t kind = (size_t)le_take(&b, 1);
		uint32_t at = (uint32_t)le_take(&b, 4);

		if (e != NULL && kind < ENTRY_FACTS)
			e->fact[kind] = at;
	}
}

static void
apply_keyword(struct index *ix, struct span b)
{
	size_t k = (size_t)le_take(&b, 1);

	if (k < LIMIT_KEYWORDS &&
	    span_cstr(b, ix->keyword[k], sizeof(ix->keyword[k])) &&
	    (int)k >= ix->nkeywords)
		ix->nkeywords = (int)k + 1;
}

/* Flags may have changed while we were not told: all of them are new. */
static void
apply_uidnext(struct index *ix, struct span b)
{
	uint32_t uidnext = (uint32_t)le_take(&b, 4);
	uint64_t modseq = le_take(&b, 8);

	if (uidnext > ix->uidnext)
		ix->uidnext = uidnext;
	seen_modseq(ix, NULL, modseq);
	ix->vanished_floor = modseq; /* nor is it known what went */
	ix->nvanished = 0;
	for (size_t i = 0; i < ix->n; i++)
		seen_modseq(ix, &ix->entry[i], modseq);
}

static void
apply_trust(struct index *ix, struct span b)
{
	ix->trust.new_ns = (int64_t)le_take(&b, 8);
	ix->trust.cur_ns = (int64_t)le_take(&b, 8);
	ix->trust.trusted = (unsigned)le_take(&b, 1) & SCAN_ALL;
}

static void
apply(struct index *ix, char type, struct span b)
{
	uint64_t modseq;

	/* The others can be found out again, and are shown to nobody. */
	if (type != RECORD_TRUST && type != RECORD_SIZE &&
	    type != RECORD_TAKEN && type != RECORD_FACTS)
		ix->unsynced = true;
	if (type == RECORD_NEW)
		apply_new(ix, b);
	else if (type == RECORD_MOVED)
		apply_moved(ix, b);
	else if (type == RECORD_KEYWORD)
		apply_keyword(ix, b);
	else if (type == RECORD_UIDNEXT)
		apply_uidnext(ix, b);
	else if (type == RECORD_TRUST)
		apply_trust(ix, b);
	else {
		modseq = le_take(&b, 8);
		seen_modseq(ix, NULL, modseq);
		if (type == RECORD_FLAGS)
			apply_flags(ix, modseq, b);
		else if (type == RECORD_SIZE)
			apply_learnt(ix, b);
		else if (type == RECORD_FACTS)
			apply_facts(ix, b);
		else if (type == RECORD_GONE)
			apply_gone(ix, modseq, b);
		else if (type == RECORD_TAKEN)
			apply_taken(ix, b);
	}
}

size_t
index_replay(struct index *ix, struct span s)
{
	size_t n = s.n;
	struct span body;
	char type;

	while (record_next(&s, ix->gen, &type, &body))
		apply(ix, type, body);
	return n - s.n;
}
