#include "imap/listmatch.h"

#include "base/limits.h"

/* How much of the name is INBOX, in any case. */
static size_t
folded(struct span name, char separator)
{
	if (!span_istarts(name, "INBOX") ||
	    (name.n > 5 && name.p[5] != separator))
		return 0;
	return 5;
}

/* Wildcards may stand for nothing: what they reach is on, too. */
static void
spread(bool *on, struct span pattern)
{
	for (size_t i = 0; i < pattern.n; i++)
		if (on[i] && (pattern.p[i] == '*' || pattern.p[i] == '%'))
			on[i + 1] = true;
}

/* on[i]: the first i bytes of the pattern fit what was read so far. */
bool
listmatch(struct span pattern, struct span name, char separator)
{
	bool on[LIMIT_MAILBOX_NAME + 1] = { true };
	size_t fold = folded(name, separator);

	if (pattern.n > LIMIT_MAILBOX_NAME)
		return false;
	spread(on, pattern);
	for (size_t n = 0; n < name.n; n++) {
		char c = name.p[n];

		for (size_t i = pattern.n + 1; i-- > 0;) {
			char p = i < pattern.n ? pattern.p[i] : '\0';
			bool from = i > 0 && on[i - 1];
			char before = i > 0 ? pattern.p[i - 1] : '\0';

			/* stay at a wildcard, or come from the byte before */
			on[i] =
			    (on[i] &&
				(p == '*' || (p == '%' && c != separator))) ||
			    (from && before != '*' && before != '%' &&
				(before == c ||
				    (n < fold &&
					to_lower(before) == to_lower(c))));
		}
		spread(on, pattern);
	}
	return on[pattern.n];
}
