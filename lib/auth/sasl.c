#include "auth/sasl.h"

void
sasl_wipe(struct sasl *s)
{
	wipe(s, sizeof(*s));
	s->mech = "";
}

static enum sasl_result
no(struct sasl *s, const char *why)
{
	s->why = why;
	return SASL_NO;
}

/* "" for what can't be the name of a line in `users`. */
static void
check_user(struct sasl *s)
{
	for (const char *p = s->user; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == ':') {
			s->user[0] = '\0';
			return;
		}
}

static void
take_user(struct sasl *s, struct span user)
{
	if (!span_cstr(user, s->user, sizeof(s->user)))
		s->user[0] = '\0';
	check_user(s);
}

static bool
take_password(struct sasl *s, struct span password)
{
	s->kind = SASL_PASSWORD;
	return password.n > 0 &&
	    span_cstr(password, s->password, sizeof(s->password));
}

/* message = [authzid] NUL authcid NUL passwd (RFC 4616, section 2) */
static enum sasl_result
plain(struct sasl *s, struct span m)
{
	struct span authzid, user;
	bool ok;

	if (span_chr(m, '\0') == m.n)
		return SASL_SYNTAX;
	authzid = span_cut(&m, '\0');
	if (span_chr(m, '\0') == m.n)
		return SASL_SYNTAX;
	user = span_cut(&m, '\0');
	take_user(s, user);
	ok = take_password(s, m) && s->user[0] != '\0';
	return ok && (authzid.n == 0 || span_eq(authzid, user)) ? SASL_READY
								: no(s, "user");
}

static enum sasl_result
login_password(struct sasl *s, struct span m)
{
	return take_password(s, m) && s->user[0] != '\0' ? SASL_READY
							 : no(s, "user");
}

/* e=...: what is wrong with the exchange, nothing about user or secret */
static enum sasl_result
scram_result(struct sasl *s, enum scramd_result r, struct span *challenge)
{
	switch (r) {
	case SCRAMD_SYNTAX:
		return SASL_SYNTAX;
	case SCRAMD_REFUSED:
		s->state = SASL_TOLD_NO;
		s->why = s->scram.error;
		snprintf(s->text, sizeof(s->text), "e=%s", s->scram.error);
		*challenge = span_of(s->text);
		return SASL_REFUSED;
	case SCRAMD_OK:
		break;
	}
	return SASL_READY;
}

static enum sasl_result
scram_first(struct sasl *s, struct span m, struct span *challenge)
{
	bool named;
	enum scramd_result r = scramd_first(&s->scram, m, s->plus,
	    s->conf->binding, s->user, sizeof(s->user), &named);

	check_user(s);
	if (r != SCRAMD_OK)
		return scram_result(s, r, challenge);
	if (!named)
		return no(s, "user");
	s->state = SASL_SCRAM_SALT;
	return SASL_LOOKUP;
}

static enum sasl_result
scram_final(struct sasl *s, struct span m, struct span *challenge)
{
	s->kind = SASL_PROOF;
	return scram_result(s, scramd_final(&s->scram, m), challenge);
}

/* b64token = 1*( ALPHA / DIGIT / "-._~+/" ) *"=" (RFC 6750, section 2.1) */
static bool
take_token(struct sasl *s, struct span t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!is_alnum(t.p[i]) && strchr("-._~+/=", t.p[i]) == NULL)
			return false;
	return t.n > 0 && span_cstr(t, s->token, sizeof(s->token));
}

/* *(key "=" value %x01) %x01, of which auth is "Bearer" 1*SP token */
static enum sasl_result
bearer(struct sasl *s, struct span m, struct span *challenge)
{
	struct span auth = { 0 };
	bool ended = false;

	s->kind = SASL_TOKEN;
	while (m.n > 0 && !ended) {
		struct span v = span_cut(&m, '\1'), name;

		ended = v.n == 0;
		if (ended)
			break;
		name = span_cut(&v, '=');
		if (span_iis(name, "auth"))
			auth = v;
	}
	if (!ended || m.n > 0)
		return SASL_SYNTAX;
	if (!span_istarts(auth, "Bearer ") ||
	    (span_take(&auth, 7), !take_token(s, span_trim(auth)))) {
		s->why = "token";
		*challenge = sasl_refuse_token(s);
		return SASL_REFUSED;
	}
	return SASL_READY;
}

/* ("n" / "y") "," ["a=" saslname] "," %x01 ... (RFC 7628, section 3.1) */
static enum sasl_result
oauthbearer(struct sasl *s, struct span m, struct span *challenge)
{
	struct span flag, authzid;

	if (span_chr(m, '\1') == m.n || span_chr(m, ',') == m.n)
		return SASL_SYNTAX;
	flag = span_cut(&m, ',');
	if (span_chr(m, ',') == m.n)
		return SASL_SYNTAX;
	authzid = span_cut(&m, ',');
	if ((!span_is(flag, "n") && !span_is(flag, "y")) || m.n == 0 ||
	    *m.p != '\1')
		return SASL_SYNTAX;
	span_take(&m, 1);
	if (authzid.n > 0) {
		if (!span_starts(authzid, "a="))
			return SASL_SYNTAX;
		span_take(&authzid, 2);
		if (!scramd_saslname(authzid, s->user, sizeof(s->user)))
			return SASL_SYNTAX;
		check_user(s);
		if (s->user[0] == '\0')
			return no(s, "user");
	}
	return bearer(s, m, challenge);
}

