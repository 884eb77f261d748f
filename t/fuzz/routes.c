/*
 * queue/routes and queue/pattern: any file is a table, whose lines match
 * the same facts each time.  The last line of the input is the recipient.
 */
#include <assert.h>

#include "queue/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static size_t
last_line(struct span s)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '\n')
		at--;
	return at;
}

static void
check(const struct route *r, struct span text)
{
	assert(r->line > 0);
	for (size_t k = 0; k < r->npatterns; k++) {
		assert(r->patterns[k].kind <= PATTERN_LARGER);
		assert(r->patterns[k].value.n <= text.n);
	}
	assert((r->argv == NULL) == (r->text[0] == '\0'));
	assert(r->argv == NULL || r->argv[0] != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	size_t at = last_line(text);
	struct pattern_facts f = { .from = SPAN("x@sub.elsewhere.test"),
		.to = { text.p + at, n - at },
		.peer = SPAN("192.0.2.7"),
		.helo = SPAN("client.test"),
		.status = SPAN("new"),
		.age = 4000,
		.size = 1 << 20 };
	struct routes r = { 0 };
	struct arena a;
	int found;

	arena_init(&a, ROUTES_ARENA);
	routes_parse(&a, text, NULL, &r);
	for (size_t i = 0; i < r.n; i++)
		check(&r.v[i], text);
	found = routes_find(&r, &f);
	assert(found >= -1 && found < (int)r.n);
	if (found >= 0)
		for (size_t k = 0; k < r.v[found].npatterns; k++)
			if (memchr(f.to.p, '@', f.to.n) != NULL)
				assert(
				    pattern_match(&r.v[found].patterns[k], &f));
	arena_free(&a);
	return 0;
}
