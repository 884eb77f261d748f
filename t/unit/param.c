/* param: RFC 2231 values. */
#include "mail/param.h"
#include "test.h"

static bool
convert(void *ctx, struct span charset, struct span text, struct buf *b)
{
	(void)ctx;
	if (span_iis(charset, "bad"))
		return false;
	buf_putc(b, '<');
	buf_put(b, text);
	return buf_putc(b, '>');
}

static const struct {
	const char *in, *want;
} fields[] = {
	/* clang-format off */
	{ "a; name=plain.txt", "plain.txt" },
	{ "a; NAME=\"quo ted\"", "quo ted" },
	{ "a; name*=utf-8'en'%e2%82%ac%20rates", "<\342\202\254 rates>" },
	{ "a; name*=bad''%41b", "Ab" },
	{ "a; name*=nothing%41", "nothingA" },
	{ "a; name*=half'%41", "half'A" },
	{ "a; name*0=one; name*1=\" two\"", "one two" },
	{ "a; name*1=two; name*0=one; name*3=four", "onetwo" },
	{ "a; name*0*=x''%61; name*1=%62; name*2*=%63%zz%4", "<a%62c%zz%4>" },
	{ "a; name==?u?q?w=20w?=", "<w w>" },
	{ "a; other=x", NULL },
	{ "a; name*1=x", NULL },
	/* clang-format on */
};

int
main(void)
{
	static const struct encword_charset cs = { convert, NULL };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct mime_fields f = { 0 };
		struct arena a;
		struct buf b = { .max = 1000 };
		bool found;

		arena_init(&a, 65536);
		mimefield_note(&a, &f, SPAN("Content-Disposition"),
		    span_of(fields[i].in), 0);
		found = param_put(&b, f.disposition_params, "name", &cs);
		check(found == (fields[i].want != NULL));
		check(!found || strcmp(buf_cstr(&b), fields[i].want) == 0);
		if (found && strcmp(buf_cstr(&b), fields[i].want) != 0)
			printf("# %s: %s\n", fields[i].in, buf_cstr(&b));
		buf_free(&b);
		arena_free(&a);
	}
	return done();
}
