#include "mail/threads.h"

#include <stdlib.h>

enum { STEPS = 64 }; /* walked for each node, on average and at most */

size_t
threads_nodes(size_t n, size_t nrefs)
{
	return 2 * n + nrefs + 1; /* subjects make at most n dummies */
}

size_t
threads_slots(size_t n, size_t nrefs)
{
	size_t slots = 16;

	while (slots < 2 * (n + nrefs + 1))
		slots *= 2;
	return slots;
}

static bool
is_dummy(const struct threads *t, uint32_t k)
{
	return k >= t->n;
}

static uint32_t
add_node(struct threads *t, uint64_t id)
{
	uint32_t k = (uint32_t)t->nnodes++;

	t->node[k] = (struct threads_node){ THREADS_NONE, THREADS_NONE,
		THREADS_NONE, 0, k };
	t->name[k] = id;
	return k;
}

/* Where a name is or would be in the table; it is a hash already. */
static uint32_t *
lookup(struct threads *t, uint64_t id)
{
	size_t at = (size_t)id & (t->nslots - 1);

	while (t->slot[at] != THREADS_NONE && t->name[t->slot[at]] != id)
		at = (at + 1) & (t->nslots - 1);
	return &t->slot[at];
}

static uint32_t
node_of(struct threads *t, uint64_t id)
{
	uint32_t *slot = lookup(t, id);

	if (*slot == THREADS_NONE)
		*slot = add_node(t, id);
	return *slot;
}

/* A set holds at least all that is linked, and links are never across. */
static uint32_t
set_of(struct threads *t, uint32_t k)
{
	while (t->node[k].set != k) {
		t->node[k].set = t->node[t->node[k].set].set;
		k = t->node[k].set;
	}
	return k;
}

static bool
makes_loop(struct threads *t, uint32_t parent, uint32_t child)
{
	if (set_of(t, parent) != set_of(t, child))
		return false;
	for (uint32_t k = parent; k != THREADS_NONE; k = t->node[k].parent)
		if (k == child || t->steps-- == 0) {
			t->steps += k != child;
			return true;
		}
	return false;
}

/* nchildren counts while links are made, so that a leaf is known. */
static void
link_to(struct threads *t, uint32_t parent, uint32_t child)
{
	if (parent == child ||
	    (t->node[child].nchildren > 0 && makes_loop(t, parent, child)))
		return;
	t->node[child].parent = parent;
	t->node[parent].nchildren++;
	t->node[set_of(t, child)].set = set_of(t, parent);
}

static void
cut(struct threads *t, uint32_t k)
{
	if (t->node[k].parent != THREADS_NONE)
		t->node[t->node[k].parent].nchildren--;
	t->node[k].parent = THREADS_NONE;
}

/* Step 1 of REFERENCES. */
static void
link_message(struct threads *t, uint32_t k)
{
	const struct threads_msg *m = &t->msg[k];
	uint32_t last = THREADS_NONE;

	for (uint32_t i = 0; i < m->nrefs; i++) {
		uint32_t ref = node_of(t, t->ref[m->refs + i]);

		if (last != THREADS_NONE && t->node[ref].parent == THREADS_NONE)
			link_to(t, last, ref);
		last = ref;
	}
	if (t->node[k].parent == last)
		return;
	cut(t, k);
	if (last != THREADS_NONE)
		link_to(t, last, k);
}

static void
clear(struct threads *t)
{
	for (size_t i = 0; i < t->nslots; i++)
		t->slot[i] = THREADS_NONE;
}

static void
link_all(struct threads *t)
{
	clear(t);
	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t *slot;

		add_node(t, t->msg[k].id);
		if (t->msg[k].id == 0)
			continue;
		slot = lookup(t, t->msg[k].id);
		if (*slot == THREADS_NONE)
			*slot = k;
		else
			t->name[k] = 0; /* it is another's */
	}
	t->steps = STEPS * (t->n + t->nrefs + 1);
	for (uint32_t k = 0; k < t->n; k++)
		link_message(t, k);
}

/*
 * Step 3: a message's parent is the next one above that is no dummy, or
 * the dummy at the top.  The way there is made short for those who follow.
 */
