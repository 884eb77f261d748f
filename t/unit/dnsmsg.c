/* dnsmsg: questions, answers, and what only looks like one */
#include "io/dnsmsg.h"

#include "test.h"

enum { ARENA = 1 << 18 };

/* An answer as the parts that follow the header. */
struct parts {
	unsigned flags, rcode, count;
	const char *p;
	size_t n;
};

#define Q(type) "\1a\4test\0\0" type "\0\1"
#define BYTES(s) s, sizeof(s) - 1
#define RR(type, len) "\0" type "\0\1\0\0\0\74\0" len

static size_t
build(char *to, const struct parts *a)
{
	const char head[12] = { 0x12, 0x34, (char)a->flags, (char)a->rcode, 0,
		1, 0, (char)a->count };

	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), a->p, a->n);
	return sizeof(head) + a->n;
}

static bool
parse(struct arena *a, const struct parts *p, enum dns_type type,
    struct dnsmsg *d)
{
	static char m[2048];
	size_t n = build(m, p);

	return dnsmsg_parse(
	    a, (struct span){ m, n }, 0x1234, SPAN("a.test"), type, d);
}

static const struct {
	struct parts parts;
	enum dns_type type;
	bool ours;
	enum dns_result result;
	const char *data; /* of the first record, or NULL */
	size_t n;
} cases[] = {
	/* clang-format off */
	{ { 0x81, 0, 1, BYTES(Q("\1") "\300\14" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, true, DNS_OK, BYTES("\177\0\0\1") },
	/* an address of another length is none */
	{ { 0x81, 0, 1, BYTES(Q("\1") "\300\14" RR("\1", "\3") "\177\0\0") },
	    DNS_A, true, DNS_NODATA, NULL, 0 },
	/* of another name */
	{ { 0x81, 0, 1, BYTES(Q("\1") "\1b\300\16" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, true, DNS_NODATA, NULL, 0 },
	{ { 0x81, 0, 0, BYTES(Q("\1")) }, DNS_A, true, DNS_NODATA, NULL, 0 },
	{ { 0x81, 3, 0, BYTES(Q("\1")) }, DNS_A, true, DNS_NXDOMAIN, NULL, 0 },
	{ { 0x81, 2, 0, BYTES(Q("\1")) }, DNS_A, true, DNS_TEMP, NULL, 0 },
	{ { 0x81, 5, 0, BYTES(Q("\1")) }, DNS_A, true, DNS_TEMP, NULL, 0 },
	/* a question, not an answer; another type; another name */
	{ { 0x01, 0, 0, BYTES(Q("\1")) }, DNS_A, false, DNS_TEMP, NULL, 0 },
	{ { 0x81, 0, 0, BYTES(Q("\17")) }, DNS_A, false, DNS_TEMP, NULL, 0 },
	{ { 0x81, 0, 0, BYTES("\1b\4test\0\0\1\0\1") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	/* the case of letters is nothing */
	{ { 0x81, 0, 0, BYTES("\1A\4TEST\0\0\1\0\1") },
	    DNS_A, true, DNS_NODATA, NULL, 0 },
	{ { 0x81, 0, 1, BYTES(Q("\17") "\300\14" RR("\17", "\7")
	    "\0\5\2mx\300\14") }, DNS_MX, true, DNS_OK, BYTES("mx.a.test") },
	{ { 0x81, 0, 1, BYTES(Q("\17") "\300\14" RR("\17", "\3") "\0\0\0") },
	    DNS_MX, true, DNS_OK, BYTES("") },
	/* a label with a dot, or a line end, in it */
	{ { 0x81, 0, 1, BYTES(Q("\17") "\300\14" RR("\17", "\7")
	    "\0\5\3a.b\0") }, DNS_MX, true, DNS_NODATA, NULL, 0 },
	{ { 0x81, 0, 1, BYTES(Q("\17") "\300\14" RR("\17", "\7")
	    "\0\5\3a\nb\0") }, DNS_MX, true, DNS_NODATA, NULL, 0 },
	{ { 0x81, 0, 1, BYTES(Q("\20") "\300\14" RR("\20", "\7")
	    "\2ab\0\2cd\0") }, DNS_TXT, true, DNS_OK, BYTES("abcd") },
	/* an alias, and what it leads to, in any order */
	{ { 0x81, 0, 2, BYTES(Q("\1")
	    "\300\14" RR("\5", "\4") "\1b\300\16"
	    "\1b\300\16" RR("\1", "\4") "\177\0\0\2") },
	    DNS_A, true, DNS_OK, BYTES("\177\0\0\2") },
	{ { 0x81, 0, 2, BYTES(Q("\1")
	    "\1b\300\16" RR("\1", "\4") "\177\0\0\2"
	    "\300\14" RR("\5", "\4") "\1b\300\16") },
	    DNS_A, true, DNS_OK, BYTES("\177\0\0\2") },
	/* pointers: at itself, forward, out of the message */
	{ { 0x81, 0, 1, BYTES(Q("\1") "\300\30" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	{ { 0x81, 0, 1, BYTES(Q("\1") "\300\40" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	{ { 0x81, 0, 1, BYTES(Q("\1") "\377\377" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	/* an alias whose name breaks off: longer than a name, in a label */
	{ { 0x81, 0, 1, BYTES(Q("\1") "\300\14" RR("\5", "\3") "\77bb") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	/* more records promised than there are; cut, by its own word */
	{ { 0x81, 0, 2, BYTES(Q("\1") "\300\14" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, false, DNS_TEMP, NULL, 0 },
	{ { 0x83, 0, 2, BYTES(Q("\1") "\300\14" RR("\1", "\4") "\177\0\0\1") },
	    DNS_A, true, DNS_TEMP, NULL, 0 },
	/* clang-format on */
};

static void
answers(struct arena *a)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena_mark mark = arena_mark(a);
		struct dnsmsg d;
		bool ours = parse(a, &cases[i].parts, cases[i].type, &d);

		if (ours != cases[i].ours ||
		    (ours && d.result != cases[i].result))
			printf("# case %zu\n", i);
		check(ours == cases[i].ours);
		if (ours)
			check(d.result == cases[i].result);
		if (ours && cases[i].data != NULL)
			check(d.answer.n > 0 &&
			    span_eq(d.answer.rr[0].data,
				(struct span){ cases[i].data, cases[i].n }));
		arena_release(a, mark);
	}
}

/* An alias without records is followed by asking again. */
static void
chain(struct arena *a)
{
	const struct parts p = { 0x81, 0, 1,
		BYTES(Q("\1") "\300\14" RR("\5", "\4") "\1b\300\16") };
	const struct parts loop = { 0x81, 0, 1,
		BYTES(Q("\1") "\300\14" RR("\5", "\2") "\300\14") };
	struct dnsmsg d;

	check(parse(a, &p, DNS_A, &d) && d.result == DNS_NODATA);
	check(span_is(d.cname, "b.test"));
	check(parse(a, &loop, DNS_A, &d) && d.result == DNS_TEMP);
}

/* Cut anywhere, or with any octet changed: no harm. */
static void
damage(struct arena *a)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char m[256], *copy;
		size_t n = build(m, &cases[i].parts);

		for (size_t k = 0; k < n; k++)
			for (unsigned v = 0; v < 256; v += 5) {
				struct arena_mark mark = arena_mark(a);
				struct dnsmsg d;
				bool r;

				/* its own memory: a sanitizer sees the end */
				copy = arena_alloc(a, n);
				memcpy(copy, m, n);
				copy[k] = (char)(copy[k] ^ (char)v);
				r = dnsmsg_parse(a,
				    (struct span){ copy, v == 0 ? k : n },
				    0x1234, SPAN("a.test"), cases[i].type, &d);
				if (r && d.result == DNS_OK && d.answer.n == 0)
					check(false);
				arena_release(a, mark);
			}
	}
}

static void
questions(void)
{
	unsigned char out[DNSMSG_QUERY_MAX];
	char name[300];
	size_t n = dnsmsg_query(out, 0x1234, SPAN("a.test."), DNS_MX);

	check(n == 12 + 8 + 4 + 11);
	check(out[0] == 0x12 && out[1] == 0x34 && out[5] == 1 && out[11] == 1);
	check(memcmp(out + 12, "\1a\4test\0\0\17\0\1\0\0\51", 15) == 0);
	check(dnsmsg_query(out, 1, SPAN(""), DNS_A) == 0);
	check(dnsmsg_query(out, 1, SPAN("."), DNS_A) == 0);
	check(dnsmsg_query(out, 1, SPAN("a..b"), DNS_A) == 0);
	check(dnsmsg_query(out, 1, SPAN("a\0b"), DNS_A) == 0);
	memset(name, 'a', sizeof(name));
	check(dnsmsg_query(out, 1, (struct span){ name, 63 }, DNS_A) > 0);
	check(dnsmsg_query(out, 1, (struct span){ name, 64 }, DNS_A) == 0);
	for (size_t i = 49; i < sizeof(name); i += 50)
		name[i] = '.';
	check(dnsmsg_query(out, 1, (struct span){ name, 253 }, DNS_A) > 0);
	check(dnsmsg_query(out, 1, (struct span){ name, 254 }, DNS_A) == 0);
}

int
main(void)
{
	struct arena a;

	arena_init(&a, ARENA);
	questions();
	answers(&a);
	chain(&a);
	damage(&a);
	arena_free(&a);
	return done();
}
