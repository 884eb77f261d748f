/* smtp/milter: the packets of both sides, however they are cut. */
#include "smtp/milter.h"

#include <string.h>

#include "test.h"

/* A string literal with its NULs, as a packet of the milter's. */
#define P(lit) lit, sizeof(lit) - 1

static struct milter m;
static char log_text[4096];

static struct span
macro(void *arg, struct span name)
{
	(void)arg;
	if (span_is(name, "i"))
		return SPAN("id1");
	if (span_is(name, "j"))
		return SPAN("host");
	if (span_is(name, "client_name"))
		return SPAN("cl\0x");
	return (struct span){ NULL, 0 };
}

static void
start(void)
{
	static const struct milter_conf conf = { .macro = macro };

	milter_free(&m);
	milter_init(&m, &conf);
	log_text[0] = '\0';
}

static size_t
packet(char *to, const char *p, size_t n)
{
	for (size_t i = 0; i < 4; i++)
		to[i] = (char)(n >> (24 - 8 * i) & 0xff);
	memcpy(to + 4, p, n);
	return n + 4;
}

static void
note(enum milter_event e)
{
	static const char *const names[] = { "more", "broken", "ready",
		"continue", "accept", "reject", "tempfail", "reply", "discard",
		"skip", "close", "progress", "add", "insert", "change", "rcpt+",
		"rcpt-", "sender", "body", "quarantine" };
	size_t n = strlen(log_text);
	char *at = log_text + n;
	size_t room = sizeof(log_text) - n;

	switch (e) {
	case MILTER_REPLY:
		snprintf(at, room, "reply %d %.*s|", m.code, (int)m.text.n,
		    m.text.p == NULL ? "" : m.text.p);
		break;
	case MILTER_ADD_FIELD:
		snprintf(at, room, "add %.*s:%.*s|", (int)m.name.n, m.name.p,
		    (int)m.value.n, m.value.p);
		break;
	case MILTER_INSERT_FIELD:
	case MILTER_CHANGE_FIELD:
		snprintf(at, room, "%s %u %.*s:%.*s|", names[e], m.index,
		    (int)m.name.n, m.name.p, (int)m.value.n, m.value.p);
		break;
	case MILTER_ADD_RCPT:
	case MILTER_SENDER:
		snprintf(at, room, "%s %.*s (%.*s)|", names[e], (int)m.value.n,
		    m.value.p, (int)m.args.n, m.args.p);
		break;
	case MILTER_DELETE_RCPT:
	case MILTER_BODY:
	case MILTER_QUARANTINE:
		snprintf(
		    at, room, "%s %.*s|", names[e], (int)m.value.n, m.value.p);
		break;
	case MILTER_MORE:
	case MILTER_BROKEN:
	case MILTER_READY:
	case MILTER_CONTINUE:
	case MILTER_ACCEPT:
	case MILTER_REJECT:
	case MILTER_TEMPFAIL:
	case MILTER_DISCARD:
	case MILTER_SKIP:
	case MILTER_CLOSE:
	case MILTER_PROGRESS:
		snprintf(at, room, "%s|", names[e]);
		break;
	}
}

/* Feed bytes, `step` at a time, and note the events. */
static void
feed(const char *p, size_t n, size_t step)
{
	while (n > 0) {
		struct span in = { p, n < step ? n : step };
		enum milter_event e;

		p += in.n;
		n -= in.n;
		while ((e = milter_next(&m, &in)) != MILTER_MORE) {
			note(e);
			if (e == MILTER_BROKEN)
				return;
		}
	}
}

