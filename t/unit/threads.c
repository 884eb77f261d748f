/* threads: RFC 5256, and what strangers make of References. */
#include "mail/threads.h"

#include <stdlib.h>

#include "base/buf.h"
#include "test.h"

enum { MOST = 400000 };

static struct threads_msg msg[MOST];
static uint64_t ref[MOST * 3];
static struct threads t;

static void
put(void *ctx, int64_t what)
{
	struct buf *b = ctx;

	if (what >= 0)
		buf_putu(b, (uint64_t)what + 1);
	else
		buf_putc(b,
		    "( )"[what == THREADS_OPEN      ? 0
			    : what == THREADS_BLANK ? 1
						    : 2]);
}

static const char *
make(enum threads_kind kind, struct buf *b)
{
	size_t nodes = threads_nodes(t.n, t.nrefs);

	t.msg = msg;
	t.ref = ref;
	t.node = calloc(nodes, sizeof(*t.node));
	t.name = calloc(nodes, sizeof(*t.name));
	t.slot = calloc(threads_slots(t.n, t.nrefs), sizeof(*t.slot));
	t.dated = calloc(t.n + 1, sizeof(*t.dated));
	threads_make(&t, kind);
	buf_clear(b);
	threads_walk(&t, put, b);
	free(t.node);
	free(t.name);
	free(t.slot);
	free(t.dated);
	return buf_cstr(b);
}

/*
 * A message is "id date subject refs"; ids and refs are letters, "-" for
 * none; a small subject is a reply, "-" is empty.
 */
static void
parse(const char *text)
{
	t.n = t.nrefs = 0;
	while (*text != '\0') {
		struct threads_msg *m = &msg[t.n++];

		*m = (struct threads_msg){ .refs = t.nrefs };
		m->id = text[0] == '-' ? 0 : (uint64_t)text[0];
		m->date = text[1] - '0';
		m->reply = text[2] >= 'a';
		m->subject = text[2] == '-' ? 0 : (uint64_t)text[2] & 0xdf;
		for (text += 3; *text != ' ' && *text != '\0'; text++) {
			ref[t.nrefs++] = (uint64_t)*text;
			m->nrefs++;
		}
		while (*text == ' ')
			text++;
	}
}

static const struct {
	enum threads_kind kind;
	const char *in, *want;
} tests[] = {
	/* clang-format off */
	{ THREADS_REFERENCES, "", "" },
	{ THREADS_REFERENCES, "a1A b2B c3C", "(1)(2)(3)" },
	{ THREADS_REFERENCES, "a3A b2B c1C", "(3)(2)(1)" },
	{ THREADS_REFERENCES, "a1A b2aa c3aab", "(1 2 3)" },
	{ THREADS_REFERENCES, "a1A b2aa c3aa", "(1 (2)(3))" },
	{ THREADS_REFERENCES, "a1A b3aa c2aa d4ab", "(1 (3)(2 4))" },
	/* the missing one: by References alone, and at the top */
	{ THREADS_REFERENCES, "a1A c3aab", "(1 2)" },
	{ THREADS_REFERENCES, "b1Ax c2Bx", "((1)(2))" },
	{ THREADS_REFERENCES, "b1Ax", "(1)" },
	{ THREADS_REFERENCES, "b3Ax c2Bx d1C", "(3)((2)(1))" },
	/* a reply that came before what it answers */
	{ THREADS_REFERENCES, "c3aab b2aa a1A", "(3 2 1)" },
	/* by subject */
	{ THREADS_REFERENCES, "a1A b2a", "(1 2)" },
	{ THREADS_REFERENCES, "a1a b2A", "(2 1)" },
	{ THREADS_REFERENCES, "a1A b2A", "((1)(2))" },
	{ THREADS_REFERENCES, "a1a b2a", "((1)(2))" },
	{ THREADS_REFERENCES, "a1A b2A c3a", "((1)(2)(3))" },
	{ THREADS_REFERENCES, "a1- b2-", "(1)(2)" },
	{ THREADS_REFERENCES, "a1Ax b2Bx c3Ay d4Cy", "((1)(2)(3)(4))" },
	{ THREADS_REFERENCES, "a1Ax b2Bx c3A", "((1)(2)(3))" },
	{ THREADS_REFS, "a1A b2a", "(1)(2)" },
	/* REFS goes by the latest */
	{ THREADS_REFS, "a1A b2B c3aa", "(2)(1 3)" },
	{ THREADS_REFS, "b1Ax c5Bx d2C", "(3)((1)(2))" },
	/* no loops */
	{ THREADS_REFERENCES, "a1Aa", "(1)" },
	{ THREADS_REFERENCES, "a1Ab b2Ba", "(2 1)" },
	{ THREADS_REFERENCES, "a1Ac b2Ba c3Cb", "(3 1 2)" },
	{ THREADS_REFERENCES, "a1Axyx", "(1)" },
	/* an ID that was given twice, one that is missing */
	{ THREADS_REFERENCES, "a1A a2B c3Ca", "(1 3)(2)" },
	{ THREADS_REFERENCES, "-1A -2B c3Cab", "(1)(2)(3)" },
	/* a truncated list: the message knows better */
	{ THREADS_REFERENCES, "d4Dab a1A b2B", "(2)(3 1)" },
	{ THREADS_REFERENCES, "c3Cab b2Bx a1A", "(3)(2 1)" },
	{ THREADS_ORDEREDSUBJECT, "a1A b2B c3a d4A e0B", "(5 2)(1 (3)(4))" },
	{ THREADS_ORDEREDSUBJECT, "a1- b2-", "(1 2)" },
	/* clang-format on */
};

