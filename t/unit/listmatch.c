/* listmatch: wildcards, and what they cost. */
#include "imap/listmatch.h"
#include "test.h"

static const struct {
	const char *pattern, *name;
	bool want;
} cases[] = {
	/* clang-format off */
	{ "*", "a/b", true },
	{ "%", "a/b", false },
	{ "%", "a", true },
	{ "%/%", "a/b", true },
	{ "a", "a", true },
	{ "a", "ab", false },
	{ "ab", "a", false },
	{ "a*", "a/b/c", true },
	{ "a%", "a/b", false },
	{ "a%c", "abc", true },
	{ "%b*", "aab/c", true },
	{ "*c", "a/b/c", true },
	{ "*c", "a/b/cd", false },
	{ "inbox", "INBOX", true },
	{ "InBox/%", "INBOX/a", true },
	{ "inbox/A", "INBOX/a", false },
	{ "in%", "INBOX", true },
	{ "inboxes", "INBOXES", false },
	{ "work", "Work", false },
	{ "", "a", false },
	{ "%*%*%*%*a", "b/b/a", true },
	{ "a%", "a", true },
	{ "a*%", "a", true },
	/* clang-format on */
};

int
main(void)
{
	char pattern[1000], name[1000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check(listmatch(span_of(cases[i].pattern),
			  span_of(cases[i].name), '/') == cases[i].want);
		if (test_failures > 0)
			printf("# %s %s\n", cases[i].pattern, cases[i].name);
	}
	for (size_t i = 0; i < sizeof(pattern); i++) {
		pattern[i] = i % 2 == 0 ? '*' : '%';
		name[i] = 'a';
	}
	pattern[999] = 'b';
	check(!listmatch(
	    (struct span){ pattern, 1000 }, (struct span){ name, 1000 }, '/'));
	return done();
}
