/* Another generation of the index, under a session that goes on. */
#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "io/room.h"
#include "store/index.h"

/* What a session sees, before it is loaded again. */
struct shown {
	struct entry *entry;
	size_t n, cap;
};

/* The entry as the session saw it and as it is now: what is the news? */
static void
carry(struct index *ix, struct entry *now, const struct entry *was)
{
	uint16_t recent = was->msg.flags & FLAG_RECENT;

	if (recent != 0)
		now->msg.flags |= recent;
	if ((was->bits & ENTRY_NEWS) != 0 || now->msg.flags != was->msg.flags ||
	    now->msg.keywords != was->msg.keywords)
		index_news(ix, now);
}

/* All that was shown is there still: nothing needs to be moved. */
static bool
merge_in_place(struct index *ix, const struct shown *old)
{
	for (size_t i = 0; i < old->n; i++)
		if (old->entry[i].msg.gone || i >= ix->n ||
		    ix->entry[i].msg.uid != old->entry[i].msg.uid)
			return false;
	for (size_t i = 0; i < old->n; i++)
		carry(ix, &ix->entry[i], &old->entry[i]);
	return true;
}

/*
 * The session was told that it has gone, but there was no room to write it
 * down: it is written now, for whoever else has it still.
 */
static void
lose(struct index *ix, const struct entry *e)
{
	struct index_list l;

	if (e->msg.gone)
		return;
	index_count(ix, e, false);
	index_list_begin(ix, &l, RECORD_GONE, ix->modseq + 1);
	index_list_item(ix, &l, e->msg.uid);
	index_list_end(ix, &l);
}

/* Those that have gone stand where they stood. */
static void
merge(struct index *ix, const struct shown *old)
{
	size_t cap = old->n + ix->n + 1024, n = 0, at = 0;
	struct entry *table = ix->entry, *e = room_make(cap * sizeof(*e));
	size_t ntable = ix->n, table_cap = ix->cap;

	if (e == NULL)
		die_memory();
	ix->entry = e;
	ix->cap = cap;
	for (size_t i = 0; i < old->n; i++) {
		const struct entry *was = &old->entry[i];

		while (at < ntable && table[at].msg.uid < was->msg.uid)
			lose(ix, &table[at++]);
		if (at < ntable && table[at].msg.uid == was->msg.uid) {
			e[n] = table[at++];
			carry(ix, &e[n], was);
		} else {
			e[n] = *was;
			e[n].msg.name = 0;
			e[n].len = 0;
			e[n].bits &= (uint16_t)~ENTRY_NEWS;
			e[n].msg.gone = true;
		}
		ix->ngone += e[n++].msg.gone;
	}
	for (; at < ntable; at++)
		e[n++] = table[at];
	ix->n = n;
	room_free(table, table_cap * sizeof(*table));
}

int
index_reload(struct index *ix)
{
	struct shown old = { ix->entry, ix->shown, ix->cap };
	int r, err;

	if (ix->journal_fd != -1)
		close(ix->journal_fd);
	ix->journal_fd = -1;
	ix->entry = NULL;
	ix->cap = 0;
	index_free_table(ix);
	buf_clear(&ix->out);
	ix->ahead = false;
	r = index_load(ix);
	err = errno;
	if (r == 0 && ix->told != 0 && ix->told != ix->uidvalidity) {
		index_free_table(ix); /* what was shown is gone */
		ix->reset = true;
		err = ESTALE;
		r = -1;
	}
	if (r == -1)
		ix->gen = 0;
	if (!merge_in_place(ix, &old))
		merge(ix, &old);
	room_free(old.entry, old.cap * sizeof(*old.entry));
	errno = err;
	return r == 0 && ix->out.n > 0 ? index_commit(ix) : r;
}