static void
agree(uint32_t version, uint32_t actions, uint32_t steps)
{
	char p[64] = "O", q[64];
	uint32_t v[3] = { version, actions, steps };

	for (size_t i = 0; i < 12; i++)
		p[1 + i] = (char)(v[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
	milter_open(&m);
	buf_clear(&m.out);
	feed(q, packet(q, p, 13), 64);
	log_text[0] = '\0';
}

enum ask { CONNECT, RCPT, BODY, END, NOTHING };

static void
ask(enum ask what)
{
	switch (what) {
	case CONNECT:
		check(milter_connect(&m, SPAN("a"), SPAN(""), 0));
		break;
	case RCPT:
		check(milter_rcpt(&m, SPAN("a@b"), SPAN("")));
		break;
	case BODY:
		check(milter_body(&m, SPAN("text")));
		break;
	case END:
		check(milter_end(&m));
		break;
	case NOTHING:
		break;
	}
}

static const struct {
	enum ask asked;
	const char *p;
	size_t n;
	const char *want;
} answers[] = {
	/* clang-format off */
	{ CONNECT, P("c"), "continue|" },
	{ CONNECT, P("a"), "accept|" },
	{ CONNECT, P("d"), "broken|" },
	{ CONNECT, P("s"), "broken|" },
	{ CONNECT, P("p"), "progress|" },
	{ CONNECT, P("O\0\0\0\6\0\0\0\0\0\0\0\0"), "broken|" },
	{ CONNECT, P("hA\0b"), "broken|" },
	{ CONNECT, P("f"), "close|" },
	{ CONNECT, P("4"), "close|" },
	{ CONNECT, P("Z"), "broken|" },
	{ NOTHING, P("c"), "broken|" },
	{ NOTHING, P("p"), "broken|" },
	{ RCPT, P("r"), "reject|" },
	{ RCPT, P("t"), "tempfail|" },
	{ RCPT, P("d"), "discard|" },
	{ RCPT, P("y550 5.1.1 no\0"), "reply 550 5.1.1 no|" },
	{ RCPT, P("y550 5.1.1 no"), "reply 550 5.1.1 no|" },
	{ RCPT, P("y550 no such\0"), "reply 550 5.7.1 no such|" },
	{ RCPT, P("y451-4.7.0 a\r\n451 4.7.0 b\0"),
	    "reply 451 4.7.0 a\n4.7.0 b|" },
	{ RCPT, P("y550-a\n550 5.0.0 b\0"), "reply 550 5.7.1 a\n5.0.0 b|" },
	{ RCPT, P("y550 100%% sure\0"), "reply 550 5.7.1 100% sure|" },
	{ RCPT, P("y550 5.7.1 a\001b\0"), "reply 550 |" },
	{ RCPT, P("y550 4.7.1 a\0"), "reply 550 |" },
	{ RCPT, P("y550-5.7.1 a\r\n551 5.7.1 b\0"), "reply 550 |" },
	{ RCPT, P("y421 4.7.1 go\0"), "reply 421 4.7.1 go|" },
	{ RCPT, P("y550\0"), "reply 550 |" },
	{ RCPT, P("y250 fine\0"), "broken|" },
	{ RCPT, P("y5x0 no\0"), "broken|" },
	{ RCPT, P("y55"), "broken|" },
	{ RCPT, P("y550 a\0b"), "broken|" },
	{ BODY, P("s"), "skip|" },
	{ END, P("s"), "broken|" },
	{ END, P("hX-A\0b\0"), "add X-A: b|" },
	{ END, P("hX-A\0\0"), "add X-A:|" },
	{ END, P("hX-A"), "broken|" },
	{ END, P("hX A\0b\0"), "broken|" },
	{ END, P("h\0b\0"), "broken|" },
	{ END, P("hX-A\0b\0c\0"), "broken|" },
	{ END, P("i\0\0\1\2X-A\0b\0"), "insert 258 X-A: b|" },
	{ END, P("i\0\0\1"), "broken|" },
	{ END, P("m\0\0\0\1X-A\0b\0"), "change 1 X-A: b|" },
	{ END, P("m\0\0\0\1X-A\0\0"), "change 1 X-A:|" },
	{ END, P("+<a@b>\0"), "rcpt+ <a@b> ()|" },
	{ END, P("2<a@b>\0NOTIFY=NEVER\0"), "rcpt+ <a@b> (NOTIFY=NEVER)|" },
	{ END, P("2<a@b>\0"), "rcpt+ <a@b> ()|" },
	{ END, P("-<a@b>\0"), "rcpt- <a@b>|" },
	{ END, P("e<a@b>\0A=b c\0"), "sender <a@b> (A=b c)|" },
	{ END, P("e<a@b>\0"), "sender <a@b> ()|" },
	{ END, P("e<a@b>\0b\0c\0"), "broken|" },
	{ END, P("bnew body"), "body new body|" },
	{ END, P("qlooked at\0"), "quarantine looked at|" },
	/* clang-format on */
};

static void
answering(void)
{
	char bytes[256];

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		for (size_t step = 1; step <= 8; step++) {
			size_t n = packet(bytes, answers[i].p, answers[i].n);

			start();
			agree(6, 0x1ff, 0);
			ask(answers[i].asked);
			feed(bytes, n, step);
			if (strcmp(log_text, answers[i].want) != 0)
				printf("# %zu: %s\n", i, log_text);
			check(strcmp(log_text, answers[i].want) == 0);
		}
}

/* Many in one: changes, then the end; what follows is out of place. */
static void
sequence(void)
{
	char bytes[512];

	for (size_t step = 1; step <= sizeof(bytes); step += 3) {
		size_t n = packet(bytes, P("p"));

		n += packet(bytes + n, P("i\0\0\0\0A\0\tx\0"));
		n += packet(bytes + n, P("bone"));
		n += packet(bytes + n, P("btwo"));
		n += packet(bytes + n, P("c"));
		start();
		agree(6, 0x1ff, 0x100000);
		ask(END);
		feed(bytes, n, step);
		check(strcmp(log_text,
			  "progress|insert 0 A:\tx|body one|body two|"
			  "continue|") == 0);
		n = packet(bytes, P("c"));
		feed(bytes, n, step);
		check(strstr(log_text, "continue|broken|") != NULL);
		feed(bytes, n, step);
		check(strstr(log_text, "broken|broken|") != NULL);
	}
}

static void
lengths(void)
{
	static const char *const bad[] = { "\0\0\0\0c", "\xff\xff\xff\xff",
		"\0\1\0\1b" };
	static const size_t n[] = { 5, 5, 5 };
	static char big[5 + LIMIT_MILTER_PACKET] = { '\0', '\1', '\0', '\0',
		'b' };

	for (size_t i = 0; i < 3; i++) {
		start();
		agree(6, 0x1ff, 0);
		ask(END);
		feed(bad[i], n[i], 1 + i);
		check(strcmp(log_text, "broken|") == 0);
	}
	start();
	agree(6, 0x1ff, 0);
	ask(END);
	memset(big + 5, 'x', LIMIT_MILTER_PACKET);
	feed(big, 4 + LIMIT_MILTER_PACKET, 1000);
	check(m.value.n == MILTER_CHUNK && m.value.p[MILTER_CHUNK - 1] == 'x');
}

/* What was not agreed is not taken. */
static void
actions(void)
{
	static const char *const tries[] = { "hA\0b", "bx", "+<a@b>", "-<a@b>",
		"m\0\0\0\1A\0b", "qx", "e<a@b>", "2<a@b>" };
	static const size_t n[] = { 4, 2, 6, 6, 8, 2, 6, 6 };
	char bytes[32];

	for (uint32_t i = 0; i < 8; i++) {
		size_t len = packet(bytes, tries[i], n[i]);

		start();
		agree(6, 0x1ffU & ~(1U << i), 0);
		ask(END);
		feed(bytes, len, 32);
		check(strcmp(log_text, "broken|") == 0);
		start();
		agree(6, 1U << i, 0);
		ask(END);
		feed(bytes, len, 32);
		check(
		    log_text[0] != '\0' && strstr(log_text, "broken") == NULL);
	}
}

static const struct {
	const char *p;
	size_t n;
	bool ready;
} options[] = {
	/* clang-format off */
	{ P("O\0\0\0\6\0\0\1\xff\0\x1f\xf7\xff"), true },
	{ P("O\0\0\0\2\0\0\0\x3f\0\0\0\x7f"), true },
	{ P("O\0\0\0\7\0\0\0\0\0\0\0\0"), false },
	{ P("O\0\0\0\1\0\0\0\0\0\0\0\0"), false },
	{ P("O\0\0\0\6\0\0\2\0\0\0\0\0"), false },
	{ P("O\0\0\0\6\0\0\0\0\0\0\x08\0"), false },
	{ P("O\0\0\0\6\0\0\0\0\0\0\0"), false },
	{ P("O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\5i {x}\0"), true },
	{ P("O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\7i\0"), false },
	{ P("O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\5i"), false },
	{ P("O\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\5i\0"), false },
	{ P("c"), false },
	/* clang-format on */
};

static void
agreeing(void)
{
	char bytes[64];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		for (size_t step = 1; step <= 20; step++) {
			size_t n = packet(bytes, options[i].p, options[i].n);

			start();
			milter_open(&m);
			feed(bytes, n, step);
			check(
			    strcmp(log_text,
				options[i].ready ? "ready|" : "broken|") == 0);
		}
	start();
	milter_open(&m);
	check(span_eq(buf_span(&m.out),
	    SPAN("\0\0\0\15O\0\0\0\6\0\0\1\xff\0\x1f\xf7\xff")));
}

/* What was put, and nothing else. */
static bool
put(const char *p, size_t n)
{
	bool same = span_eq(buf_span(&m.out), (struct span){ p, n });

	buf_clear(&m.out);
	return same;
}

static void
steps(void)
{
	start();
	agree(6, 0, 0);
	check(milter_connect(&m, SPAN("h"), SPAN("192.0.2.1"), 0x1234));
	check(put(P("\0\0\0\34DCj\0host\0{client_name}\0cl?x\0"
		    "\0\0\0\20Ch\0004\x12\x34"
		    "192.0.2.1\0")));
	check(milter_connect(&m, SPAN("h"), SPAN("::1"), 25));
	m.out.n = 0;
	check(milter_helo(&m, SPAN("a")) && put(P("\0\0\0\3Ha\0")));
	check(milter_mail(&m, SPAN("a@b"), SPAN("SIZE=1 X")));
	check(put(P("\0\0\0\10DMi\0id1\0\0\0\0\20M<a@b>\0SIZE=1\0X\0")));
	check(milter_field(&m, SPAN("A"), SPAN("  b\r\n\tc\0d")));
	check(put(P("\0\0\0\13LA\0 b\n\tc?d\0")));
	check(milter_body(&m, SPAN("x\r\n")) && put(P("\0\0\0\4Bx\r\n")));
	milter_abort(&m);
	check(put(P("\0\0\0\1A")));
	check(milter_quit_nc(&m) && put(P("\0\0\0\1K")));
	milter_quit(&m);
	check(put(P("\0\0\0\1Q")));
}

/* Steps that are not wanted, and those that are not answered. */
static void
silent(void)
{
	start();
	agree(6, 0, 0x37f);
	check(!milter_connect(&m, SPAN("a"), SPAN(""), 0));
	check(!milter_helo(&m, SPAN("a")));
	check(!milter_mail(&m, SPAN("a"), SPAN("")));
	check(!milter_rcpt(&m, SPAN("a"), SPAN("")));
	check(!milter_data(&m) && !milter_unknown(&m, SPAN("a")));
	check(!milter_field(&m, SPAN("a"), SPAN("")) && !milter_eoh(&m));
	check(!milter_body(&m, SPAN("a")) && !milter_wants_body(&m));
	check(m.out.n == 0);
	start();
	agree(6, 0, 0x1ff080);
	check(!milter_data(&m) && put(P("\0\0\0\10DTi\0id1\0\0\0\0\1T")));
	check(!milter_field(&m, SPAN("a"), SPAN(" b")));
	check(put(P("\0\0\0\6La\0 b\0")));
	check(!milter_body(&m, SPAN("a")) && milter_wants_body(&m));
	feed(P("\0\0\0\1c"), 2);
	check(strcmp(log_text, "broken|") == 0);
	start();
	agree(2, 0, 0); /* it knows of no DATA, nor QUIT_NC */
	check(!milter_data(&m) && !milter_unknown(&m, SPAN("a")));
	check(!milter_quit_nc(&m) && m.out.n == 0);
}

/* A milter's own lists of macros; and fields that are too long. */
static void
lists(void)
{
	static char big[LIMIT_HEADER_FIELD + 100];
	char bytes[64];
	size_t n = packet(bytes,
	    P("O\0\0\0\6\0\0\1\0\0\0\0\0\0\0\0\5{j},x {client_name}\0"
	      "\0\0\0\2\0"));

	start();
	milter_open(&m);
	feed(bytes, n, 3);
	check(strcmp(log_text, "ready|") == 0);
	buf_clear(&m.out);
	check(milter_end(&m));
	check(put(P("\0\0\0\36DE{j}\0host\0{client_name}\0cl?x\0"
		    "\0\0\0\1E")));
	check(milter_mail(&m, SPAN("a@b"), SPAN("")));
	check(put(P("\0\0\0\7M<a@b>\0")));
	memset(big, 'x', sizeof(big));
	check(milter_field(&m, SPAN("A"), (struct span){ big, sizeof(big) }));
	check(m.out.n == 5 + MILTER_CHUNK && m.out.p[m.out.n - 1] == '\0');
}

int
main(void)
{
	answering();
	sequence();
	lengths();
	actions();
	agreeing();
	steps();
	silent();
	lists();
	return done();
}
