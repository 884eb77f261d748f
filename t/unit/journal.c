/* store/journal: records, cut and damaged anywhere. */
#include "store/journal.h"
#include "store/crc.h"
#include "store/le.h"
#include "test.h"

static size_t
count(struct span in, uint64_t seed)
{
	struct span body;
	size_t n = 0;
	char type;

	while (record_next(&in, seed, &type, &body))
		n++;
	return n;
}

static void
put(struct buf *b, enum record_type type, const char *text)
{
	size_t at = record_begin(b, type);

	buf_puts(b, text);
	record_end(b, at, 7);
}

static void
test_records(void)
{
	struct buf b;
	size_t ends[3];

	buf_init(&b, 1000);
	put(&b, RECORD_NEW, "one");
	ends[0] = b.n;
	put(&b, RECORD_GONE, "");
	ends[1] = b.n;
	put(&b, RECORD_KEYWORD, "three");
	ends[2] = b.n;
	check(count(buf_span(&b), 7) == 3);
	check(count(buf_span(&b), 8) == 0);
	for (size_t n = 0; n <= b.n; n++)
		check(count((struct span){ b.p, n }, 7) ==
		    (size_t)((n >= ends[0]) + (n >= ends[1]) + (n >= ends[2])));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x20;
		check(count(buf_span(&b), 7) ==
		    (size_t)((i >= ends[0]) + (i >= ends[1])));
		b.p[i] ^= 0x20;
	}
	buf_free(&b);
}

static void
test_header(void)
{
	struct buf b;
	uint64_t gen;
	uint32_t validity;

	buf_init(&b, 1000);
	journal_put_header(&b, 0x123456789a, 42);
	check(b.n == JOURNAL_HEADER);
	check(journal_header(buf_span(&b), &gen, &validity) == FORMAT_OK);
	check(gen == 0x123456789a && validity == 42);
	check(journal_header((struct span){ b.p, b.n - 1 }, &gen, &validity) ==
	    FORMAT_BAD);
	b.p[20] ^= 1;
	check(journal_header(buf_span(&b), &gen, &validity) == FORMAT_BAD);
	b.p[13] = '2';
	check(journal_header(buf_span(&b), &gen, &validity) == FORMAT_NEWER);
	check(format_of(SPAN("pneu-x 1"), "x") == FORMAT_OK);
	check(format_of(SPAN("pneu-x 0\n"), "x") == FORMAT_BAD);
	check(format_of(SPAN("pneu-x 12\n"), "x") == FORMAT_NEWER);
	check(format_of(SPAN("pneu-y 1\n"), "x") == FORMAT_BAD);
	check(format_of(SPAN(""), "x") == FORMAT_BAD);
	buf_free(&b);
}

int
main(void)
{
	char t[8];

	check(crc32_add(0, SPAN("123456789")) == 0xcbf43926u);
	check(crc32_add(crc32_add(0, SPAN("1234")), SPAN("56789")) ==
	    0xcbf43926u);
	le_set(t, 8, 0x0102030405060708);
	check(t[0] == 8 && t[7] == 1 && le_get(t, 3) == 0x060708);
	test_records();
	test_header();
	return done();
}
