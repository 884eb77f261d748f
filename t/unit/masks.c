/* masks: which text a pattern fits, and a list of names. */
#include "auth/masks.h"
#include "test.h"

static const struct {
	const char *pattern, *text;
	bool want;
} cases[] = {
	/* clang-format off */
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "*", "a b", true },
	{ "a", "", false },
	{ "abc", "aBC", true },
	{ "abc", "abcd", false },
	{ "*outlook*", "Microsoft Outlook for iOS", true },
	{ "*outlook*", "outlook", true },
	{ "*outlook*", "out look", false },
	{ "a*", "banana", false },
	{ "*na", "banana", true },
	{ "*nan", "banana", false },
	{ "b*n*a", "banana", true },
	{ "b*x*a", "banana", false },
	{ "**a**", "xax", true },
	{ "*aab", "aaaaaaab", true },
	/* clang-format on */
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(masks_fits(span_of(cases[i].pattern),
			  span_of(cases[i].text)) == cases[i].want);
	check(masks_has(SPAN("IDLE UIDONLY"), SPAN("uidonly")));
	check(!masks_has(SPAN("IDLE UIDONLY"), SPAN("UID")));
	check(!masks_has(SPAN(""), SPAN("")));
	return done();
}
