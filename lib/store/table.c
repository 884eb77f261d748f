/* The table of messages in memory, and what is counted of it. */
#include "base/die.h"
#include "io/room.h"
#include "store/index.h"
#include "store/mdname.h"

enum { FIRST_ROOM = 16384, NAMES_MIN = 65536, NAMES_EACH = 64 };

_Static_assert(sizeof(struct entry) == ENTRY_SIZE, "as in the snapshot");

void
index_room(struct index *ix, size_t more)
{
	size_t cap = ix->cap > 0 ? ix->cap * 2 : FIRST_ROOM;
	struct entry *e;

	if (more <= ix->cap - ix->n)
		return;
	if (cap < ix->n + more)
		cap = ix->n + more + FIRST_ROOM;
	if ((e = room_make(cap * sizeof(*e))) == NULL)
		die_memory();
	if (ix->n > 0)
		memcpy(e, ix->entry, ix->n * sizeof(*e));
	room_free(ix->entry, ix->cap * sizeof(*e));
	ix->entry = e;
	ix->cap = cap;
}

void
index_free_table(struct index *ix)
{
	room_free(ix->entry, ix->cap * sizeof(*ix->entry));
	room_free((void *)(uintptr_t)ix->map, ix->map_size);
	ix->entry = NULL;
	ix->map = ix->mapped_names = NULL;
	ix->n = ix->cap = ix->nmap = ix->map_size = 0;
	ix->ngone = ix->nnews = 0;
	ix->tally = (struct tally){ .unseen_from = UINT32_MAX,
		.fresh_from = UINT32_MAX };
	buf_clear(&ix->names);
	ix->names_live = 0;
}

struct span
index_name(const struct index *ix, const struct entry *e)
{
	size_t at = e->msg.name;
	struct span all = { ix->mapped_names, ix->nmap };

	if (at >= ix->nmap) {
		at -= ix->nmap;
		all = buf_span(&ix->names);
	}
	if (at > all.n || e->len > all.n - at || e->len > MDNAME_MAX)
		return SPAN("?"); /* a damaged snapshot: no file has it */
	return (struct span){ all.p + at, e->len };
}

void
index_tidy_names(struct index *ix)
{
	struct buf b = { .max = ix->names.max };

	if (ix->names.n / 2 < ix->names_live + NAMES_MIN + ix->n * NAMES_EACH)
		return;
	for (size_t i = 0; i < ix->n; i++) {
		struct entry *e = &ix->entry[i];
		struct span name = index_name(ix, e);

		if (e->msg.name < ix->nmap || e->len == 0)
			continue;
		e->msg.name = (uint32_t)(ix->nmap + b.n);
		e->len = (uint16_t)name.n;
		buf_put(&b, name);
	}
	buf_free(&ix->names);
	ix->names = b;
	ix->names_live = b.n;
}

void
index_count(struct index *ix, const struct entry *e, bool add)
{
	struct tally *t = &ix->tally;
	uint32_t one = add ? 1 : UINT32_MAX; /* that is -1 */

	if (e->msg.gone)
		return;
	t->messages += one;
	if ((e->msg.flags & FLAG_DELETED) != 0)
		t->deleted += one;
	if ((e->msg.flags & FLAG_SEEN) == 0) {
		t->unseen += one;
		if (add && e->msg.uid < t->unseen_from)
			t->unseen_from = e->msg.uid;
	}
	if ((e->bits & ENTRY_FRESH) != 0) {
		t->fresh += one;
		if (add && e->msg.uid < t->fresh_from)
			t->fresh_from = e->msg.uid;
	}
	if (e->msg.size == 0)
		t->unsized += one;
	else
		t->size += add ? e->msg.size : (uint64_t)0 - e->msg.size;
}

void
index_gone(struct index *ix, struct entry *e)
{
	index_count(ix, e, false);
	e->msg.gone = true;
	ix->ngone++;
}

uint64_t
index_counted(const struct entry *e)
{
	return (e->bits & ENTRY_NAMED) != 0 ? 0 : e->msg.size;
}

void
index_set_size(struct index *ix, struct entry *e, uint64_t size)
{
	if (e->msg.size != size) {
		if (e->msg.size != 0)
			memset(e->fact, 0, sizeof(e->fact));
		index_count(ix, e, false);
		e->msg.size = size;
		index_count(ix, e, true);
	}
	e->bits &= (uint16_t)~ENTRY_NAMED;
}

void
index_news(struct index *ix, struct entry *e)
{
	if ((size_t)(e - ix->entry) >= ix->shown || (e->bits & ENTRY_NEWS) != 0)
		return;
	e->bits |= ENTRY_NEWS;
	ix->nnews++;
}
