/* base: spans, buffers, numbers, encodings, dates, words. */
#include "base/arena.h"
#include "base/date.h"
#include "base/enc.h"
#include "base/num.h"
#include "base/words.h"
#include "test.h"

static void
spans(void)
{
	struct span s = SPAN("  one two ");

	check(span_is(span_word(&s), "one"));
	check(span_is(span_trim(s), "two"));
	check(span_find(SPAN("abcabd"), SPAN("abd")) == 3);
	check(span_find(SPAN("ab"), SPAN("abd")) == 2);
	check(span_ieq(SPAN("AbC"), SPAN("aBc")));
	check(span_is_8bit(SPAN("a\x80")) && span_is_8bit(SPAN("\xff")));
	check(!span_is_8bit(SPAN("a\0\x7f")) && !span_is_8bit(SPAN("")));
	check(span_cmp(SPAN("ab"), SPAN("abc")) < 0);
	s = SPAN("a:b:");
	check(span_is(span_cut(&s, ':'), "a"));
	check(span_is(span_cut(&s, ':'), "b") && s.n == 0);
	check(span_rchr(SPAN("a/b/c"), '/') == 3);
}

static void
bounded(void)
{
	struct buf b = { .max = 5 };

	check(buf_puts(&b, "abc") && buf_putc(&b, 'd'));
	check(!buf_puts(&b, "ef") && b.over && b.n == 4);
	check(!buf_printf(&b, "%s", "ef") && b.n == 4);
	buf_drop(&b, 3);
	check(span_is(buf_span(&b), "d") && buf_putu(&b, 1234));
	check(strcmp(buf_cstr(&b), "d1234") == 0);
	buf_clear(&b);
	check(!b.over && !buf_putu(&b, UINT64_MAX));
	buf_free(&b);
}

static void
numbers(void)
{
	uint32_t u;
	uint64_t v;

	check(num_u32(SPAN("4294967295"), &u) && u == UINT32_MAX);
	check(!num_u32(SPAN("4294967296"), &u));
	check(num_u64(SPAN("18446744073709551615"), &v) && v == UINT64_MAX);
	check(!num_u64(SPAN("18446744073709551616"), &v));
	check(!num_u32(SPAN(""), &u) && !num_u32(SPAN("-1"), &u));
	check(!num_u32(SPAN(" 1"), &u) && num_or(SPAN("7"), 6, 3) == 3);
}

static const struct {
	bool (*enc)(struct buf *, struct span);
	bool (*dec)(struct buf *, struct span);
	const char *plain, *coded;
} pairs[] = {
	/* clang-format off */
	{ enc_base64, dec_base64, "", "" },
	{ enc_base64, dec_base64, "f", "Zg==" },
	{ enc_base64, dec_base64, "fo", "Zm8=" },
	{ enc_base64, dec_base64, "foobar", "Zm9vYmFy" },
	{ enc_hex, dec_hex, "\x01\xff", "01ff" },
	{ enc_xtext, dec_xtext, "a+b=c d", "a+2Bb+3Dc+20d" },
	{ enc_pct, dec_pct, "a b%\x7f\t", "a%20b%25%7F%09" },
	/* clang-format on */
};

static void
encodings(void)
{
	struct buf b = { .max = 100 };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_clear(&b);
		check(pairs[i].enc(&b, span_of(pairs[i].plain)));
		check(span_is(buf_span(&b), pairs[i].coded));
		buf_clear(&b);
		check(pairs[i].dec(&b, span_of(pairs[i].coded)));
		check(span_is(buf_span(&b), pairs[i].plain));
	}
	check(
	    !dec_base64(&b, SPAN("Zg=")) && !dec_base64(&b, SPAN("Zg==Zg==")));
	check(!dec_base64(&b, SPAN("Z\ng=")) && !dec_hex(&b, SPAN("0g")));
	check(!dec_xtext(&b, SPAN("a b")) && !dec_xtext(&b, SPAN("+2")));
	check(!dec_pct(&b, SPAN("%zz")) && !dec_pct(&b, SPAN("a b")));
	buf_free(&b);
}

static void
dates(void)
{
	char text[DATE_RFC3339_SIZE];
	int64_t t;

	for (int64_t d = -1000000; d < 4000000; d += 997) {
		struct civil c = date_civil(d * 10007);

		check(date_valid(c) && date_unix(c) == d * 10007);
	}
	check(date_civil(0).weekday == 4);
	check(date_parse_rfc3339(SPAN("2026-11-22T22:44:31Z"), &t));
	check(strcmp(date_rfc3339(t, text), "2026-11-22T22:44:31Z") == 0);
	check(!date_parse_rfc3339(SPAN("2026-02-30T00:00:00Z"), &t));
	check(date_parse_rfc3339(SPAN("2024-02-29T00:00:00Z"), &t));
	check(!date_parse_rfc3339(SPAN("2026-11-22 22:44:31Z"), &t));
}

static void
words(void)
{
	struct arena a;
	char **v;

	arena_init(&a, 100000);
	v = words_split(&a, SPAN(" sh -c 'a  b' \"x\\\"\\y\" c\\ d '' "));
	check(v != NULL && strcmp(v[0], "sh") == 0);
	check(strcmp(v[2], "a  b") == 0 && strcmp(v[3], "x\"\\y") == 0);
	check(strcmp(v[4], "c d") == 0 && v[5][0] == '\0' && v[6] == NULL);
	check(words_split(&a, SPAN("a 'b")) == NULL);
	check(words_split(&a, SPAN("  ")) == NULL);
	check(words_split(&a, SPAN("a\\")) == NULL);
	arena_free(&a);
}

int
main(void)
{
	spans();
	bounded();
	numbers();
	encodings();
	dates();
	words();
	return done();
}