static void
pass_dummies(struct threads *t)
{
	for (uint32_t k = 0; k < t->n; k++) {
		uint32_t p = t->node[k].parent, q, top;

		for (top = p; top != THREADS_NONE && is_dummy(t, top) &&
		     t->node[top].parent != THREADS_NONE;
		     top = t->node[top].parent)
			continue;
		for (; p != top; p = q) {
			q = t->node[p].parent;
			t->node[p].parent = top;
		}
		t->node[k].parent = top;
	}
}

static int
by_date(const void *a, const void *b)
{
	const struct threads_dated *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->k < y->k ? -1 : x->k > y->k;
}

static void
sort_messages(struct threads *t)
{
	for (uint32_t k = 0; k < t->n; k++)
		t->dated[k] = (struct threads_dated){ t->msg[k].date, k };
	qsort(t->dated, t->n, sizeof(t->dated[0]), by_date);
}

/*
 * Lists of children by date, and of threads by the date of the first
 * message in each.
 */
static void
make_lists(struct threads *t)
{
	uint32_t *tail = &t->root;

	for (size_t k = 0; k < t->nnodes; k++) {
		t->node[k].child = t->node[k].next = THREADS_NONE;
		t->node[k].nchildren = 0;
	}
	for (size_t i = t->n; i-- > 0;) {
		uint32_t k = t->dated[i].k, p = t->node[k].parent;

		if (p == THREADS_NONE)
			continue;
		t->node[k].next = t->node[p].child;
		t->node[p].child = k;
		t->node[p].nchildren++;
	}
	for (size_t i = 0; i < t->n; i++) {
		uint32_t k = t->dated[i].k, p = t->node[k].parent;

		if (p != THREADS_NONE) {
			if (!is_dummy(t, p) || t->node[p].child != k)
				continue;
			k = p;
		}
		*tail = k;
		tail = &t->node[k].next;
	}
	*tail = THREADS_NONE;
}

/* Step 3, the end: a dummy of one child is none.  The lists are made. */
static void
drop_single(struct threads *t)
{
	uint32_t *at = &t->root;

	for (; *at != THREADS_NONE; at = &t->node[*at].next) {
		uint32_t k = *at, child = t->node[k].child;

		if (!is_dummy(t, k) || t->node[k].nchildren != 1)
			continue;
		t->node[child].parent = THREADS_NONE;
		t->node[child].next = t->node[k].next;
		*at = child;
	}
}

static const struct threads_msg *
first_of(const struct threads *t, uint32_t k)
{
	return &t->msg[is_dummy(t, k) ? t->node[k].child : k];
}

/* Whether k is the better one to stand for a subject than what does. */
static bool
better(const struct threads *t, uint32_t k, uint32_t present)
{
	if (is_dummy(t, present))
		return false;
	return is_dummy(t, k) || (t->msg[present].reply && !t->msg[k].reply);
}

static void
merge(struct threads *t, uint32_t k)
{
	uint32_t *slot = lookup(t, t->name[k]), top = *slot;

	if (top == k)
		return;
	if (!is_dummy(t, top) && (t->msg[top].reply || !t->msg[k].reply)) {
		uint32_t both = add_node(t, t->name[k]);

		t->node[top].parent = both;
		*slot = top = both;
	}
	t->node[k].parent = top;
}

/* Step 5: threads of one subject are one. */
static void
merge_subjects(struct threads *t)
{
	clear(t);
	for (uint32_t k = t->root; k != THREADS_NONE; k = t->node[k].next) {
		uint32_t *slot;

		t->name[k] = first_of(t, k)->subject;
		if (t->name[k] == 0)
			continue;
		slot = lookup(t, t->name[k]);
		if (*slot == THREADS_NONE || better(t, k, *slot))
			*slot = k;
	}
	for (uint32_t k = t->root; k != THREADS_NONE; k = t->node[k].next)
		if (t->name[k] != 0)
			merge(t, k);
	pass_dummies(t);
	make_lists(t);
}

/* The node behind k in the order of the text, below root; or NONE. */
static uint32_t
following(const struct threads *t, uint32_t k, uint32_t root)
{
	if (t->node[k].child != THREADS_NONE)
		return t->node[k].child;
	while (k != root && t->node[k].next == THREADS_NONE)
		k = t->node[k].parent;
	return k == root ? THREADS_NONE : t->node[k].next;
}

