/* basesubject: RFC 5256, section 2.1. */
#include "mail/basesubject.h"
#include "test.h"

static const struct {
	const char *in, *want;
	bool reply;
} subjects[] = {
	/* clang-format off */
	{ "", "", false },
	{ "hello", "hello", false },
	{ "  hello \t\r\n  world ", "hello world", false },
	{ "Re: hello", "hello", true },
	{ "RE:re: Fwd: fw: hello", "hello", true },
	{ "Re : hello", "hello", true },
	{ "Re[2]: hello", "hello", true },
	{ "re [x] : hello", "hello", true },
	{ "Re: ", "", true },
	{ "read this", "read this", false },
	{ "[list] hello", "hello", false },
	{ "[list] Re: hello", "hello", true },
	{ "Re: [list] hello", "hello", true },
	{ "[a][b] [c]Re: [d] hello", "hello", true },
	{ "[list]", "[list]", false },
	{ "[a] [b]", "[b]", false },
	{ "Re: [list]", "[list]", true },
	{ "[a [b] hello", "[a [b] hello", false },
	{ "hello (fwd)", "hello", true },
	{ "hello (FWD) (fwd) ", "hello", true },
	{ "(fwd)", "", true },
	{ "[fwd: hello]", "hello", true },
	{ "[Fwd: [fwd: Re: hello (fwd)]] (fwd)", "hello", true },
	{ "[fwd: hello] there", "there", false },
	{ "[fwd:]", "", true },
	{ "[fwd: [list] hello]", "hello", true },
	{ "Re: [fwd: hello]", "hello", true },
	{ "Re: hello [x]", "hello [x]", true },
	/* clang-format on */
};

int
main(void)
{
	static char big[65536];

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		char text[100];
		size_t n = strlen(subjects[i].in);
		struct basesubject b;

		memcpy(text, subjects[i].in, n);
		b = basesubject_of(text, n);
		check(span_is(b.text, subjects[i].want));
		check(b.reply == subjects[i].reply);
		if (!span_is(b.text, subjects[i].want))
			printf("# %s\n", subjects[i].in);
	}
	/* the worst of 64 KiB takes no time */
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = "[]"[i % 2];
	check(basesubject_of(big, sizeof(big)).text.n == 2);
	for (size_t i = 0; i + 3 < sizeof(big); i += 3)
		memcpy(big + i, "re:", 3);
	check(basesubject_of(big, sizeof(big) - 1).text.n == 0);
	return done();
}
