/* store/mutf7: both ways, and what is refused. */
#include "store/mutf7.h"
#include "test.h"

static const struct {
	const char *utf8, *mutf7;
} good[] = {
	/* clang-format off */
	{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
	{ "A&B", "A&-B" },
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac"
	    "\xe8\xaa\x9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "\xf0\x9f\x93\xac", "&2D3c7A-" },
	{ "&\xc3\xa9&", "&-&AOk-&-" },
	{ "\xc2\xa3" "1", "&AKM-1" },
	{ "", "" },
	/* clang-format on */
};

static const char *const bad_mutf7[] = {
	"&",
	"&AP",
	"&AGE-",
	"&-&AOk-&",
	"&AOk-&AOk-",
	"a\x80",
	"&2D0-",
	"&3Kw-",
	"&APx-",
	"a\nb",
	"&A-",
	"&AOkA-",
	"&AO k-",
	"&AOk=-",
};

static const char *const bad_utf8[] = {
	"\x80",
	"\xc3",
	"\xc0\xaf",
	"\xed\xa0\x80",
	"\xf4\x90\x80\x80",
	"\xff",
	"\xe0\x80\x80",
	"a\xc3(",
};

int
main(void)
{
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		buf_clear(&b);
		check(mutf7_encode(&b, span_of(good[i].utf8)));
		check(span_is(buf_span(&b), good[i].mutf7));
		buf_clear(&b);
		check(mutf7_decode(&b, span_of(good[i].mutf7)));
		check(span_is(buf_span(&b), good[i].utf8));
	}
	for (size_t i = 0; i < sizeof(bad_mutf7) / sizeof(bad_mutf7[0]); i++) {
		buf_clear(&b);
		if (mutf7_decode(&b, span_of(bad_mutf7[i])))
			printf("# accepted: %s\n", bad_mutf7[i]);
		check(!mutf7_decode(&b, span_of(bad_mutf7[i])));
		check(b.n == 0);
	}
	for (size_t i = 0; i < sizeof(bad_utf8) / sizeof(bad_utf8[0]); i++) {
		buf_clear(&b);
		check(!mutf7_encode(&b, span_of(bad_utf8[i])));
	}
	buf_free(&b);
	return done();
}
