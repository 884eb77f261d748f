#include "base/date.h"
#include "base/enc.h"
#include "base/num.h"
#include "mail/addr.h"
#include "mail/utf8.h"
#include "smtp/smtpd_cmd.h"

/* What can be asked of a parameter. */
struct param {
	const char *name;
	bool (*take)(struct smtpd *, struct span value);
	bool (*offered)(const struct smtpd *); /* NULL: always */
};

static bool
by_queue(const struct smtpd *s)
{
	return s->conf.queue;
}

/* RFC 8689: not where the message came in clear. */
static bool
in_tls(const struct smtpd *s)
{
	return s->conf.queue && s->conf.tls_active;
}

/* RFC 4865: between a user and their server alone. */
static bool
by_submission(const struct smtpd *s)
{
	return s->conf.queue && s->conf.submission;
}

/* Append NAME=VALUE, or NAME alone, behind a blank where one is needed. */
static bool
put_arg(char *to, size_t size, const char *name, struct span v)
{
	struct buf b = { to, strlen(to), size, size - 1, false };

	if (b.n > 0)
		buf_putc(&b, ' ');
	buf_puts(&b, name);
	if (v.n > 0) {
		buf_putc(&b, '=');
		buf_put(&b, v);
	}
	if (!b.over)
		to[b.n] = '\0';
	return !b.over;
}

static bool
put_mail_arg(struct smtpd *s, const char *name, struct span v)
{
	return put_arg(s->mail_args, sizeof(s->mail_args), name, v);
}

static bool
put_rcpt_arg(struct smtpd *s, const char *name, struct span v)
{
	return put_arg(s->rcpt_arg, sizeof(s->rcpt_arg), name, v);
}

/* size-value = 1*20DIGIT */
static bool
take_size(struct smtpd *s, struct span v)
{
	return v.n <= 20 && num_u64(v, &s->declared);
}

