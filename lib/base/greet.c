#include "base/greet.h"

bool
greet_offers(const struct greet_conf *c, struct span mech)
{
	struct span list = span_of(c->mechs), word;

	while ((word = span_word(&list)).n > 0)
		if (span_ieq(word, mech))
			return true;
	return false;
}
