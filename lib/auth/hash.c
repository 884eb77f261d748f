#include "auth/hash.h"

#include <crypt.h>

#include "auth/scram.h"
#include "base/limits.h"

enum kind { CRYPT, PLAIN, SCRAM };

struct scheme {
	const char *name;
	const char *prefix; /* of what crypt(3) wrote */
	enum kind kind;
};

static const struct scheme schemes[] = { { "SCRAM-SHA-256", "", SCRAM },
	{ "SHA512-CRYPT", "$6$", CRYPT }, { "SHA256-CRYPT", "$5$", CRYPT },
	{ "BLF-CRYPT", "$2", CRYPT }, { "CRYPT", "", CRYPT },
	{ "PLAIN", "", PLAIN } };

/* "{" name "}" hash; the hash alone is left in *hash. */
static const struct scheme *
scheme_of(struct span *hash)
{
	struct span name;

	if (hash->n == 0 || *hash->p != '{')
		return NULL;
	span_take(hash, 1);
	if (span_chr(*hash, '}') == hash->n)
		return NULL;
	name = span_cut(hash, '}');
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_iis(name, schemes[i].name))
			return &schemes[i];
	return NULL;
}

bool
hash_is_known(struct span hash)
{
	const struct scheme *s = scheme_of(&hash);

	if (s == NULL || hash.n == 0 || hash.n > LIMIT_HASH)
		return false;
	return s->kind == SCRAM ? scram_looks(hash)
				: span_starts(hash, s->prefix);
}

static enum hash_result
check_crypt(struct span hash, const char *password)
{
	char setting[LIMIT_HASH + 1];
	const char *got;
	size_t n;

	if (!span_cstr(hash, setting, sizeof(setting)))
		return HASH_BAD;
	got = crypt(password, setting);
	if (got == NULL || got[0] == '*')
		return HASH_BAD; /* crypt(3) knows no such setting */
	n = strlen(got);
	return n == hash.n && same_secret(got, hash.p, n) ? HASH_YES : HASH_NO;
}

/* The time tells the length of what was given, and nothing else. */
static enum hash_result
check_plain(struct span hash, const char *password)
{
	char want[LIMIT_HASH + 1] = { 0 };
	size_t n = strlen(password);
	bool same;

	if (!span_cstr(hash, want, sizeof(want)))
		return HASH_BAD;
	same =
	    n < sizeof(want) && same_secret(want, password, n) && n == hash.n;
	wipe(want, sizeof(want));
	return same ? HASH_YES : HASH_NO;
}

bool
hash_scram(struct span hash, struct scram_secret *secret)
{
	const struct scheme *s = scheme_of(&hash);

	return s != NULL && s->kind == SCRAM && scram_parse(hash, secret);
}

const char *
hash_scheme(struct span hash)
{
	const struct scheme *s = scheme_of(&hash);

	return s != NULL ? s->name : NULL;
}

enum hash_result
hash_check(struct span hash, const char *password, struct scram_secret *memo)
{
	const struct scheme *s = scheme_of(&hash);

	if (s == NULL || hash.n == 0 || hash.n > LIMIT_HASH ||
	    !span_starts(hash, s->prefix))
		return HASH_BAD;
	switch (s->kind) {
	case CRYPT:
		return check_crypt(hash, password);
	case PLAIN:
		return check_plain(hash, password);
	case SCRAM:
		break;
	}
	return scram_check(hash, password, memo);
}