/* body-value = "7BIT" / "8BITMIME" / "BINARYMIME", which becomes the second */
static bool
take_body(struct smtpd *s, struct span v)
{
	s->binary = span_iis(v, "BINARYMIME");
	s->eightbit = s->binary || span_iis(v, "8BITMIME");
	if (s->eightbit)
		return put_mail_arg(s, "BODY", SPAN("8BITMIME"));
	return span_iis(v, "7BIT");
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

static bool
take_smtputf8(struct smtpd *s, struct span v)
{
	s->utf8 = true;
	return v.n == 0 && put_mail_arg(s, "SMTPUTF8", v);
}

static bool
take_requiretls(struct smtpd *s, struct span v)
{
	return v.n == 0 && put_mail_arg(s, "REQUIRETLS", v);
}

/*
 * by-value = by-time ";" ("N" / "R") ["T"], by-time = ["-" / "+"] 1*9DIGIT
 * (RFC 2852, section 4).  It is kept as the moment that it means.
 */
static bool
take_by(struct smtpd *s, struct span v)
{
	struct span mode = v, time = span_cut(&mode, ';');
	char text[DATE_RFC3339_SIZE + 4];
	bool minus = time.n > 0 && *time.p == '-', back;
	uint64_t n;

	if (time.n > 0 && (*time.p == '-' || *time.p == '+'))
		span_take(&time, 1);
	if (time.n > 9 || !num_u64(time, &n) || mode.n == 0 || mode.n > 2 ||
	    (mode.n == 2 && to_upper(mode.p[1]) != 'T'))
		return false;
	back = to_upper(*mode.p) == 'R';
	if ((!back && to_upper(*mode.p) != 'N') || (back && (minus || n == 0)))
		return false;
	date_rfc3339(minus ? s->now - (int64_t)n : s->now + (int64_t)n, text);
	n = strlen(text);
	snprintf(text + n, sizeof(text) - n, ";%s%s", back ? "R" : "N",
	    mode.n == 2 ? "T" : "");
	return put_mail_arg(s, "BY", span_of(text));
}

/* Both would be too much; a moment that has gone is now. */
static bool
hold(struct smtpd *s, int64_t t)
{
	char text[DATE_RFC3339_SIZE];

	if (s->hold_until != 0 || t > s->now + TIME_FUTURE_RELEASE)
		return false;
	s->hold_until = t > s->now ? t : s->now;
	return put_mail_arg(
	    s, "HOLDUNTIL", span_of(date_rfc3339(s->hold_until, text)));
}

/* future-release-integer = 1*9DIGIT of seconds (RFC 4865) */
static bool
take_holdfor(struct smtpd *s, struct span v)
{
	uint64_t n;

	return v.n <= 9 && num_u64(v, &n) && n > 0 &&
	    hold(s, s->now + (int64_t)n);
}

/* time-numoffset = ("+" / "-") time-hour ":" time-minute, in seconds */
static bool
time_offset(struct span v, int64_t *offset)
{
	uint32_t h, m;

	if (v.n != 6 || (*v.p != '+' && *v.p != '-') || v.p[3] != ':' ||
	    !num_u32((struct span){ v.p + 1, 2 }, &h) ||
	    !num_u32((struct span){ v.p + 4, 2 }, &m) || h > 23 || m > 59)
		return false;
	*offset = (int64_t)(h * 3600 + m * 60) * (*v.p == '-' ? -1 : 1);
	return true;
}

/* date-time of RFC 3339, section 5.6 */
static bool
take_holduntil(struct smtpd *s, struct span v)
{
	enum { SECONDS = sizeof("2026-11-22T22:44:31") - 1 };
	char text[SECONDS + 1];
	int64_t t, offset = 0;

	if (v.n <= SECONDS)
		return false;
	memcpy(text, span_take(&v, SECONDS).p, SECONDS);
	text[SECONDS] = 'Z';
	text[10] = to_upper(text[10]);
	if (*v.p == '.') {
		span_take(&v, 1);
		if (v.n == 0 || !is_digit(*v.p))
			return false;
		while (v.n > 0 && is_digit(*v.p))
			span_take(&v, 1);
	}
	if (!date_parse_rfc3339((struct span){ text, SECONDS + 1 }, &t) ||
	    (!span_iis(v, "Z") && !time_offset(v, &offset)))
		return false;
	return hold(s, t - offset);
}

/* ret-value = "FULL" / "HDRS" (RFC 3461, section 4.3) */
static bool
take_ret(struct smtpd *s, struct span v)
{
	bool full = span_iis(v, "FULL");

	if (!full && !span_iis(v, "HDRS"))
		return false;
	snprintf(s->ret, sizeof(s->ret), "%s", full ? "FULL" : "HDRS");
	return put_mail_arg(s, "RET", span_of(s->ret));
}

/* xtext, decoded into room; false also for what is empty. */
static bool
is_xtext(struct span v, struct buf *b)
{
	return v.n > 0 && dec_xtext(b, v);
}

/* envid-parameter = xtext of printable characters */
static bool
take_envid(struct smtpd *s, struct span v)
{
	char room[LIMIT_ENVID + 1];
	struct buf b = { room, 0, sizeof(room), sizeof(room) - 1, false };

	if (v.n > LIMIT_ENVID || !is_xtext(v, &b))
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (!is_print(b.p[i]) && b.p[i] != '\t')
			return false;
	return span_cstr(v, s->envid, sizeof(s->envid)) &&
	    put_mail_arg(s, "ENVID", v);
}

/*
 * notify-esmtp-value = "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )
 * (RFC 3461, section 4.1)
 */
static bool
take_notify(struct smtpd *s, struct span v)
{
	static const char *const words[] = { "SUCCESS", "FAILURE", "DELAY" };
	struct span left = v;
	unsigned seen = 0;

	if (span_iis(v, "NEVER"))
		return put_rcpt_arg(s, "NOTIFY", v);
	do {
		size_t n = span_chr(left, ','), i = 0;
		struct span w = span_take(&left, n);

		while (i < 3 && !span_iis(w, words[i]))
			i++;
		if (i == 3 || (seen & 1U << i) != 0)
			return false;
		seen |= 1U << i;
	} while (left.n > 0 && span_take(&left, 1).n > 0);
	return v.p[v.n - 1] != ',' && put_rcpt_arg(s, "NOTIFY", v);
}

/* HEXPOINT "}" of an EmbeddedUnicodeChar, taken off *v. */
static bool
take_hexpoint(struct span *v)
{
	size_t n = span_chr(*v, '}');
	uint32_t c = 0;

	if (n < 2 || n > 6 || n == v->n || (n > 2 && *v->p == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		char h = v->p[i];

		if (!is_digit(h) && (h < 'A' || h > 'F'))
			return false;
		c = c << 4 | (uint32_t)(is_digit(h) ? h - '0' : h - 'A' + 10);
	}
	span_take(v, n + 1);
	return c <= 0x10ffff && c >> 11 != 0xd800 >> 11 && c != 0 &&
	    c != '\n' && c != '\r' &&
	    (c <= ' ' || c == '+' || c == '=' || c == '\\' || c > 0x7e);
}

/*
 * utf-8-addr-xtext = 1*(QCHAR / "\x{" HEXPOINT "}") (RFC 6533, section 3)
 */
static bool
is_utf8_xtext(struct span v)
{
	while (v.n > 0) {
		if (span_starts(v, "\\x{")) {
			span_take(&v, 3);
			if (!take_hexpoint(&v))
				return false;
		} else if (*v.p == '\\' || *v.p == '+') {
			return false;
		} else {
			span_take(&v, 1);
		}
	}
	return true;
}

/*
 * orcpt-parameter = addr-type ";" xtext
 *
 * UTF-8 is of the type utf-8 alone, but Postfix 3.7 says rfc822 of it.
 */
static bool
take_orcpt(struct smtpd *s, struct span v)
{
	char room[LIMIT_ORCPT + 1];
	struct buf b = { room, 0, sizeof(room), sizeof(room) - 1, false };
	struct span text = v, type = span_cut(&text, ';');

	if (v.n > LIMIT_ORCPT || type.n == 0 || text.n == 0)
		return false;
	for (size_t i = 0; i < type.n; i++)
		if (!is_alnum(type.p[i]) && type.p[i] != '-')
			return false;
	if (span_iis(type, "utf-8") ? !is_utf8_xtext(text)
				    : !is_xtext(text, &b))
		return false;
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] < 0x80 && !is_print(b.p[i]))
			return false;
	return utf8_valid(buf_span(&b)) && put_rcpt_arg(s, "ORCPT", v);
}

