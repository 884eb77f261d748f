/* mail/threads: any references, each message comes once. */
#include "mail/threads.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct count {
	size_t numbers;
	int64_t depth;
};

static void
put(void *ctx, int64_t what)
{
	struct count *c = ctx;

	c->numbers += what >= 0;
	c->depth += (what == THREADS_OPEN) - (what == THREADS_CLOSE);
	assert(c->depth >= 0);
}

/* A message is its date, subject, id and references. */
static void
parse(struct threads *t, struct threads_msg *msg, uint64_t *ref,
    const uint8_t *p, size_t n)
{
	while (n >= 4) {
		struct threads_msg *m = &msg[t->n++];

		*m = (struct threads_msg){ .date = p[0] / 2,
			.reply = p[0] % 2 == 1,
			.subject = p[1] % 8,
			.id = p[2] % 32,
			.refs = t->nrefs,
			.nrefs = p[3] % 8 };
		p += 4;
		n -= 4;
		if (m->nrefs > n)
			m->nrefs = (uint32_t)n;
		for (uint32_t i = 0; i < m->nrefs; i++)
			ref[t->nrefs++] = 1 + p[i] % 32;
		p += m->nrefs;
		n -= m->nrefs;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct threads_msg *msg = calloc(n / 4 + 1, sizeof(*msg));
	uint64_t *ref = calloc(n + 1, sizeof(*ref));
	struct span in = { (const char *)p, n };
	struct threads t = { .msg = msg, .ref = ref };
	char id[64];

	while (threads_msgid(&in, id, sizeof(id)) > 0)
		continue;
	parse(&t, msg, ref, p, n);
	t.node = calloc(threads_nodes(t.n, t.nrefs), sizeof(*t.node));
	t.name = calloc(threads_nodes(t.n, t.nrefs), sizeof(*t.name));
	t.slot = calloc(threads_slots(t.n, t.nrefs), sizeof(*t.slot));
	t.dated = calloc(t.n + 1, sizeof(*t.dated));
	for (int kind = 0; kind < 3; kind++) {
		struct count c = { 0 };

		threads_make(&t, (enum threads_kind)kind);
		threads_walk(&t, put, &c);
		assert(c.depth == 0 && c.numbers == t.n);
	}
	free(t.node);
	free(t.name);
	free(t.slot);
	free(t.dated);
	free(msg);
	free(ref);
	return 0;
}
