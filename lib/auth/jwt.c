#include "auth/jwt.h"

#include "auth/json.h"
#include "base/enc.h"

bool
jwt_decode(struct buf *b, struct span text)
{
	struct buf plain = { .max = LIMIT_TOKEN + 4 };
	bool ok = true;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		ok = ok && (is_alnum(c) || c == '-' || c == '_');
		buf_putc(&plain, c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (plain.n % 4 != 0)
		buf_putc(&plain, '=');
	ok = ok && !plain.over && dec_base64(b, buf_span(&plain));
	wipe(plain.p, plain.n);
	buf_free(&plain);
	return ok;
}

static bool
text_of(struct span object, const char *name, char *to, size_t size)
{
	struct span v;

	to[0] = '\0';
	return json_member(object, name, &v) && json_string(v, to, size);
}

bool
jwt_parse(struct jwt *j, struct span token)
{
	struct span part[3], rest = token, v, header;

	*j = (struct jwt){ .header.max = LIMIT_TOKEN,
		.claims.max = LIMIT_TOKEN,
		.signature.max = LIMIT_TOKEN };
	for (int i = 0; i < 3; i++) {
		if (rest.n == 0)
			return false;
		part[i] = span_cut(&rest, '.');
	}
	if (rest.n > 0 || token.p[token.n - 1] == '.' ||
	    !jwt_decode(&j->header, part[0]) ||
	    !jwt_decode(&j->claims, part[1]) ||
	    !jwt_decode(&j->signature, part[2]))
		return false;
	j->signed_part = (struct span){ token.p, part[0].n + 1 + part[1].n };
	header = buf_span(&j->header);
	if (!json_valid(header) || json_member(header, "crit", &v) ||
	    !text_of(header, "alg", j->alg, sizeof(j->alg)))
		return false;
	if (json_member(header, "kid", &v) &&
	    !json_string(v, j->kid, sizeof(j->kid)))
		return false;
	return strcmp(j->alg, "RS256") == 0 || strcmp(j->alg, "ES256") == 0 ||
	    strcmp(j->alg, "EdDSA") == 0;
}

void
jwt_free(struct jwt *j)
{
	wipe(j->claims.p, j->claims.n);
	wipe(j->signature.p, j->signature.n);
	buf_free(&j->header);
	buf_free(&j->claims);
	buf_free(&j->signature);
}

/* A string that is it, or an array that has it. */
static bool
names(struct span v, const char *want)
{
	struct json_array a = { .rest = v };
	char got[512];

	if (json_kind(v) == JSON_STRING)
		return json_string(v, got, sizeof(got)) &&
		    strcmp(got, want) == 0;
	while (json_next(&a, &v))
		if (json_kind(v) == JSON_STRING &&
		    json_string(v, got, sizeof(got)) && strcmp(got, want) == 0)
			return true;
	return false;
}

/* scope = scope-token *( SP scope-token ), or an array (scp) */
static bool
has_scope(struct span claims, const char *want)
{
	char text[2048];
	struct span v, list, word;

	if (json_member(claims, "scp", &v) && names(v, want))
		return true;
	if (!text_of(claims, "scope", text, sizeof(text)) &&
	    !text_of(claims, "scp", text, sizeof(text)))
		return false;
	list = span_of(text);
	while ((word = span_word(&list)).n > 0)
		if (span_is(word, want))
			return true;
	return false;
}

/* A time that is there must be a number; false when it is not. */
static bool
time_of(struct span claims, const char *name, bool *there, int64_t *t)
{
	struct span v;

	*there = json_member(claims, name, &v);
	return !*there || json_number(v, t);
}

static const char *
judge_times(struct span claims, const struct claims_want *w)
{
	int64_t exp = 0, nbf = 0;
	bool has_exp, has_nbf;

	if (!time_of(claims, "exp", &has_exp, &exp) ||
	    !time_of(claims, "nbf", &has_nbf, &nbf))
		return "not a time";
	if (!has_exp && w->must_expire)
		return "it never expires";
	if (has_exp && exp <= w->now - CLAIMS_SKEW)
		return "expired";
	if (has_nbf && nbf > w->now + CLAIMS_SKEW)
		return "not yet valid";
	return NULL;
}

static const char *
take_address(struct span claims, const struct claims_want *w, char *to)
{
	char text[LIMIT_ADDRESS + 1];
	struct span v;
	int n;

	if (strcmp(w->address, "email") == 0 &&
	    json_member(claims, "email_verified", &v) &&
	    json_kind(v) != JSON_TRUE && !names(v, "true"))
		return "the address is not verified";
	if (!text_of(claims, w->address, text, sizeof(text)) || text[0] == '\0')
		return "no address";
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return "no address";
	if (strchr(text, '@') == NULL && w->domain != NULL)
		n = snprintf(to, LIMIT_ADDRESS + 1, "%s@%s", text, w->domain);
	else
		n = snprintf(to, LIMIT_ADDRESS + 1, "%s", text);
	return n > LIMIT_ADDRESS || strchr(to, '@') == NULL ? "no address"
							    : NULL;
}

const char *
claims_judge(struct span claims, const struct claims_want *w,
    char address[LIMIT_ADDRESS + 1])
{
	const char *why;
	struct span v;

	address[0] = '\0';
	if (!json_valid(claims))
		return "not claims";
	if (w->active &&
	    (!json_member(claims, "active", &v) || json_kind(v) != JSON_TRUE))
		return "not active";
	if ((why = judge_times(claims, w)) != NULL)
		return why;
	if (w->issuer != NULL &&
	    (!json_member(claims, "iss", &v) || json_kind(v) != JSON_STRING ||
		!names(v, w->issuer)))
		return "issuer";
	if (w->audience != NULL &&
	    (!json_member(claims, "aud", &v) || !names(v, w->audience)))
		return "audience";
	if (w->scope != NULL && !has_scope(claims, w->scope))
		return "scope";
	why = take_address(claims, w, address);
	if (why != NULL)
		address[0] = '\0';
	return why;
}
