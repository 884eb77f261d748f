#include "io/deadline.h"
#include "mauth.h"

static enum greet_failure
failure_of(enum secrets_result r, const char **why)
{
	switch (r) {
	case SECRETS_SCOPE:
		*why = "scope";
		return GREET_REFUSED;
	case SECRETS_EXPIRED:
		*why = "expired";
		return GREET_WRONG;
	case SECRETS_LATER:
		*why = "later";
		return GREET_LATER;
	case SECRETS_OK:
	case SECRETS_WRONG:
		break;
	}
	*why = "secret";
	return GREET_WRONG;
}

/*
 * The password is checked before anything is said about the user, and
 * takes its time also for somebody who does not exist.
 */
bool
judge(const struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	enum verdict known = users_find(span_of(sasl->user), &l->user);
	const char *address = known == OK ? l->user.address : "";
	enum secrets_result r;

	*why = "later";
	*failure = GREET_LATER;
	if (known == TEMP)
		return false;
	r = secrets_check(
	    address, m->scope, sasl->password, unix_now(), l->label);
	if (r != SECRETS_OK) {
		*failure = failure_of(r, why);
		if (known == PERM && r == SECRETS_WRONG)
			*why = "user";
		return false;
	}
	if (l->user.disabled) {
		*failure = GREET_REFUSED;
		*why = "disabled";
		return false;
	}
	return true;
}
