/* addr_next: the address lists that real headers hold. */
#include "base/buf.h"
#include "mail/addr.h"
#include "test.h"

static const struct {
	const char *in, *want; /* name|route|local|domain; - for absent */
} cases[] = {
	/* clang-format off */
	{ "a@b", "-|-|a|b;" },
	{ "a@b, c@d", "-|-|a|b;-|-|c|d;" },
	{ "Joe Q. Public <john.q.public@example.com>",
	    "Joe Q. Public|-|john.q.public|example.com;" },
	{ "\"Giant; \\\"Big\\\" Box\" <s@e.net>", "Giant; \"Big\" Box|-|s|e.net;" },
	{ "Mary  \n Smith <mary@x.test>", "Mary Smith|-|mary|x.test;" },
	{ "<@a.test,@b.test:joe@c.test>", "-|@a.test,@b.test|joe|c.test;" },
	{ "Pete(A nice \\) chap) <pete(his)@silly.test(host)>",
	    "Pete|-|pete|silly.test;" },
	{ "john@x.test (John Doe)", "John Doe|-|john|x.test;" },
	{ "Group:a@b,\"C\" <c@d>;, e@f",
	    "{Group}-|-|a|b;C|-|c|d;{}-|-|e|f;" },
	{ "undisclosed-recipients:;", "{undisclosed-recipients}{}" },
	{ "g: a@b", "{g}-|-|a|b;{}" },
	{ "\"a b\"@c", "-|-|a b|c;" },
	{ "a . b @ c . d", "-|-|a.b|c.d;" },
	{ "x@[IPv6:::1]", "-|-|x|[IPv6:::1];" },
	{ "postmaster", "-|-|postmaster|-;" },
	{ "<>", "-|-||-;" },
	{ ",, a@b ,,", "-|-|a|b;" },
	{ "\"unclosed", "-|-|unclosed|-;" },
	{ "(unclosed", "" },
	{ "a@b junk@c, d@e", "-|-|a|bjunk;-|-|d|e;" },
	{ "<a@b> \"x,y\" z, d@e", "-|-|a|b;-|-|d|e;" },
	{ ">, a@b", "BAD;-|-|a|b;" },
	{ "=?utf-8?q?=C3=A9?= <e@f>", "=?utf-8?q?=C3=A9?=|-|e|f;" },
	{ "", "" },
	/* clang-format on */
};

static void
piece(struct buf *b, struct span s)
{
	if (s.p == NULL)
		buf_putc(b, '-');
	else
		buf_put(b, s);
}

static void
list(struct arena *arena, struct span in, struct buf *b)
{
	bool in_group = false;
	struct addr a;

	for (;;)
		switch (addr_next(arena, &in, &in_group, &a)) {
		case ADDR_MAILBOX:
			piece(b, a.name);
			buf_putc(b, '|');
			piece(b, a.route);
			buf_putc(b, '|');
			piece(b, a.local);
			buf_putc(b, '|');
			piece(b, a.domain);
			buf_putc(b, ';');
			break;
		case ADDR_GROUP_START:
			buf_putc(b, '{');
			piece(b, a.name);
			buf_putc(b, '}');
			break;
		case ADDR_GROUP_END:
			buf_puts(b, "{}");
			break;
		case ADDR_BAD:
			buf_puts(b, "BAD;");
			break;
		case ADDR_END:
			return;
		}
}

/* Ends, and takes memory in proportion, whatever the bytes. */
static void
test_bombs(void)
{
	static char big[65536];
	static const char *const parts[] = { "a@b,", "(", "\"", "<", "x:", "<@",
		",", "@", "a ", "\\", "<@a:", ";" };
	struct arena a = { .max = 16777216 };
	struct buf b = { .max = 1048576 };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = strlen(parts[i]);

		for (size_t at = 0; at + n <= sizeof(big); at += n)
			memcpy(big + at, parts[i], n);
		list(&a, (struct span){ big, sizeof(big) }, &b);
		check(a.used < 8388608);
		arena_release(&a, (struct arena_mark){ 0 });
		buf_clear(&b);
	}
	buf_free(&b);
}

int
main(void)
{
	struct arena a = { .max = 1048576 };
	struct buf b = { .max = 65536 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list(&a, span_of(cases[i].in), &b);
		check(strcmp(buf_cstr(&b), cases[i].want) == 0);
		if (strcmp(buf_cstr(&b), cases[i].want) != 0)
			printf("# %s\n# %s\n", cases[i].in, b.p);
		buf_clear(&b);
	}
	test_bombs();
	arena_free(&a);
	buf_free(&b);
	return done();
}
