/* access: the first line that holds, and what is not known yet. */
#include "test.h"

#include "queue/access.h"

static const char *const good[] = {
	/* clang-format off */
	"reject peer:192.0.2.0/24 helo:.bad.test -- 5.7.1 go away",
	"allow dnsbl:list.dnswl.test=127.0.0.0/16 from:good@x.test",
	"later from:.slow.test",
	"hold auth:bob@example.test -- looks like a stolen login",
	"drop from:@spam.test to:alice@example.test",
	"reject client:.dyn.test",
	"greylist client:unknown",
	"reject peer:198.51.100.7 -- 521 no mail here",
	"reject dnsbl:bl.test -- 553 listed",
	/* clang-format on */
};

static const char *const bad[] = {
	/* clang-format off */
	"", "refuse peer:*", "reject", "reject -- text", "reject peer:1.2.3",
	"reject larger:5M", "reject route:msend", "reject status:new",
	"reject older:1d", "reject peer:* -- 4.7.1 later",
	"reject peer:* -- 450 later", "later peer:* -- 550 5.7.1 no",
	"reject from:a@b.test -- 521 go", "reject peer:* -- a\001b",
	"later helo:x -- 421 go", "reject dnsbl:", "reject dnsbl:bl.test=x",
	"reject dnsbl:bl.test=2001:db8::1", "reject dnsbl:[192.0.2.1]",
	"reject dnsbl:a..b", "greylist peer:* -- 421 x", "reject peer:* -- 599 no",
	/* clang-format on */
};

static struct arena arena;
static struct access table;

static void
fill(void)
{
	static struct access_line lines[sizeof(good) / sizeof(good[0])];

	table.v = lines;
	for (; table.n < sizeof(good) / sizeof(good[0]); table.n++) {
		struct access_line *l = &lines[table.n];

		check(access_parse(&arena, span_of(good[table.n]), l) == NULL);
		l->line = (unsigned)table.n;
	}
}

/* The number of the line, -1 for none, -2 not yet; +100 in doubt. */
static int
find(const struct pattern_facts *f)
{
	struct access_verdict v;

	access_find(&table, f, &v);
	if (v.not_yet)
		return -2;
	if (v.line == NULL)
		return -1;
	return (int)v.line->line + (v.doubt ? 100 : 0);
}

static struct pattern_list lists[] = {
	{ .zone = { "bl.test", 7 } },
	{ .zone = { "list.dnswl.test", 15 } },
};

static struct pattern_facts
someone(void)
{
	lists[0].n = lists[1].n = 0;
	lists[0].failed = lists[1].failed = false;
	return (struct pattern_facts){ .from = SPAN("a@x.test"),
		.to = SPAN("alice@example.test"),
		.peer = SPAN("203.0.113.9"),
		.helo = SPAN("mx.x.test"),
		.client = SPAN("mx.x.test"),
		.lists = lists,
		.nlists = 2 };
}

static void
list(int i, unsigned a, unsigned b, unsigned c, unsigned d)
{
	unsigned char *to = lists[i].answer[lists[i].n++];

	to[0] = (unsigned char)a;
	to[1] = (unsigned char)b;
	to[2] = (unsigned char)c;
	to[3] = (unsigned char)d;
}

static void
plain(void)
{
	struct pattern_facts f = someone();

	check(find(&f) == -1);
	f.peer = SPAN("192.0.2.9");
	check(find(&f) == -1); /* all patterns of a line must hold */
	f.helo = SPAN("a.bad.test");
	check(find(&f) == 0);
	table.doubtful = true;
	check(find(&f) == 100);
	table.doubtful = false;
	f = someone();
	f.auth = SPAN("bob@example.test");
	check(find(&f) == 3);
	f.from = SPAN("x@spam.test");
	check(find(&f) == 3); /* the first one */
	f.auth = SPAN("");
	check(find(&f) == 4);
	f.to = SPAN("bob@example.test");
	check(find(&f) == -1);
	f.client = SPAN("7.DYN.test");
	check(find(&f) == 5);
}

static void
by_dns(void)
{
	struct pattern_facts f = someone();

	f.client = SPAN("");
	check(find(&f) == 6);
	f.client_failed = true; /* unknown, but not for good */
	check(find(&f) == 106);
	f.client_unasked = true;
	check(find(&f) == -1);
	f = someone();
	list(0, 127, 0, 0, 2);
	check(find(&f) == 8);
	lists[0].failed = true;
	check(find(&f) == -1);
	f = someone();
	list(0, 127, 255, 255, 254); /* you ask too much */
	list(0, 127, 0, 0, 1);
	list(0, 93, 184, 216, 34); /* a parked domain */
	check(find(&f) == -1);
	list(0, 127, 0, 1, 4);
	check(find(&f) == 8);
	f.from = SPAN("good@x.test");
	lists[1].failed = true; /* it might be on the white list */
	check(find(&f) == 108);
	lists[1].failed = false;
	list(1, 127, 1, 0, 0);
	check(find(&f) == 8); /* not among what was asked for */
	list(1, 127, 0, 10, 2);
	check(find(&f) == 1);
}

static void
before_mail(void)
{
	struct pattern_facts f = someone();
	struct access_verdict v;

	f.not_yet = 1U << PATTERN_FROM | 1U << PATTERN_TO | 1U << PATTERN_HELO;
	check(find(&f) == -2); /* line 2 rests on the sender */
	f.peer = SPAN("198.51.100.7");
	check(find(&f) == -2);
	table.v += 7;
	table.n -= 7;
	access_find(&table, &f, &v);
	check(v.line != NULL && v.line->code == 521);
	check(span_is(v.line->text, "no mail here"));
	table.v -= 7;
	table.n += 7;
}

int
main(void)
{
	struct access_line l;

	arena_init(&arena, 1048576);
	fill();
	check(table.v[0].npatterns == 2);
	check(span_is(table.v[0].text, "5.7.1 go away"));
	check(table.v[8].code == 553);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(access_parse(&arena, span_of(bad[i]), &l) != NULL);
	plain();
	by_dns();
	before_mail();
	arena_free(&arena);
	return done();
}
