/* uidlist: the lists of Dovecot and Courier, whole and damaged. */
#include "store/uidlist.h"

#include <string.h>

#include "test.h"

static const struct {
	const char *text;
	bool ok;
	uint32_t uidvalidity, uidnext;
	unsigned rows, bad;
	const char *last; /* base */
	const char *uidl;
	uint64_t wire;
} cases[] = {
	/* clang-format off */
	{ "1 1700 9\n1 a\n4 b:2,S\n", true, 1700, 9, 2, 0, "b", "", 0 },
	{ "3 V1700 N9 Gff\n1 :a\n4 W12 Pxy :b c\n", true, 1700, 9, 2, 0, "b c",
	    "xy", 12 },
	{ "3 N9 V1700\n", true, 1700, 9, 0, 0, "", "", 0 },
	/* UIDNEXT is behind */
	{ "3 V1 N1\n8 :a\n", true, 1, 9, 1, 0, "a", "", 0 },
	/* a UID that does not rise, none at all, no name */
	{ "3 V1 N5\n2 :a\n2 :b\n1 :c\nx :d\n3\n4 W3\n", true, 1, 5, 1, 5, "a",
	    "", 0 },
	{ "1 5 5\n4294967295 a\n0 b\n1 x/y\n", true, 5, 5, 0, 3, "", "", 0 },
	{ "2 5 5\n1 a\n", false, 0, 0, 0, 0, "", "", 0 },
	{ "1 0 5\n1 a\n", false, 0, 0, 0, 0, "", "", 0 },
	{ "3 N5\n", false, 0, 0, 0, 0, "", "", 0 },
	{ "3 Vx N5\n", false, 0, 0, 0, 0, "", "", 0 },
	{ "", false, 0, 0, 0, 0, "", "", 0 },
	/* clang-format on */
};

static void
run(size_t i)
{
	struct uidlist u;
	struct uidlist_row row, last = { 0 };
	unsigned n = 0;
	bool ok = uidlist_begin(&u, span_of(cases[i].text));

	check(ok == cases[i].ok);
	if (!ok || !cases[i].ok)
		return;
	while (uidlist_next(&u, &row)) {
		last = row;
		n++;
	}
	check(u.uidvalidity == cases[i].uidvalidity);
	check(u.uidnext == cases[i].uidnext);
	check(n == cases[i].rows);
	check(u.bad == cases[i].bad);
	check(span_is(last.base, cases[i].last));
	check(span_is(last.uidl, cases[i].uidl));
	check(last.wire == cases[i].wire);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(i);
	return done();
}