static void
test_table(void)
{
	struct buf b = { .max = 1000 };

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const char *got;

		parse(tests[i].in);
		got = make(tests[i].kind, &b);
		check(strcmp(got, tests[i].want) == 0);
		if (strcmp(got, tests[i].want) != 0)
			printf("# %s: %s, not %s\n", tests[i].in, got,
			    tests[i].want);
	}
	buf_free(&b);
}

static uint32_t
dice(uint32_t n)
{
	static uint32_t x = 1;

	x = x * 1664525 + 1013904223;
	return (x >> 8) % n;
}

/* Every message comes once, and parentheses are in pairs. */
static void
test_whole(const char *text, size_t n)
{
	size_t depth = 0, numbers = 0;
	bool bad = false;

	for (; *text != '\0'; text++) {
		depth += *text == '(';
		bad = bad || depth == 0;
		depth -= *text == ')';
		numbers += is_digit(text[0]) && !is_digit(text[1]);
	}
	check(!bad && depth == 0 && numbers == n);
}

static void
test_random(void)
{
	struct buf b = { .max = 1 << 24 };

	for (int round = 0; round < 300; round++) {
		t.n = dice(40);
		t.nrefs = 0;
		for (size_t i = 0; i < t.n; i++) {
			msg[i] = (struct threads_msg){ .id = dice(30),
				.subject = dice(12),
				.date = dice(20),
				.reply = dice(2) == 1,
				.refs = t.nrefs,
				.nrefs = dice(5) };
			for (uint32_t k = 0; k < msg[i].nrefs; k++)
				ref[t.nrefs++] = 1 + dice(30);
		}
		for (int kind = 0; kind < 3; kind++)
			test_whole(make((enum threads_kind)kind, &b), t.n);
	}
	buf_free(&b);
}

/* What would take quadratic time: this ends at once. */
static void
test_hostile(int how)
{
	struct buf b = { .max = 1 << 26 };

	t.n = MOST / 4;
	t.nrefs = 0;
	for (size_t i = 0; i < t.n; i++) {
		size_t to = how == 0 ? i : how == 1 ? t.n - i : i / 2;

		msg[i] = (struct threads_msg){
			.id = i + 1, .refs = t.nrefs, .nrefs = 2
		};
		ref[t.nrefs++] = how == 2 && i % 2 == 1 ? t.n : to + 1;
		ref[t.nrefs++] = how == 2 && i % 2 == 1 ? 1 : to;
	}
	for (size_t i = 0; i < t.nrefs; i++)
		ref[i] += ref[i] == 0;
	test_whole(make(THREADS_REFERENCES, &b), t.n);
	buf_free(&b);
}

static void
test_msgid(void)
{
	static const struct {
		const char *in, *want;
	} ids[] = {
		/* clang-format off */
		{ "<a@b>", "a@b|" },
		{ "<a@b> <c@d>\r\n\t<e@f>", "a@b|c@d|e@f|" },
		{ "<\"a b\"@c> <\"x\\\"y\"@z>", "a b@c|x\"y@z|" },
		{ "<\"a\"@b>", "a@b|" },
		{ "<a @ b>", "a@b|" },
		{ "none here, x@y", "" },
		{ "<noat> <a@b>", "a@b|" },
		{ "<x <a@b>", "a@b|" },
		{ "<\"a <b@c>", "b@c|" },
		{ "by \"x <y\" of <\"b\"@c>", "b@c|" },
		{ "<@> <>", "" },
		{ "<a@b", "" },
		/* clang-format on */
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct span in = span_of(ids[i].in);
		struct buf b = { .max = 1000 };
		char id[100];
		size_t n;

		while ((n = threads_msgid(&in, id, sizeof(id))) > 0) {
			buf_put(&b, (struct span){ id, n });
			buf_putc(&b, '|');
		}
		check(strcmp(buf_cstr(&b), ids[i].want) == 0);
		if (strcmp(buf_cstr(&b), ids[i].want) != 0)
			printf("# %s: %s\n", ids[i].in, buf_cstr(&b));
		buf_free(&b);
	}
}

int
main(void)
{
	test_table();
	test_random();
	for (int how = 0; how < 3; how++)
		test_hostile(how);
	test_msgid();
	return done();
}
