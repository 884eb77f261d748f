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
 * What was shown is checked before anything is said about the user, and
 * takes its time also for somebody who does not exist.
 */
static bool
judge_secret(const struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	enum verdict known = users_find(span_of(sasl->user), &l->user);
	const char *address = known == OK ? l->user.address : "";
	struct credential shown = {
		.password = sasl->kind == SASL_PASSWORD ? sasl->password : NULL,
		.proof = &sasl->scram
	};
	enum secrets_result r;

	if (known == TEMP)
		return false;
	r = secrets_check(
	    address, m->scope, &shown, unix_now(), l->label, &l->keys);
	if (r == SECRETS_OK)
		return true;
	*failure = failure_of(r, why);
	if (known == PERM && r == SECRETS_WRONG)
		*why = "user";
	return false;
}

static bool
judge_cert(const struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	static struct user as;
	enum verdict v = OK;

	l->user = m->cert.user;
	if (sasl->user[0] != '\0')
		v = users_find(span_of(sasl->user), &as);
	if (v == TEMP)
		return false;
	if (v == OK &&
	    (sasl->user[0] == '\0' || strcmp(as.address, l->user.address) == 0))
		return true;
	*failure = GREET_WRONG;
	*why = "user";
	return false;
}

bool
judge(struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	bool ok = false;

	*why = "later";
	*failure = GREET_LATER;
	switch (sasl->kind) {
	case SASL_PASSWORD:
	case SASL_PROOF:
		ok = judge_secret(m, sasl, l, failure, why);
		break;
	case SASL_TOKEN:
		ok = token_judge(m, sasl, l, failure, why);
		break;
	case SASL_CERT:
		ok = judge_cert(m, sasl, l, failure, why);
		break;
	}
	if (ok && l->user.disabled) {
		*failure = GREET_REFUSED;
		*why = "disabled";
		return false;
	}
	return ok;
}

bool
judge_salt(const struct mauth *m, const char *name, struct scram_secret *salt)
{
	static struct user u;
	enum verdict known = users_find(span_of(name), &u);

	return known != TEMP &&
	    secrets_salt(
		known == OK ? u.address : "", name, m->scope, unix_now(), salt);
}
