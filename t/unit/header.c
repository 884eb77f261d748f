/* mail/header: one field at a time, however the input is cut. */
#include "mail/header.h"
#include "test.h"

static const struct {
	const char *in;
	const char *want; /* name=body| for each, then the rest */
} cases[] = {
	/* clang-format off */
	{ "A: b\n\nbody\n",             "A= b|#body\n" },
	{ "A: b\n c\nD:e\n\n",          "A= b\n c|D=e|#" },
	{ "A: b\r\n\r\nbody",           "A= b|#body" },
	{ "no field\nA:\n\n",           "=no field|A=|#" },
	{ "\nbody",                     "#body" },
	{ "A: b",                       "A= b|#" },
	{ "",                           "#" },
	{ "A b: c\n\n",                 "=A b: c|#" },
	{ "A : c\n\n",                  "A= c|#" },
	{ "LongField: 0123456789abcdef0123456789\nB: c\n\n",
	  "LongField= 0123456789abcdef01234|B= c|#" },
	/* clang-format on */
};

static void
put_field(struct buf *got, const struct header *h)
{
	buf_put(got, h->name);
	buf_putc(got, '=');
	buf_put(got, h->body);
	buf_putc(got, '|');
}

static void
run(const char *text, const char *want, size_t step)
{
	struct buf got = { .max = 1000 };
	struct span all = span_of(text), in = { all.p, 0 };
	enum header_event e = HEADER_MORE;
	struct header h;

	header_init(&h, 32);
	while (e != HEADER_END) {
		e = header_next(&h, &in);
		if (e == HEADER_MORE && in.p + in.n == all.p + all.n)
			e = header_eof(&h);
		else if (e == HEADER_MORE)
			in.n = all.n - (size_t)(in.p - all.p) < step
			    ? all.n - (size_t)(in.p - all.p)
			    : step;
		if (e == HEADER_FIELD)
			put_field(&got, &h);
	}
	buf_putc(&got, '#');
	buf_put(&got, (struct span){ in.p, all.n - (size_t)(in.p - all.p) });
	check(span_is(buf_span(&got), want));
	buf_free(&got);
	header_free(&h);
}

static const struct {
	const char *in;
	const char *want; /* NULL: no date */
	int zone;
} dates[] = {
	/* clang-format off */
	{ "Sun, 22 Nov 2026 22:44:31 +0000", "Sun, 22 Nov 2026 22:44:31 +0000", 0 },
	{ "22 Nov 2026 22:44 -0130",         "Mon, 23 Nov 2026 00:14:00 +0000", -90 },
	{ "Sun, 22 Nov 26 22:44:31 EST",     "Mon, 23 Nov 2026 03:44:31 +0000", -300 },
	{ "22 Nov (a (b)) 96 1:02:03 GMT",   "Fri, 22 Nov 1996 01:02:03 +0000", 0 },
	{ "22-Nov-2026 01:02:03 +0200",      "Sat, 21 Nov 2026 23:02:03 +0000", 120 },
	{ "31 Feb 2026 01:02:03 +0000",      NULL, 0 },
	{ "yesterday",                       NULL, 0 },
	{ "",                                NULL, 0 },
	/* clang-format on */
};

int
main(void)
{
	char text[HEADER_DATE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++)
			run(cases[i].in, cases[i].want, step);
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		int64_t t;
		int zone;
		bool ok = header_date(span_of(dates[i].in), &t, &zone);

		check(ok == (dates[i].want != NULL));
		if (!ok)
			continue;
		check(strcmp(header_put_date(t, text), dates[i].want) == 0);
		check(zone == dates[i].zone);
	}
	return done();
}
