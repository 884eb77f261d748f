/* deflate: what goes in comes out, however it is cut. */
#include "io/deflate.h"

#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "test.h"

static char text[200000], packed[250000], back[250000];

static size_t
pack(enum deflate_format f, struct span s, size_t step, enum deflate_flush end)
{
	struct deflate *d = deflate_open(f);
	size_t n, at = 0;

	do {
		struct span in = span_take(&s, s.n < step ? s.n : step);
		enum deflate_flush how = s.n > 0 ? DEFLATE_MORE : end;

		do {
			n = deflate_run(d, &in, how, packed + at, 1000);
			at += n;
		} while (n == 1000 || in.n > 0);
	} while (s.n > 0);
	deflate_close(d);
	return at;
}

/* Its length, or -1. */
static ssize_t
unpack(enum deflate_format f, struct span s, size_t step, size_t room)
{
	struct inflate *i = inflate_open(f);
	size_t at = 0;
	ssize_t n = 0;

	while (s.n > 0 && n != -1) {
		struct span in = span_take(&s, s.n < step ? s.n : step);

		do {
			n = inflate_run(i, &in, back + at, room);
			at += n > 0 ? (size_t)n : 0;
		} while (n > 0 || (n == 0 && in.n > 0 && !inflate_ended(i)));
		if (inflate_ended(i) && f == DEFLATE_RAW)
			break;
	}
	inflate_close(i);
	return n == -1 ? -1 : (ssize_t)at;
}

static void
test_round(void)
{
	static const size_t steps[] = { 1, 7, 1000, sizeof(packed) };

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] =
		    (char)("abcdefgh ij\n"[i * i % 11 % 12] + (i % 977 == 0));
	for (size_t k = 0; k < 4; k++)
		for (int f = DEFLATE_RAW; f <= DEFLATE_GZIP; f++) {
			struct span all = { text, sizeof(text) }, p;

			p.p = packed;
			p.n = pack(f, all, steps[k], DEFLATE_END);
			check(p.n < sizeof(text) / 4);
			check(unpack(f, p, steps[3 - k], 1 + k * 999) ==
			    (ssize_t)sizeof(text));
			check(memcmp(back, text, sizeof(text)) == 0);
			p.n = pack(f, all, steps[k], DEFLATE_FLUSH);
			check(unpack(f, p, steps[k], 4096) ==
			    (ssize_t)sizeof(text));
		}
	check(unpack(DEFLATE_RAW, SPAN("\xff\xff\xff"), 1, 10) == -1);
	check(unpack(DEFLATE_GZIP, SPAN("\x1f\x8b\x08X\xff\xff\xff"), 1, 10) ==
	    -1);
}

/* gzip -c a b: one file */
static void
test_members(void)
{
	static char two[1000];
	size_t a = pack(DEFLATE_GZIP, SPAN("one\n"), 9, DEFLATE_END), b;

	memcpy(two, packed, a);
	b = pack(DEFLATE_GZIP, SPAN("two\n"), 9, DEFLATE_END);
	memcpy(two + a, packed, b);
	for (size_t step = 1; step < a + b; step++) {
		check(unpack(DEFLATE_GZIP, (struct span){ two, a + b }, step,
			  100) == 8);
		check(memcmp(back, "one\ntwo\n", 8) == 0);
	}
}

static void
test_bomb(void)
{
	struct deflate *d = deflate_open(DEFLATE_RAW);
	struct inflate *i = inflate_open(DEFLATE_RAW);
	uint64_t total = 0;
	ssize_t r = 0;

	memset(text, 0, sizeof(text));
	while (r != -1 && total < (uint64_t)LIMIT_INFLATE_FREE * 4) {
		struct span in = { text, sizeof(text) }, p = { packed, 0 };

		p.n =
		    deflate_run(d, &in, DEFLATE_FLUSH, packed, sizeof(packed));
		while ((r = inflate_run(i, &p, back, sizeof(back))) > 0)
			total += (uint64_t)r;
	}
	check(r == -1 && errno == E2BIG);
	check(total >= LIMIT_INFLATE_FREE - 2 * sizeof(back));
	deflate_close(d);
	inflate_close(i);
}

/* Both ends of a connection, which was in use before. */
static void
test_connection(void)
{
	static char ibuf[64], obuf[64];
	struct deflate *d = deflate_open(DEFLATE_RAW);
	struct inflate *u = inflate_open(DEFLATE_RAW);
	struct span s = SPAN("a line\n");
	struct in in;
	struct out out;
	int to[2], from[2];
	size_t n;

	check(pipe(to) == 0 && pipe(from) == 0);
	in_init(&in, to[0], ibuf, sizeof(ibuf));
	out_init(&out, from[1], obuf, sizeof(obuf));
	n = deflate_run(d, &s, DEFLATE_FLUSH, packed, sizeof(packed));
	check(write(to[1], packed, 3) == 3 && in_fill(&in) == IN_DATA);
	deflate_connection(&in, &out);
	check(in.data.n == 0 && in_ready(&in) && !out_pending(&out));
	for (size_t i = 3; i < n; i++)
		check(write(to[1], packed + i, 1) == 1 &&
		    in_fill(&in) == IN_DATA);
	while (in_ready(&in))
		check(in_fill(&in) == IN_DATA);
	check(span_is(in.data, "a line\n"));
	for (int i = 0; i < 100; i++)
		out_puts(&out, "out of here ");
	check(out_pending(&out) && out_flush(&out) == 0 && !out_pending(&out));
	n = (size_t)read(from[0], packed, sizeof(packed));
	check(n < 100);
	check(out_flush(&out) == 0);
	s = (struct span){ packed, n };
	check(inflate_run(u, &s, back, sizeof(back)) == 1200 && s.n == 0);
	check(memcmp(back + 1188, "out of here ", 12) == 0);
	close(to[1]);
	check(in_fill(&in) == IN_EOF);
	deflate_close(d);
	inflate_close(u);
}

int
main(void)
{
	test_round();
	test_members();
	test_bomb();
	test_connection();
	return done();
}
