/* Routes and patterns: the first that matches, and nothing else. */
#include "test.h"

#include "queue/routes.h"

static const char file[] =
    "# who serves whom\n"
    "from:@vip.test to:.far.test user=pneu-relay msend -h relay.test:587\n"
    "example.test user=root mdeliver\n"
    "lists.test user=pneu-lists sh -c 'cat >/dev/null'\n"
    "root.test user=root sh\n"
    "broken.test 'unfinished\n"
    "peer:banana msend\n"
    "larger:1M big.test cat\n"
    "* msend\n";

static const struct {
	const char *from, *to;
	uint64_t size;
	int want;
} cases[] = {
	/* clang-format off */
	{ "a@vip.test",   "b@x.far.test",      1, 0 },
	{ "a@vip.test",   "b@far.test",        1, 7 },
	{ "a@other.test", "b@x.far.test",      1, 7 },
	{ "",             "b@EXAMPLE.test",    1, 1 },
	{ "",             "b@sub.example.test",1, 7 },
	{ "",             "\"b@example.test\"@x", 1, 7 },
	{ "",             "postmaster",        1, 1 },
	{ "",             "l@lists.test",      1, 2 },
	{ "",             "l@root.test",       1, 3 },
	{ "",             "l@broken.test",     1, 4 },
	{ "",             "l@big.test",        1, 7 },
	{ "",             "l@big.test",  2000000, 6 },
	/* clang-format on */
};

static const struct {
	const char *word, *peer;
	bool want;
} peers[] = {
	/* clang-format off */
	{ "peer:192.0.2.0/24", "192.0.2.77", true },
	{ "peer:192.0.2.0/24", "192.0.3.77", false },
	{ "peer:192.0.2.1",    "192.0.2.1",  true },
	{ "peer:0.0.0.0/0",    "192.0.2.1",  true },
	{ "peer:2001:db8::/32","2001:db8:1::1", true },
	{ "peer:2001:db8::/32","192.0.2.1",  false },
	{ "peer:*",            "",           true },
	/* clang-format on */
};

static const char *const bad[] = { "peer:1.2.3", "peer:1.2.3.4/33",
	"older:", "older:5y", "larger:x", "status:gone",
	"to:", "older:99999999999999999999", "larger:18446744073709551615K" };

int
main(void)
{
	struct arena a;
	struct routes rs;
	struct pattern p;

	arena_init(&a, ROUTES_ARENA);
	routes_parse(&a, span_of(file), NULL, &rs);
	check(rs.n == 8);
	check(rs.v[0].send && !rs.v[0].by_domain && rs.v[0].argv != NULL);
	check(rs.v[1].deliver && strcmp(rs.v[1].user, "root") == 0);
	check(strcmp(rs.v[2].argv[2], "cat >/dev/null") == 0);
	check(rs.v[3].argv == NULL); /* root runs mdeliver alone */
	check(rs.v[4].argv == NULL && rs.v[5].npatterns == 0);
	check(rs.v[7].by_domain);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pattern_facts f = { .from = span_of(cases[i].from),
			.to = span_of(cases[i].to),
			.size = cases[i].size };

		check(routes_find(&rs, &f) == cases[i].want);
	}
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct pattern_facts f = { .peer = span_of(peers[i].peer) };

		check(pattern_parse(span_of(peers[i].word), &p) &&
		    pattern_match(&p, &f) == peers[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(!pattern_parse(span_of(bad[i]), &p));
	check(pattern_parse(span_of("older:2h"), &p) && p.n == 7200);
	routes_parse(&a, span_of(""), NULL, &rs);
	check(rs.n == 0);
	arena_free(&a);
	return done();
}
