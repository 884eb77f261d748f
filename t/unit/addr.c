/* mail/addr: paths of MAIL and RCPT. */
#include "mail/addr.h"
#include "test.h"

static const struct {
	const char *in, *want; /* NULL: refused */
	const char *left;
} paths[] = {
	/* clang-format off */
	{ "<a@b>",                     "a@b",               "" },
	{ "<a@b> SIZE=1",              "a@b",               " SIZE=1" },
	{ "<>",                        "",                  "" },
	{ "<Postmaster>",              "Postmaster",        "" },
	{ "<@x.example,@y:a@b>",       "a@b",               "" },
	{ "<\"a b\"@c>",               "\"a b\"@c",         "" },
	{ "<\"ab\"@c>",                "ab@c",              "" },
	{ "<\"a\\.b\"@c>",             "a.b@c",             "" },
	{ "<\"a>b\"@c>",               "\"a>b\"@c",         "" },
	{ "<a@[192.0.2.1]>",           "a@[192.0.2.1]",     "" },
	{ "<a@[IPv6:2001:db8::1]>",    "a@[IPv6:2001:db8::1]", "" },
	{ "<-n@example.test>",         "-n@example.test",   "" },
	{ "<d\xc3\xb6@example.test>",  "d\xc3\xb6@example.test", "" },
	{ "a@b",                       NULL,                NULL },
	{ "<a@b",                      NULL,                NULL },
	{ "<a>",                       NULL,                NULL },
	{ "<a..b@c>",                  NULL,                NULL },
	{ "<.a@c>",                    NULL,                NULL },
	{ "<a@-c>",                    NULL,                NULL },
	{ "<a@c.>",                    NULL,                NULL },
	{ "<a b@c>",                   NULL,                NULL },
	{ "<\"a\nb\"@c>",              NULL,                NULL },
	{ "<\"ab@c>",                  NULL,                NULL },
	{ "<@x:>",                     NULL,                NULL },
	{ "<0123456789012345678901234567890123456789012345678901234567890123x@c>",
	  NULL, NULL },
	/* clang-format on */
};

int
main(void)
{
	struct arena a;

	arena_init(&a, 100000);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct span in = span_of(paths[i].in), addr;
		bool ok = addr_path(&a, &in, &addr);

		check(ok == (paths[i].want != NULL));
		if (!ok)
			continue;
		check(span_is(addr, paths[i].want));
		check(span_is(in, paths[i].left));
	}
	check(addr_same(SPAN("a@B.c"), SPAN("a@b.C")));
	check(!addr_same(SPAN("A@b.c"), SPAN("a@b.c")));
	check(addr_valid(SPAN("a@b")) && !addr_valid(SPAN("a@b x")));
	check(!addr_valid(SPAN("")) && addr_valid(SPAN("POSTMASTER")));
	arena_free(&a);
	return done();
}