/* REFS: threads by the latest of their messages. */
static void
sort_by_latest(struct threads *t)
{
	uint32_t *tail = &t->root;
	size_t n = 0;

	for (uint32_t r = t->root; r != THREADS_NONE; r = t->node[r].next) {
		int64_t latest = INT64_MIN;

		for (uint32_t k = r; k != THREADS_NONE; k = following(t, k, r))
			if (!is_dummy(t, k) && t->msg[k].date > latest)
				latest = t->msg[k].date;
		t->dated[n++] = (struct threads_dated){ latest, r };
	}
	qsort(t->dated, n, sizeof(t->dated[0]), by_date);
	for (size_t i = 0; i < n; i++) {
		*tail = t->dated[i].k;
		tail = &t->node[*tail].next;
	}
	*tail = THREADS_NONE;
}

static void
by_subject(struct threads *t)
{
	clear(t);
	for (uint32_t k = 0; k < t->n; k++)
		add_node(t, t->msg[k].subject);
	for (size_t i = 0; i < t->n; i++) {
		uint32_t k = t->dated[i].k;
		uint32_t *slot = lookup(t, t->name[k]);

		if (*slot == THREADS_NONE)
			*slot = k;
		else
			t->node[k].parent = *slot;
	}
	make_lists(t);
}

void
threads_make(struct threads *t, enum threads_kind kind)
{
	t->nnodes = 0;
	t->nslots = threads_slots(t->n, t->nrefs);
	t->root = THREADS_NONE;
	sort_messages(t);
	if (kind == THREADS_ORDEREDSUBJECT) {
		by_subject(t);
		return;
	}
	link_all(t);
	pass_dummies(t);
	make_lists(t);
	drop_single(t);
	if (kind == THREADS_REFERENCES)
		merge_subjects(t);
	else
		sort_by_latest(t);
}

/* Behind the last message of a branch: up to where another begins. */
static uint32_t
climb(const struct threads *t, uint32_t k, uint32_t root,
    void (*put)(void *ctx, int64_t what), void *ctx)
{
	while (k != root) {
		if (t->node[t->node[k].parent].nchildren > 1) {
			put(ctx, THREADS_CLOSE);
			if (t->node[k].next != THREADS_NONE) {
				put(ctx, THREADS_OPEN);
				return t->node[k].next;
			}
		}
		k = t->node[k].parent;
	}
	put(ctx, THREADS_CLOSE);
	return THREADS_NONE;
}

/*
 * thread-list = "(" (thread-members / thread-nested) ")"
 * thread-members = nz-number *(SP nz-number) [SP thread-nested]
 */
void
threads_walk(
    const struct threads *t, void (*put)(void *ctx, int64_t what), void *ctx)
{
	for (uint32_t r = t->root; r != THREADS_NONE; r = t->node[r].next) {
		uint32_t k = r;

		put(ctx, THREADS_OPEN);
		while (k != THREADS_NONE) {
			const struct threads_node *node = &t->node[k];

			if (!is_dummy(t, k))
				put(ctx, k);
			if (node->nchildren == 0) {
				k = climb(t, k, r, put, ctx);
				continue;
			}
			if (!is_dummy(t, k))
				put(ctx, THREADS_BLANK);
			if (node->nchildren > 1)
				put(ctx, THREADS_OPEN);
			k = node->child;
		}
	}
}

/* msg-id = "<" id-left "@" id-right ">", either of them quoted or not */
size_t
threads_msgid(struct span *in, char *to, size_t room)
{
	while (in->n > 0) {
		bool quoted = false, at = false;
		size_t n = 0, i = 0;

		span_take(in, span_chr(*in, '<'));
		if (in->n == 0)
			return 0;
		span_take(in, 1);
		for (; i < in->n && n < room && i < 2 * room; i++) {
			char c = in->p[i];

			if (!quoted && (c == '<' || c == '>'))
				break;
			if (c == '"') {
				quoted = !quoted;
				continue;
			}
			if (c == '\r' || c == '\n' || (!quoted && is_blank(c)))
				continue;
			if (c == '\\' && quoted && i + 1 < in->n)
				c = in->p[++i];
			at = at || c == '@';
			to[n++] = c;
		}
		if (i < in->n && !quoted && in->p[i] == '>' && at && n > 1) {
			span_take(in, i + 1);
			return n;
		}
		/* that one was none: the next may begin in the midst of it */
	}
	return 0;
}
