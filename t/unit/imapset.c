/* imapset: every way to write a set, and what is in it. */
#include "imap/imapset.h"
#include "test.h"

static const struct {
	const char *in;
	uint32_t largest;
	const char *want; /* NULL: not a set */
} cases[] = {
	/* clang-format off */
	{ "1", 9, "1" },
	{ "4:2", 9, "2:4" },
	{ "*:5", 9, "5:9" },
	{ "*", 9, "9" },
	{ "900:*", 9, "9:900" },
	{ "*", 0, "" },
	{ "1:*", 0, "1" },
	{ "1,3,2", 9, "1:3" },
	{ "5:7,1:6,9", 9, "1:7,9" },
	{ "1:4294967295", 9, "1:4294967295" },
	{ "4294967295,4294967294", 9, "4294967294:4294967295" },
	{ "2,2,2", 9, "2" },
	{ "0", 9, NULL },
	{ "4294967296", 9, NULL },
	{ "", 9, NULL },
	{ "1,", 9, NULL },
	{ ",1", 9, NULL },
	{ "1,,2", 9, NULL },
	{ "1:", 9, NULL },
	{ ":1", 9, NULL },
	{ "1:2:3", 9, NULL },
	{ "-1", 9, NULL },
	{ "+1", 9, NULL },
	{ "a", 9, NULL },
	{ "$", 9, NULL },
	/* clang-format on */
};

static void
one(size_t i, struct arena *a)
{
	struct imapset set;
	struct imapset_writer w = { 0 };
	struct buf b = { .max = 1000 };
	bool ok =
	    imapset_parse(a, span_of(cases[i].in), cases[i].largest, &set);

	check(ok == (cases[i].want != NULL));
	if (!ok || cases[i].want == NULL)
		return;
	for (size_t r = 0; r < set.n; r++) {
		/* long ranges by their ends */
		imapset_add(&b, &w, set.range[r].first);
		if (set.range[r].last - set.range[r].first < 1000)
			for (uint32_t n = set.range[r].first;
			     n < set.range[r].last; n++)
				imapset_add(&b, &w, n + 1);
		else
			w.last = set.range[r].last;
		check(imapset_has(&set, set.range[r].first));
		check(imapset_has(&set, set.range[r].last));
		check(set.range[r].first == 1 ||
		    !imapset_has(&set, set.range[r].first - 1));
	}
	imapset_end(&b, &w);
	check(strcmp(buf_cstr(&b), cases[i].want) == 0);
	buf_free(&b);
}

int
main(void)
{
	struct arena a = { .max = 100000 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		one(i, &a);
	arena_free(&a);
	return done();
}
