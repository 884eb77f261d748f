/*
 * queue/access: whatever a client says is held against whatever a line
 * says.  The first line of the input is the line, the others are what the
 * client said, in the order below.
 */
#include <assert.h>

#include "queue/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
hold_against(struct access_line *l, struct span said)
{
	struct access t = { .v = l, .n = 1 };
	struct pattern_list list = { .n = 1, .answer = { { 127, 0, 0, 2 } } };
	struct pattern_facts f = { .lists = &list, .nlists = 1 };
	struct span *const to[] = { &f.from, &f.to, &f.auth, &f.peer, &f.helo,
		&f.client, &list.zone };
	struct access_verdict v, early;

	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]) && said.n > 0; i++)
		*to[i] = span_cut(&said, '\n');
	access_find(&t, &f, &v);
	assert(!v.not_yet && !v.doubt);
	assert((v.line != NULL) == (access_judge(l, &f) == PATTERN_YES));
	/* what is known early is not contradicted later */
	f.not_yet = 1U << PATTERN_FROM | 1U << PATTERN_TO | 1U << PATTERN_HELO;
	access_find(&t, &f, &early);
	assert(early.not_yet || early.line == v.line);
	/* a list that fails never refuses what it would not have */
	list.failed = f.client_failed = true;
	f.not_yet = 0;
	access_find(&t, &f, &early);
	assert(early.line == NULL || v.line != NULL || f.client.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = { (const char *)p, n }, line = SPAN("");
	struct access_line l;
	struct arena a;

	arena_init(&a, 1 << 24);
	if (in.n > 0)
		line = span_cut(&in, '\n');
	if (access_parse(&a, line, &l) == NULL) {
		assert(l.npatterns > 0 && l.text.n <= line.n);
		assert(l.code == 0 ||
		    l.code / 100 == (l.action == ACCESS_REJECT ? 5 : 4));
		hold_against(&l, in);
	}
	arena_free(&a);
	return 0;
}
