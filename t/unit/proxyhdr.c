/* io/proxyhdr: who a proxy speaks for, and where its header ends. */
#include "io/proxyhdr.h"

#include <string.h>

#include "test.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\0\2\1\xc6\x33\x64\2\x30\x39\0\x19"
#define V6(last) "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0" last

static char unix_header[16 + 216] = SIG "\x21\x31\0\xd8";

static const struct {
	struct span in;
	enum proxyhdr_result want;
	const char *ip, *local;
	unsigned port, local_port;
} cases[] = {
	/* clang-format off */
	{ TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 12345 25\r\n"),
	    PROXYHDR_PEER, "192.0.2.1", "198.51.100.2", 12345, 25 },
	{ TEXT("PROXY TCP6 2001:DB8::1 2001:db8:0:0:0:0:0:2 0 65535\r\n"),
	    PROXYHDR_PEER, "2001:db8::1", "2001:db8::2", 0, 65535 },
	{ TEXT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n"),
	    PROXYHDR_PEER, "192.0.2.1", "192.0.2.2", 1, 2 },
	{ TEXT("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    PROXYHDR_PEER, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535, 65535 },
	{ TEXT("PROXY UNKNOWN\r\n"), PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT("PROXY UNKNOWN what ever this is\r\n"),
	    PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT(SIG "\x20\0\0\0"), PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT(SIG "\x20\xff\0\3abc"), PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT(SIG "\x21\0\0\0"), PROXYHDR_LOCAL, "", "", 0, 0 },
	{ TEXT(SIG "\x21\x11\0\xc" V4),
	    PROXYHDR_PEER, "192.0.2.1", "198.51.100.2", 12345, 25 },
	{ TEXT(SIG "\x21\x21\0\x24" V6("\1") V6("\2") "\0\1\xff\xff"),
	    PROXYHDR_PEER, "2001:db8::1", "2001:db8::2", 1, 65535 },
	/* a padding, and a server name */
	{ TEXT(SIG "\x21\x11\0\x16" V4 "\4\0\0\2\0\4a.de"),
	    PROXYHDR_PEER, "192.0.2.1", "198.51.100.2", 12345, 25 },
	/* the checksum, in front of another */
	{ TEXT(SIG "\x21\x11\0\x17" V4 "\3\0\4\xd9\xac\xf3\x3b\4\0\1x"),
	    PROXYHDR_PEER, "192.0.2.1", "198.51.100.2", 12345, 25 },
	/* clang-format on */
};

static const struct span bad[] = {
	TEXT("x"),
	TEXT("PROXX"),
	TEXT("proxy "),
	TEXT("EHLO a\r\n"),
	TEXT("PROXY \r\n"),
	TEXT("PROXY\r"),
	TEXT("PROXY TCP4\r\n"),
	TEXT("PROXY TCP4 192.0.2.1\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
	TEXT("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
	TEXT("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"),
	TEXT("PROXY TCP4 localhost 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n"),
	TEXT("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
	TEXT("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
	TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx"),
	TEXT("PROXY UNKNOWN\r\r"),
	TEXT("PROXY UNKNOWNX\r\n"),
	TEXT("\r\n\r\n\0\r\nQUIT\r"),
	TEXT("\r\n\r\n\1"),
	TEXT(SIG "\x22\0\0\0"),
	TEXT(SIG "\x11\0\0\0"),
	TEXT(SIG "\x21\0\xff\xff"),
	TEXT(SIG "\x20\0\x10\1"),
	TEXT(SIG "\x21\x12\0\xc" V4),
	TEXT(SIG "\x21\x41\0\xc" V4),
	TEXT(SIG "\x21\x11\0\xb" V4),
	TEXT(SIG "\x21\x21\0\xc" V4),
	TEXT(SIG "\x21\x31\0\xc" V4),
	TEXT(SIG "\x21\x11\0\xd" V4 "\4"),
	TEXT(SIG "\x21\x11\0\xf" V4 "\4\0\1"),
	TEXT(SIG "\x21\x11\0\x13" V4 "\3\0\4abcd"),
	TEXT(SIG "\x21\x11\0\x12" V4 "\3\0\3abc"),
};

/* Feed step bytes at a time, with more behind the header. */
static enum proxyhdr_result
feed(struct proxyhdr *h, struct span in, size_t step, size_t *used)
{
	enum proxyhdr_result r = PROXYHDR_MORE;
	size_t at = 0;

	*h = (struct proxyhdr){ .n = 0 };
	while (r == PROXYHDR_MORE && at < in.n) {
		size_t n = in.n - at < step ? in.n - at : step;
		struct span piece = { in.p + at, n };

		r = proxyhdr_next(h, &piece);
		at += n - piece.n;
	}
	*used = at;
	return r;
}

static void
test_case(size_t i, size_t step)
{
	char room[512];
	struct proxyhdr h;
	struct span in = cases[i].in, cut = in;
	size_t used;

	memcpy(room, in.p, in.n);
	memcpy(room + in.n, "EHLO\r\n", 6);
	check(feed(&h, (struct span){ room, in.n + 6 }, step, &used) ==
	    cases[i].want);
	check(used == in.n);
	check(strcmp(h.ip, cases[i].ip) == 0);
	check(strcmp(h.local_ip, cases[i].local) == 0);
	check(h.port == cases[i].port && h.local_port == cases[i].local_port);
	for (cut.n = 0; cut.n < in.n; cut.n++)
		check(feed(&h, cut, step, &used) == PROXYHDR_MORE);
}

static void
test_long(void)
{
	char room[256];
	struct proxyhdr h;
	size_t used;

	memset(room, 'x', sizeof(room));
	memcpy(room, "PROXY UNKNOWN ", 14);
	check(feed(&h, (struct span){ room, sizeof(room) }, 1, &used) ==
	    PROXYHDR_BAD);
	check(used == 107);
	memcpy(room + 105, "\r\n", 2);
	check(feed(&h, (struct span){ room, sizeof(room) }, 1, &used) ==
	    PROXYHDR_LOCAL);
	check(used == 107);
	check(feed(&h, (struct span){ unix_header, sizeof(unix_header) }, 7,
		  &used) == PROXYHDR_LOCAL);
}

int
main(void)
{
	struct proxyhdr h;
	size_t used;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t step = 1; step <= 24; step++)
			test_case(i, step);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		for (size_t step = 1; step <= 24; step++)
			check(feed(&h, bad[i], step, &used) == PROXYHDR_BAD);
	test_long();
	return done();
}