static const struct param mail_params[] = {
	{ "SIZE", take_size, NULL },
	{ "BODY", take_body, NULL },
	{ "AUTH", take_auth, NULL },
	{ "SMTPUTF8", take_smtputf8, NULL },
	{ "RET", take_ret, by_queue },
	{ "ENVID", take_envid, by_queue },
	{ "BY", take_by, by_queue },
	{ "REQUIRETLS", take_requiretls, in_tls },
	{ "HOLDFOR", take_holdfor, by_submission },
	{ "HOLDUNTIL", take_holduntil, by_submission },
	{ NULL, NULL, NULL },
};

static const struct param rcpt_params[] = {
	{ "NOTIFY", take_notify, by_queue },
	{ "ORCPT", take_orcpt, by_queue },
	{ NULL, NULL, NULL },
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

/* esmtp-value = 1*(%d33-60 / %d62-126 / UTF8-non-ascii) (RFC 6531) */
static bool
is_value(const struct smtpd *s, struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((!is_print(v.p[i]) && (unsigned char)v.p[i] < 0x80) ||
		    v.p[i] == ' ' || v.p[i] == '=')
			return false;
	return addr_is_ascii(v) || (s->utf8 && utf8_valid(v));
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
		if (!is_keyword(k) || !is_value(s, v) || has_value != (v.n > 0))
			return false;
		while (table[i].name != NULL && !span_iis(k, table[i].name))
			i++;
		*why = SMTP_UNKNOWN_PARAM;
		if (table[i].name == NULL ||
		    (table[i].offered != NULL && !table[i].offered(s)))
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

void
smtpd_clear_params(struct smtpd *s)
{
	s->declared = 0;
	s->eightbit = s->binary = s->utf8 = false;
	s->hold_until = 0;
	s->ret[0] = s->envid[0] = '\0';
	s->mail_args[0] = s->rcpt_arg[0] = '\0';
}

bool
smtpd_mail_params(struct smtpd *s, struct span text, enum smtp_reply *why)
{
	smtpd_clear_params(s);
	if (!params(s, text, mail_params, why))
		return false;
	if (s->utf8 && !s->eightbit) /* it needs that, said or not */
		take_body(s, SPAN("8BITMIME"));
	return true;
}

bool
smtpd_rcpt_params(struct smtpd *s, struct span text, enum smtp_reply *why)
{
	s->rcpt_arg[0] = '\0';
	return params(s, text, rcpt_params, why);
}
