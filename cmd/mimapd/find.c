/* The search of Knuth, Morris and Pratt: linear whatever is looked for. */
#include "search.h"

uint32_t *
find_table(struct arena *a, struct span s)
{
	uint32_t *t = arena_alloc(a, (s.n + 1) * sizeof(*t)), n = 0;

	for (size_t i = 1; i < s.n; i++) {
		while (n > 0 && s.p[i] != s.p[n])
			n = t[n];
		if (s.p[i] == s.p[n])
			n++;
		t[i + 1] = n;
	}
	return t;
}

void
find_feed(struct key *k, struct span s)
{
	size_t at = k->at, i = 0;
	const char *needle = k->needle.p;

	if (k->found)
		return;
	while (i < s.n) {
		if (at == 0) {
			const char *p = memchr(s.p + i, needle[0], s.n - i);

			if (p == NULL)
				break;
			i = (size_t)(p - s.p);
		}
		while (at > 0 && s.p[i] != needle[at])
			at = k->fail[at];
		if (s.p[i++] == needle[at] && ++at == k->needle.n) {
			k->found = true;
			return;
		}
	}
	k->at = at;
}

void
find_break(struct key *k)
{
	k->at = 0;
}
