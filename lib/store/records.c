/* The records of the journal, gathered to be committed. */
#include "io/deadline.h"
#include "store/index.h"
#include "store/le.h"
#include "store/scan.h"

uint32_t
index_saved(const struct index_new *m)
{
	int64_t t = m->saved == 0 ? unix_now() : m->saved;

	return t == -1 ? 0 : (uint32_t)t;
}

void
index_put_new(struct index *ix, const struct index_new *m)
{
	struct buf *b = &ix->out;
	size_t at = record_begin(b, RECORD_NEW);

	le_put(b, 4, m->uid);
	le_put(
	    b, 1, (m->in_new ? ENTRY_NEW : 0u) | (m->fresh ? ENTRY_FRESH : 0u));
	le_put(b, 8, m->keywords);
	le_put(b, 8, m->modseq);
	le_put(b, 8, (uint64_t)m->date);
	le_put(b, 8, m->size);
	le_put(b, 4, index_saved(m));
	buf_put(b, m->file);
	record_end(b, at, ix->gen);
}

void
index_put_moved(struct index *ix, uint32_t uid, struct span file, bool in_new,
    uint64_t modseq)
{
	struct buf *b = &ix->out;
	size_t at = record_begin(b, RECORD_MOVED);

	le_put(b, 8, modseq);
	le_put(b, 4, uid);
	le_put(b, 1, in_new);
	buf_put(b, file);
	record_end(b, at, ix->gen);
}

void
index_put_keyword(struct index *ix, int k, struct span name)
{
	size_t at = record_begin(&ix->out, RECORD_KEYWORD);

	le_put(&ix->out, 1, (uint64_t)k);
	buf_put(&ix->out, name);
	record_end(&ix->out, at, ix->gen);
}

void
index_put_uidnext(struct index *ix, uint32_t uidnext, uint64_t modseq)
{
	size_t at = record_begin(&ix->out, RECORD_UIDNEXT);

	le_put(&ix->out, 4, uidnext);
	le_put(&ix->out, 8, modseq);
	record_end(&ix->out, at, ix->gen);
}

void
index_put_trust(struct index *ix, const struct trust *t)
{
	size_t at;

	if (t->new_ns == ix->trust.new_ns && t->cur_ns == ix->trust.cur_ns &&
	    t->trusted == ix->trust.trusted)
		return;
	at = record_begin(&ix->out, RECORD_TRUST);
	le_put(&ix->out, 8, (uint64_t)t->new_ns);
	le_put(&ix->out, 8, (uint64_t)t->cur_ns);
	le_put(&ix->out, 1, t->trusted);
	record_end(&ix->out, at, ix->gen);
}

void
index_put_own_change(struct index *ix, unsigned dirs)
{
	struct trust t = ix->trust;
	int64_t new_ns, cur_ns;

	if (scan_mtimes(ix->fd, &new_ns, &cur_ns) == -1)
		new_ns = cur_ns = -1;
	if ((dirs & SCAN_NEW) != 0)
		t.new_ns = new_ns;
	if ((dirs & SCAN_CUR) != 0)
		t.cur_ns = cur_ns;
	t.trusted &= ~dirs;
	index_put_trust(ix, &t);
}

void
index_list_begin(struct index *ix, struct index_list *l, enum record_type type,
    uint64_t modseq)
{
	l->type = type;
	l->modseq = modseq;
	l->begun = record_begin(&ix->out, type);
	le_put(&ix->out, 8, modseq);
}

void
index_list_item(struct index *ix, struct index_list *l, uint32_t uid)
{
	if (ix->out.n - l->begun > JOURNAL_RECORD_MAX - 64) {
		index_list_end(ix, l);
		index_list_begin(ix, l, l->type, l->modseq);
	}
	le_put(&ix->out, 4, uid);
}

void
index_list_end(struct index *ix, struct index_list *l)
{
	record_end(&ix->out, l->begun, ix->gen);
}
