#include "base/enc.h"
#include "base/num.h"
#include "smtp/smtpd_cmd.h"

/* What can be asked of a parameter: its handler, and a bit of its own. */
struct param {
	const char *name;
	bool (*take)(struct smtpd *, struct span value);
};

/* size-value = 1*20DIGIT */
static bool
take_size(struct smtpd *s, struct span v)
{
	return v.n <= 20 && num_u64(v, &s->declared);
}

/* body-value = "7BIT" / "8BITMIME" */
static bool
take_body(struct smtpd *s, struct span v)
{
	s->eightbit = span_iis(v, "8BITMIME");
	return s->eightbit || span_iis(v, "7BIT");
}

/*
 * AUTH=<> or AUTH=mailbox in xtext (RFC 4954, section 5).  Nobody is
 * trusted to say who somebody else is: it is read and dropped.
 */
static bool
take_auth(struct smtpd *s, struct span v)
{
	char room[LIMIT_SMTP_LINE];
	struct buf b = { room, 0, sizeof(room), sizeof(room) - 1, false };

	(void)s;
	return v.n > 0 && (span_is(v, "<>") || dec_xtext(&b, v));
}

static const struct param mail_params[] = {
	{ "SIZE", take_size },
	{ "BODY", take_body },
	{ "AUTH", take_auth },
	{ NULL, NULL },
};

static const struct param rcpt_params[] = {
	{ NULL, NULL },
};

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static bool
is_keyword(struct span k)
{
	if (k.n == 0 || *k.p == '-')
		return false;
	for (size_t i = 0; i < k.n; i++)
		if (!is_alnum(k.p[i]) && k.p[i] != '-')
			return false;
	return true;
}

/* esmtp-value = 1*(%d33-60 / %d62-126) */
static bool
is_value(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!is_print(v.p[i]) || v.p[i] == ' ' || v.p[i] == '=')
			return false;
	return true;
}

/* Mail-parameters = esmtp-param *(SP esmtp-param) */
static bool
params(struct smtpd *s, struct span text, const struct param *table,
    enum smtp_reply *why)
{
	unsigned seen = 0;

	*why = SMTP_BAD_PARAM;
	if (text.n > 0 && !is_blank(*text.p))
		return false;
	for (;;) {
		struct span v = span_word(&text), k;
		bool has_value;
		size_t i = 0;

		if (v.n == 0)
			return true;
		has_value = span_chr(v, '=') < v.n;
		k = span_cut(&v, '=');
		*why = SMTP_BAD_PARAM;
		if (!is_keyword(k) || !is_value(v) || has_value != (v.n > 0))
			return false;
		while (table[i].name != NULL && !span_iis(k, table[i].name))
			i++;
		*why = SMTP_UNKNOWN_PARAM;
		if (table[i].name == NULL)
			return false;
		*why = SMTP_PARAM_TWICE;
		if ((seen & 1U << i) != 0)
			return false;
		seen |= 1U << i;
		*why = SMTP_BAD_PARAM;
		if (!table[i].take(s, v))
			return false;
	}
}

bool
smtpd_mail_params(struct smtpd *s, struct span text, enum smtp_reply *why)
{
	s->declared = 0;
	s->eightbit = false;
	return params(s, text, mail_params, why);
}

bool
smtpd_rcpt_params(struct smtpd *s, struct span text, enum smtp_reply *why)
{
	return params(s, text, rcpt_params, why);
}
