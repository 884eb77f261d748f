/* auth/sasl: nobody is proved whose secret was not shown. */
/* links: lib/auth/sasl.c lib/auth/scramd.c lib/auth/scram.c */
#include <assert.h>

#include "auth/sasl.h"
#include "base/enc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const mechs[] = { "PLAIN", "LOGIN", "SCRAM-SHA-256",
	"SCRAM-SHA-256-PLUS", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "x" };

static void
check_user(const struct sasl *s)
{
	size_t n = strlen(s->user);

	assert(n <= LIMIT_LOGIN);
	for (size_t i = 0; i < n; i++)
		assert((unsigned char)s->user[i] > ' ' && s->user[i] != ':');
}

/* Messages lie between bytes 0xff. */
static struct span
message(struct span *in)
{
	return in->n > 0 ? span_cut(in, '\xff') : SPAN("");
}

static void
talk(struct sasl *s, struct span in, bool initial, const char *mech)
{
	struct sasl_conf conf = { .mechs = "PLAIN LOGIN SCRAM-SHA-256 "
					   "SCRAM-SHA-256-PLUS EXTERNAL "
					   "OAUTHBEARER XOAUTH2",
		.binding = SPAN("0123456789abcdef") };
	struct scram_secret k = { .rounds = 2, .nsalt = 4, .salt = "salt" };
	struct span challenge = { "", 0 }, m = message(&in);
	enum sasl_result r = sasl_begin(
	    s, &conf, span_of(mech), initial ? &m : NULL, &challenge);
	bool proved = false;

	scram_derive(&k, "pencil");
	for (int i = 0; i < 10; i++) {
		check_user(s);
		if (r == SASL_LOOKUP) {
			r = sasl_salt(
			    s, "nnnnnnnnnnnnnnnnnnnnnnnn", &k, &challenge);
			assert(r == SASL_CHALLENGE);
		} else if (r == SASL_READY && s->kind == SASL_PROOF &&
		    scramd_proves(&s->scram, &k)) {
			challenge = sasl_prove(s, &k);
			proved = true;
			r = SASL_CHALLENGE;
		}
		if (r == SASL_PROVED)
			assert(proved);
		if (r == SASL_READY && s->kind == SASL_PASSWORD)
			assert(s->user[0] != '\0' && s->password[0] != '\0');
		if (r != SASL_CHALLENGE && r != SASL_REFUSED)
			break;
		assert(challenge.n <= 1024);
		for (size_t j = 0; j < challenge.n; j++)
			assert(is_print(challenge.p[j]));
		r = sasl_next(s, message(&in), &challenge);
	}
	assert(r != SASL_CHALLENGE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sasl s;

	if (n < 2)
		return 0;
	talk(&s, (struct span){ (const char *)p + 2, n - 2 }, p[1] & 1,
	    mechs[p[0] % 8]);
	sasl_wipe(&s);
	return 0;
}
