/* scramd: the example of RFC 7677, and what is no such exchange. */
#include "auth/scramd.h"
#include "test.h"

static const char nonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
static const char stored[] = "4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
			     "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
			     "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
#define R "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define P ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="

static struct scramd s;
static char user[LIMIT_LOGIN + 1];
static bool named;

static enum scramd_result
first(const char *text, bool plus, const char *binding)
{
	return scramd_first(&s, span_of(text), plus, span_of(binding), user,
	    sizeof(user), &named);
}

static void
test_example(void)
{
	static const char f[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
	struct buf b = { .max = 200 };
	struct scram_secret k;

	check(scram_parse(span_of(stored), &k));
	check(first(f, false, "") == SCRAMD_OK);
	check(strcmp(user, "user") == 0 && named);
	check(span_is(scramd_challenge(&s, nonce, &k),
	    R ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
	check(scramd_final(&s, SPAN("c=biws," R P)) == SCRAMD_OK);
	check(scramd_proves(&s, &k));
	scramd_verifier(&s, &k, &b);
	check(span_is(
	    buf_span(&b), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	k.rounds++;
	check(!scramd_proves(&s, &k));
	k.rounds--;
	k.salt[0] ^= 1;
	check(!scramd_proves(&s, &k));
	k.salt[0] ^= 1;
	k.stored[31] ^= 1;
	check(!scramd_proves(&s, &k));
	buf_free(&b);
}

static const struct {
	const char *text;
	bool plus;
	const char *binding;
	enum scramd_result want;
	const char *user; /* or the error */
	bool named;
} firsts[] = {
	/* clang-format off */
	{ "n,,n=u,r=x", false, "", SCRAMD_OK, "u", true },
	{ "n,,n=u,r=x", false, "B", SCRAMD_OK, "u", true },
	{ "y,,n=u,r=x", false, "", SCRAMD_OK, "u", true },
	{ "y,,n=u,r=x", false, "B", SCRAMD_REFUSED, "server-does-support-channel-binding", true },
	{ "p=tls-exporter,,n=u,r=x", true, "B", SCRAMD_OK, "u", true },
	{ "p=tls-unique,,n=u,r=x", true, "B", SCRAMD_REFUSED, "unsupported-channel-binding-type", true },
	{ "p=tls-exporter,,n=u,r=x", true, "", SCRAMD_REFUSED, "channel-binding-not-supported", true },
	{ "p=tls-exporter,,n=u,r=x", false, "B", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=u,r=x", true, "B", SCRAMD_SYNTAX, NULL, true },
	{ "y,,n=u,r=x", true, "B", SCRAMD_SYNTAX, NULL, true },
	{ "n,a=u,n=u,r=x", false, "", SCRAMD_OK, "u", true },
	{ "n,a=v,n=u,r=x", false, "", SCRAMD_OK, "u", false },
	{ "n,a=,n=u,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,u,n=u,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=a=2Cb=3D=2c,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=a=2Cb=3D,r=x,e=z", false, "", SCRAMD_OK, "a,b=", true },
	{ "n,,n=a=,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=,r=x", false, "", SCRAMD_OK, "", true },
	{ "n,,m=x,n=u,r=x", false, "", SCRAMD_REFUSED, "extensions-not-supported", true },
	{ "n,,n=u,r=", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=u,r=a b", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,r=x,n=u", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,,n=u", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n,n=u,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n=u,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "n", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "", false, "", SCRAMD_SYNTAX, NULL, true },
	{ "f,,n=u,r=x", false, "", SCRAMD_SYNTAX, NULL, true },
	/* clang-format on */
};

static void
test_firsts(void)
{
	char big[LIMIT_SCRAM_MSG + 2] = "n,,n=u,r=";

	for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		enum scramd_result r =
		    first(firsts[i].text, firsts[i].plus, firsts[i].binding);

		check(r == firsts[i].want);
		if (r == SCRAMD_OK)
			check(strcmp(user, firsts[i].user) == 0 &&
			    named == firsts[i].named);
		if (r == SCRAMD_REFUSED)
			check(strcmp(s.error, firsts[i].user) == 0);
	}
	memset(big + 9, 'x', SCRAMD_NONCE_MAX);
	check(first(big, false, "") == SCRAMD_OK);
	memset(big + 9, 'x', SCRAMD_NONCE_MAX + 1);
	check(first(big, false, "") == SCRAMD_SYNTAX);
	memset(big + 9, 'x', sizeof(big) - 10);
	check(first(big, false, "") == SCRAMD_SYNTAX);
	/* a name that is too long is nobody's, not a part of it somebody's */
	snprintf(big, sizeof(big), "n,,n=%0*d,r=x", LIMIT_LOGIN + 1, 0);
	check(first(big, false, "") == SCRAMD_OK && user[0] == '\0');
}

static const struct {
	const char *text;
	enum scramd_result want;
} finals[] = {
	/* clang-format off */
	{ "c=biws," R P, SCRAMD_OK },
	{ "c=biws," R ",x=1" P, SCRAMD_OK },
	{ "c=biws," R, SCRAMD_SYNTAX },
	{ "c=biws," R ",p=", SCRAMD_SYNTAX },
	{ "c=biws," R ",p=AAAA", SCRAMD_SYNTAX },
	{ "c=biws," R P "A", SCRAMD_SYNTAX },
	{ "c=biws," R P ",x=1", SCRAMD_SYNTAX },
	{ "c=biws,r=rOprNGfwEbeRWgbNEkqO" P, SCRAMD_REFUSED },
	{ "c=biws," R "x" P, SCRAMD_REFUSED },
	{ "c=eSws," R P, SCRAMD_REFUSED }, /* y,, */
	{ "c=biwsQg==," R P, SCRAMD_REFUSED },
	{ "c=!," R P, SCRAMD_REFUSED },
	{ R ",c=biws" P, SCRAMD_SYNTAX },
	{ ",p=x", SCRAMD_SYNTAX },
	{ "p=x", SCRAMD_SYNTAX },
	{ "", SCRAMD_SYNTAX },
	/* clang-format on */
};

static void
test_finals(void)
{
	struct scram_secret k;

	check(scram_parse(span_of(stored), &k));
	for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		check(first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", false, "") ==
		    SCRAMD_OK);
		(void)scramd_challenge(&s, nonce, &k);
		check(scramd_final(&s, span_of(finals[i].text)) ==
		    finals[i].want);
		if (finals[i].want == SCRAMD_OK)
			check(scramd_proves(&s, &k) == (i == 0));
	}
	s = (struct scramd){ 0 };
	check(scramd_final(&s, span_of(finals[0].text)) == SCRAMD_SYNTAX);
	/* what was bound is what is compared */
	check(first("p=tls-exporter,,n=u,r=x", true, "B") == SCRAMD_OK);
	(void)scramd_challenge(&s, "y", &k);
	check(scramd_final(&s, SPAN("c=cD10bHMtZXhwb3J0ZXIsLEI=,r=xy" P)) ==
	    SCRAMD_OK);
	check(first("p=tls-exporter,,n=u,r=x", true, "C") == SCRAMD_OK);
	(void)scramd_challenge(&s, "y", &k);
	check(scramd_final(&s, SPAN("c=cD10bHMtZXhwb3J0ZXIsLEI=,r=xy" P)) ==
	    SCRAMD_REFUSED);
}

int
main(void)
{
	test_example();
	test_firsts();
	test_finals();
	return done();
}
