/*
 * XCLIENT: what a trusted peer says of the client that it speaks for
 * (Postfix's protocol).
 */
#include "base/enc.h"
#include "base/num.h"
#include "mail/addr.h"
#include "smtp/smtpd_cmd.h"

static const char *const names[SMTPD_XCLIENTS] = {
	[SMTPD_XNAME] = "NAME",
	[SMTPD_XADDR] = "ADDR",
	[SMTPD_XPORT] = "PORT",
	[SMTPD_XPROTO] = "PROTO",
	[SMTPD_XHELO] = "HELO",
	[SMTPD_XLOGIN] = "LOGIN",
	[SMTPD_XDESTADDR] = "DESTADDR",
	[SMTPD_XDESTPORT] = "DESTPORT",
};

static bool
is_port(struct span v)
{
	uint32_t n;

	return v.n <= 5 && num_u32(v, &n) && n <= 65535;
}

/* What is known fits; the addresses are the caller's to judge. */
static bool
fits(enum smtpd_xclient_name which, struct span v)
{
	switch (which) {
	case SMTPD_XNAME:
		return addr_domain_valid(v) && addr_is_ascii(v);
	case SMTPD_XPORT:
	case SMTPD_XDESTPORT:
		return is_port(v);
	case SMTPD_XPROTO:
		return span_iis(v, "SMTP") || span_iis(v, "ESMTP");
	case SMTPD_XADDR:
	case SMTPD_XDESTADDR:
	case SMTPD_XHELO:
	case SMTPD_XLOGIN:
	case SMTPD_XCLIENTS:
		break;
	}
	return true;
}

/* attribute-name "=" attribute-value, the value in xtext */
static bool
take(struct smtpd_xclient *x, struct span value)
{
	struct span name = span_cut(&value, '=');
	char room[LIMIT_DOMAIN + 1];
	struct buf b = { room, 0, sizeof(room), sizeof(room) - 1, false };
	enum smtpd_xclient_name i = 0;

	while (i < SMTPD_XCLIENTS && !span_iis(name, names[i]))
		i++;
	if (i == SMTPD_XCLIENTS || x->given[i] || value.n == 0)
		return false;
	x->given[i] = true;
	x->later[i] = span_iis(value, "[TEMPUNAVAIL]");
	if (x->later[i] || span_iis(value, "[UNAVAILABLE]"))
		return true;
	if (!dec_xtext(&b, value) || b.n == 0)
		return false;
	for (size_t k = 0; k < b.n; k++)
		if (!is_print(b.p[k]) || b.p[k] == ' ')
			return false;
	return fits(i, buf_span(&b)) &&
	    span_cstr(buf_span(&b), x->value[i], sizeof(x->value[i]));
}

/* xclient-command = "XCLIENT" 1*( SP attribute-name "=" attribute-value ) */
bool
smtpd_xclient_args(struct smtpd_xclient *x, struct span arg)
{
	struct span word;

	memset(x, 0, sizeof(*x));
	if (arg.n == 0)
		return false;
	while ((word = span_word(&arg)).n > 0)
		if (!take(x, word))
			return false;
	return true;
}

void
smtpd_restart(struct smtpd *s)
{
	const struct smtpd_xclient *x = &s->xclient;

	smtpd_reset(s);
	s->asked = SMTPD_MORE;
	s->state = SMTPD_NEW;
	s->helo[0] = '\0';
	s->esmtp = false;
	if (x->value[SMTPD_XHELO][0] != '\0') {
		smtpd_take_helo(s, span_of(x->value[SMTPD_XHELO]));
		s->esmtp = !span_iis(span_of(x->value[SMTPD_XPROTO]), "SMTP");
		s->state = SMTPD_READY;
	}
	smtpd_greet(s);
}
