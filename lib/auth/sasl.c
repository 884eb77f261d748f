#include "auth/sasl.h"

void
sasl_wipe(struct sasl *s)
{
	wipe(s, sizeof(*s));
	s->mech = "";
}

/* Stays "" for what can't be the name of a line in `users`. */
static void
take_user(struct sasl *s, struct span user)
{
	s->user[0] = '\0';
	for (size_t i = 0; i < user.n; i++)
		if ((unsigned char)user.p[i] <= ' ' || user.p[i] == 0x7f ||
		    user.p[i] == ':')
			return;
	if (!span_cstr(user, s->user, sizeof(s->user)))
		s->user[0] = '\0';
}

static bool
take_password(struct sasl *s, struct span password)
{
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
								: SASL_NO;
}

enum sasl_result
sasl_begin(struct sasl *s, struct span mech, const struct span *response,
    struct span *challenge)
{
	sasl_wipe(s);
	if (span_iis(mech, "PLAIN")) {
		s->mech = "PLAIN";
		s->state = SASL_PLAIN;
		*challenge = SPAN("");
	} else if (span_iis(mech, "LOGIN")) {
		s->mech = "LOGIN";
		s->state = SASL_LOGIN_USER;
		*challenge = SPAN("Username:");
	} else {
		return SASL_MECH;
	}
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
		break;
	case SASL_PLAIN:
		return plain(s, response);
	case SASL_LOGIN_USER:
		take_user(s, response);
		s->state = SASL_LOGIN_PASS;
		*challenge = SPAN("Password:");
		return SASL_CHALLENGE;
	case SASL_LOGIN_PASS:
		return take_password(s, response) && s->user[0] != '\0'
		    ? SASL_READY
		    : SASL_NO;
	}
	return SASL_SYNTAX;
}
