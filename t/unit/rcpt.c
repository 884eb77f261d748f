/* rcpt: where an address leads, by domains, users and aliases. */
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "auth/users.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "test.h"

static char dir[] = "/tmp/pneu-unit-XXXXXX";
static struct rcpt r;

static const char *
path_of(const char *name)
{
	static char path[LIMIT_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
put(const char *name, const char *text)
{
	struct utimbuf t;
	FILE *f = fopen(path_of(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		die_sys(EXIT_TEMP, "%s", name);
	t.actime = t.modtime = (time_t)(unix_now() - 60);
	if (utime(path_of(name), &t) == -1)
		die_sys(EXIT_TEMP, "%s", name);
}

static const struct {
	const char *address;
	enum rcpt_kind kind;
	const char *is; /* the user's address, or the targets */
	const char *detail;
} cases[] = {
	/* clang-format off */
	{ "bob@a.test",            RCPT_USER,    "bob@a.test",    "" },
	{ "BOB@A.Test",            RCPT_USER,    "bob@a.test",    "" },
	{ "bob+x@a.test",          RCPT_USER,    "bob@a.test",    "x" },
	{ "bob+x+y@a.test",        RCPT_USER,    "bob@a.test",    "x+y" },
	{ "bob+own@a.test",        RCPT_USER,    "bob+own@a.test", "" },
	{ "bob+@a.test",           RCPT_USER,    "bob@a.test",    "" },
	{ "+bob@a.test",           RCPT_UNKNOWN, NULL,            NULL },
	{ "bob-x@a.test",          RCPT_UNKNOWN, NULL,            NULL },
	{ "ann-x@b.test",          RCPT_USER,    "ann@b.test",    "x" },
	{ "ann+x@c.test",          RCPT_UNKNOWN, NULL,            NULL },
	{ "\"bob+x\"@a.test",      RCPT_UNKNOWN, NULL,            NULL },
	{ "\"a b\"@a.test",        RCPT_USER,    "\"a b\"@a.test", "" },
	{ "\"q: r\"@a.test",       RCPT_ALIAS,   "bob@a.test",    "" },
	{ "sales@a.test",          RCPT_ALIAS,   "bob, ann@b.test", "" },
	{ "sales+x@a.test",        RCPT_ALIAS,   "bob, ann@b.test", "x" },
	{ "sales+west@a.test",     RCPT_ALIAS,   "west@far.test", "" },
	{ "sales@b.test",          RCPT_UNKNOWN, NULL,            NULL },
	{ "all@a.test",            RCPT_ALIAS,   "bob",           "" },
	{ "ALL@b.test",            RCPT_ALIAS,   "bob",           "" },
	{ "all@same.test",         RCPT_ALIAS,   "bob",           "" },
	{ "bob@same.test",         RCPT_USER,    "bob@a.test",    "" },
	{ "bob@same2.test",        RCPT_USER,    "bob@a.test",    "" },
	{ "bob@gone.test",         RCPT_LATER,   NULL,            NULL },
	{ "bob@ring1.test",        RCPT_LATER,   NULL,            NULL },
	{ "x@any.test",            RCPT_ALIAS,   "bob@a.test",    "" },
	{ "ann@any.test",          RCPT_USER,    "ann@any.test",  "" },
	{ "x@relay.test",          RCPT_RELAY,   NULL,            NULL },
	{ "x@far.test",            RCPT_FOREIGN, NULL,            NULL },
	{ "x@a.test.far.test",     RCPT_FOREIGN, NULL,            NULL },
	{ "x@sub.a.test",          RCPT_FOREIGN, NULL,            NULL },
	{ "postmaster",            RCPT_USER,    "bob@a.test",    "" },
	{ "PostMaster@a.test",     RCPT_USER,    "bob@a.test",    "" },
	{ "abuse@b.test",          RCPT_USER,    "bob@a.test",    "" },
	{ "postmaster@me.test",    RCPT_USER,    "bob@a.test",    "" },
	{ "x@me.test",             RCPT_FOREIGN, NULL,            NULL },
	{ "postmaster@relay.test", RCPT_RELAY,   NULL,            NULL },
	{ "postmaster@far.test",   RCPT_FOREIGN, NULL,            NULL },
	{ "nobody@a.test",         RCPT_UNKNOWN, NULL,            NULL },
	/* U-labels and A-labels, composed or not, whatever the case */
	{ "bob@b\303\274cher.test", RCPT_USER, "bob@xn--bcher-kva.test", "" },
	{ "bob@XN--Bcher-kva.test", RCPT_USER, "bob@xn--bcher-kva.test", "" },
	{ "bob@bu\314\210cher.test", RCPT_USER, "bob@xn--bcher-kva.test", "" },
	{ "z\303\253@xn--caf-dma.test", RCPT_USER,
	  "z\303\253@caf\303\251.test", "" },
	{ "Z\303\213@CAF\303\211.test", RCPT_USER,
	  "z\303\253@caf\303\251.test", "" },
	{ "ze\314\210+x@caf\303\251.test", RCPT_USER,
	  "z\303\253@caf\303\251.test", "x" },
	{ "z\303\250@caf\303\251.test", RCPT_UNKNOWN, NULL, NULL },
	{ "all@caf\303\251.test", RCPT_ALIAS, "bob", "" },
	{ "caf\303\251@a.test", RCPT_ALIAS, "bob@a.test", "" },
	{ "cafe\314\201@A.test", RCPT_ALIAS, "bob@a.test", "" },
	{ "bob@xn--bcher-kvb.test", RCPT_FOREIGN, NULL, NULL },
	{ "nodomain",              RCPT_UNKNOWN, NULL,            NULL },
	{ "@a.test",               RCPT_UNKNOWN, NULL,            NULL },
	{ "",                      RCPT_UNKNOWN, NULL,            NULL },
	/* clang-format on */
};

static void
test_table(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum rcpt_kind kind = rcpt_find(span_of(cases[i].address), &r);
		const char *is = kind == RCPT_USER ? r.user.address : r.targets;
		bool good = kind == cases[i].kind && r.kind == kind &&
		    r.because != NULL;

		if (good && cases[i].is != NULL)
			good = strcmp(is, cases[i].is) == 0 &&
			    strcmp(r.detail, cases[i].detail) == 0;
		if (!good)
			printf("# %s: %d %s %s\n", cases[i].address, (int)kind,
			    is, r.detail);
		check(good);
	}
}

/* An address of any length answers something, and overflows nothing. */
static void
test_long(void)
{
	char address[1200];

	for (size_t n = 1; n < 1100; n += 13) {
		memset(address, 'a', n);
		memcpy(address + n, "@a.test", 8);
		check(rcpt_find(span_of(address), &r) == RCPT_UNKNOWN);
		memset(address, 'a', n);
		address[n / 2] = '@';
		check(rcpt_find((struct span){ address, n }, &r) != RCPT_USER);
	}
}

static void
test_postmaster(void)
{
	put("aliases", "postmaster: ann@b.test\n");
	check(rcpt_find(SPAN("abuse@a.test"), &r) == RCPT_ALIAS);
	check(strcmp(r.targets, "ann@b.test") == 0);
	check(rcpt_find(SPAN("postmaster"), &r) == RCPT_ALIAS);
	put("aliases", "# nothing\n");
	put("users",
	    "off@a.test:1:1:/o:disabled\n"
	    "ann@a.test:2:2:/a:\npostmaster@a.test:3:3:/p:\n");
	check(rcpt_find(SPAN("abuse@a.test"), &r) == RCPT_USER &&
	    r.user.uid == 3);
	check(rcpt_find(SPAN("abuse@b.test"), &r) == RCPT_USER &&
	    r.user.uid == 2);
}

static void
test_doubt(void)
{
	put("users", "bob@a.test:1:1:/b:\nno user\n");
	check(rcpt_find(SPAN("nobody@a.test"), &r) == RCPT_LATER);
	check(rcpt_find(SPAN("bob+x@a.test"), &r) == RCPT_USER);
	check(rcpt_find(SPAN("x@far.test"), &r) == RCPT_FOREIGN);
	put("users", "bob@a.test:1:1:/b:\n");
	put("aliases", "no alias\nx: bob\n");
	check(rcpt_find(SPAN("nobody@a.test"), &r) == RCPT_LATER);
	check(rcpt_find(SPAN("x@a.test"), &r) == RCPT_ALIAS);
	check(rcpt_find(SPAN("bob@a.test"), &r) == RCPT_USER);
	put("aliases", "");
	check(rcpt_find(SPAN("nobody@a.test"), &r) == RCPT_UNKNOWN);
	unlink(path_of("aliases"));
	check(rcpt_find(SPAN("nobody@a.test"), &r) == RCPT_UNKNOWN);
	put("domains", "a.test\nb.test what=\n");
	check(rcpt_find(SPAN("x@far.test"), &r) == RCPT_LATER);
	check(rcpt_find(SPAN("bob@a.test"), &r) == RCPT_USER);
	put("domains", "");
	check(rcpt_find(SPAN("bob@a.test"), &r) == RCPT_LATER);
	unlink(path_of("domains"));
	check(rcpt_find(SPAN("bob@a.test"), &r) == RCPT_LATER);
}

int
main(void)
{
	static const char *const names[] = { "me", "users", "aliases",
		"domains" };

	progname = "rcpt";
	if (mkdtemp(dir) == NULL)
		die_sys(EXIT_TEMP, "%s", dir);
	conf_set_dir(dir);
	fclose(stderr); /* bad lines are told there */
	put("me", "me.test\n");
	put("domains",
	    "a.test\nb.test sep=-\nc.test sep=\n"
	    "same.test same-as=A.test\nsame2.test same-as=same.test\n"
	    "gone.test same-as=none.test\nrelay.test relay\n"
	    "ring1.test same-as=ring2.test\n"
	    "ring2.test same-as=ring1.test\n"
	    "any.test catchall=bob@a.test\n"
	    "xn--bcher-kva.test\ncaf\303\251.test\n");
	put("users",
	    "bob@a.test:1:1:/b:\nbob+own@a.test:2:2:/o:\n"
	    "bob@xn--bcher-kva.test:4:4:/u:\n"
	    "z\303\253@caf\303\251.test:5:5:/z:\n"
	    "ann@b.test:3:3:/a:\nann@c.test:3:3:/a:\n"
	    "ann@any.test:3:3:/a:\n\"a b\"@a.test:4:4:/ab:\n");
	put("aliases",
	    "all: bob\n\"q: r\": bob@a.test\n"
	    "Sales@A.test: bob, ann@b.test\n"
	    "sales+west@a.test:west@far.test\ncaf\303\251@a.test: "
	    "bob@a.test\n");
	test_table();
	test_long();
	test_postmaster();
	test_doubt();
	for (size_t i = 0; i < 4; i++)
		unlink(path_of(names[i]));
	rmdir(dir);
	return done();
}