/* "user=" name %x01 "auth=Bearer " token %x01 %x01 */
static enum sasl_result
xoauth2(struct sasl *s, struct span m, struct span *challenge)
{
	struct span user = m;

	if (!span_istarts(m, "user=") || span_chr(m, '\1') == m.n)
		return SASL_SYNTAX;
	user = span_cut(&m, '\1');
	span_take(&user, 5);
	take_user(s, user);
	if (user.n > 0 && s->user[0] == '\0')
		return no(s, "user");
	return bearer(s, m, challenge);
}

/* [authzid]: the monitor knows whose certificate it is */
static enum sasl_result
external(struct sasl *s, struct span m)
{
	take_user(s, m);
	s->kind = SASL_CERT;
	return m.n > 0 && s->user[0] == '\0' ? no(s, "user") : SASL_READY;
}

static const struct {
	const char *name;
	enum sasl_state state;
	const char *challenge;
} mechs[] = {
	/* clang-format off */
	{ "PLAIN",              SASL_PLAIN,       "" },
	{ "LOGIN",              SASL_LOGIN_USER,  "Username:" },
	{ "SCRAM-SHA-256",      SASL_SCRAM_FIRST, "" },
	{ "SCRAM-SHA-256-PLUS", SASL_SCRAM_FIRST, "" },
	{ "EXTERNAL",           SASL_EXTERNAL,    "" },
	{ "OAUTHBEARER",        SASL_OAUTHBEARER, "" },
	{ "XOAUTH2",            SASL_XOAUTH2,     "" },
	/* clang-format on */
};

static bool
is_offered(const struct sasl_conf *conf, struct span mech)
{
	struct span list = span_of(conf->mechs), word;

	while ((word = span_word(&list)).n > 0)
		if (span_ieq(word, mech))
			return true;
	return false;
}

enum sasl_result
sasl_begin(struct sasl *s, const struct sasl_conf *conf, struct span mech,
    const struct span *response, struct span *challenge)
{
	size_t i = 0, n = sizeof(mechs) / sizeof(mechs[0]);

	sasl_wipe(s);
	while (i < n && !span_iis(mech, mechs[i].name))
		i++;
	if (i == n || !is_offered(conf, mech))
		return SASL_MECH;
	s->conf = conf;
	s->mech = mechs[i].name;
	s->state = mechs[i].state;
	s->plus = strcmp(s->mech, "SCRAM-SHA-256-PLUS") == 0;
	*challenge = span_of(mechs[i].challenge);
	if (response == NULL)
		return SASL_CHALLENGE;
	return sasl_next(s, *response, challenge);
}

enum sasl_result
sasl_next(struct sasl *s, struct span response, struct span *challenge)
{
	enum sasl_state was = s->state;

	s->state = SASL_IDLE;
	switch (was) {
	case SASL_IDLE:
	case SASL_SCRAM_SALT:
		break;
	case SASL_PLAIN:
		return plain(s, response);
	case SASL_LOGIN_USER:
		take_user(s, response);
		s->state = SASL_LOGIN_PASS;
		*challenge = SPAN("Password:");
		return SASL_CHALLENGE;
	case SASL_LOGIN_PASS:
		return login_password(s, response);
	case SASL_SCRAM_FIRST:
		return scram_first(s, response, challenge);
	case SASL_SCRAM_FINAL:
		return scram_final(s, response, challenge);
	case SASL_EXTERNAL:
		return external(s, response);
	case SASL_OAUTHBEARER:
		return oauthbearer(s, response, challenge);
	case SASL_XOAUTH2:
		return xoauth2(s, response, challenge);
	case SASL_TOLD_NO:
		return SASL_FAILED;
	case SASL_TOLD_YES:
		return response.n == 0 ? SASL_PROVED : SASL_SYNTAX;
	}
	return SASL_SYNTAX;
}

enum sasl_result
sasl_salt(struct sasl *s, const char *nonce, const struct scram_secret *secret,
    struct span *challenge)
{
	if (s->state != SASL_SCRAM_SALT)
		return SASL_SYNTAX;
	s->state = SASL_SCRAM_FINAL;
	*challenge = scramd_challenge(&s->scram, nonce, secret);
	return SASL_CHALLENGE;
}

struct span
sasl_prove(struct sasl *s, const struct scram_secret *secret)
{
	struct buf b = { .max = sizeof(s->text) - 1 };

	scramd_verifier(&s->scram, secret, &b);
	memcpy(s->text, b.p, b.n);
	s->text[b.n] = '\0';
	buf_free(&b);
	s->state = SASL_TOLD_YES;
	return span_of(s->text);
}

struct span
sasl_refuse_token(struct sasl *s)
{
	s->state = SASL_TOLD_NO;
	return strcmp(s->mech, "XOAUTH2") == 0
	    ? SPAN("{\"status\":\"401\",\"schemes\":\"bearer\"}")
	    : SPAN("{\"status\":\"invalid_token\"}");
}
