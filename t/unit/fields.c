/* mail/fields: a header changes as a milter's list of fields would. */
#include "mail/fields.h"

#include <string.h>

#include "test.h"

static const char header[] = "Received: ours\nA: 1\nB : 2\n\tmore\n"
			     "no field here\na: 3\nC:4\n";

static struct fields f;

static void
start(const char *text, size_t first)
{
	buf_free(&f.text);
	buf_init(&f.text, 256);
	buf_puts(&f.text, text);
	f.first = first;
}

static bool
is(const char *want)
{
	bool same = span_is(buf_span(&f.text), want);

	if (!same)
		printf("# got <%.*s>\n", (int)f.text.n, f.text.p);
	return same;
}

static void
inserting(void)
{
	static const char *const want[] = {
		"Received: ours\nX: y\nA: 1\nB : 2\n\tmore\nno field here\n"
		"a: 3\nC:4\n",
		"Received: ours\nA: 1\nX: y\nB : 2\n\tmore\nno field here\n"
		"a: 3\nC:4\n",
		"Received: ours\nA: 1\nB : 2\n\tmore\nno field here\nX: y\n"
		"a: 3\nC:4\n",
		"Received: ours\nA: 1\nB : 2\n\tmore\nno field here\na: 3\n"
		"X: y\nC:4\n",
		"Received: ours\nA: 1\nB : 2\n\tmore\nno field here\na: 3\n"
		"C:4\nX: y\n",
	};

	for (uint32_t i = 0; i < 5; i++) {
		start(header, 15);
		check(fields_insert(&f, i, SPAN("X"), SPAN(" y")));
		check(is(want[i]));
	}
	start(header, 15);
	check(fields_insert(&f, UINT32_MAX, SPAN("X"), SPAN(" y")));
	check(is(want[4]));
	start(header, 0);
	check(fields_insert(&f, 0, SPAN("X"), SPAN(" y")));
	check(fields_insert(&f, 0, SPAN("Z"), SPAN(" z")));
	check(memcmp(f.text.p, "Z: z\nX: y\nReceived: ours\n", 25) == 0);
	start("", 0);
	check(fields_insert(&f, 3, SPAN("X"), SPAN(" y")) && is("X: y\n"));
}

static void
changing(void)
{
	start(header, 15);
	check(fields_change(&f, 2, SPAN("A"), SPAN(" new")));
	check(is("Received: ours\nA: 1\nB : 2\n\tmore\nno field here\n"
		 "A: new\nC:4\n"));
	check(fields_change(&f, 1, SPAN("a"), SPAN("")));
	check(fields_change(&f, 0, SPAN("b"), SPAN("")));
	check(is("Received: ours\nno field here\nA: new\nC:4\n"));
	check(fields_change(&f, 2, SPAN("A"), SPAN("")));
	check(fields_change(&f, 1, SPAN("Received"), SPAN("")));
	check(is("Received: ours\nno field here\nA: new\nC:4\n"));
	check(fields_change(&f, 2, SPAN("A"), SPAN(" two")));
	check(fields_change(&f, 2, SPAN("A"), SPAN(" a longer one")));
	check(fields_add(&f, SPAN("D"), SPAN("")));
	check(is("Received: ours\nno field here\nA: new\nC:4\n"
		 "A: a longer one\nD:\n"));
}

static void
values(void)
{
	start("", 0);
	check(fields_add(&f, SPAN("A"), SPAN(" 1\r\n\ttwo\nthree\rfour")));
	check(is("A: 1\n\ttwo\n\tthree\n\tfour\n"));
	start("", 0);
	check(fields_add(&f, SPAN("A"), SPAN(" 1\n\n \nB: x\n\n")));
	check(is("A: 1\n\tB: x\n"));
	start("", 0);
	check(fields_add(&f, SPAN("A"), SPAN("\n x")));
	check(is("A:\n x\n"));
}

static void
bounds(void)
{
	char big[256];

	memset(big, 'x', sizeof(big));
	start(header, 0);
	check(!fields_add(&f, SPAN("A"), (struct span){ big, 256 }));
	check(!fields_change(&f, 1, SPAN("A"), (struct span){ big, 240 }));
	check(is(header));
	check(fields_add(
	    &f, SPAN("X"), (struct span){ big, 256 - sizeof(header) - 2 }));
	check(f.text.n == 256 && !fields_add(&f, SPAN("A"), SPAN("")));
	check(fields_change(&f, 1, SPAN("X"), SPAN("")) && is(header));
}

int
main(void)
{
	inserting();
	changing();
	values();
	bounds();
	return done();
}
