#include "smtp/smtpc_ext.h"

#include "base/num.h"
#include "mail/addr.h"
#include "mail/utf8.h"

/* limits-param = *( SP limit-name "=" limit-value ) */
static void
limits(struct smtpc *c, struct span line)
{
	const struct {
		const char *name;
		uint32_t *to;
	} known[] = { { "MAILMAX", &c->mail_max }, { "RCPTMAX", &c->rcpt_max },
		{ "RCPTDOMAINMAX", &c->rcpt_domain_max } };

	while (line.n > 0) {
		struct span value = span_word(&line), name;

		if (value.n == 0)
			return;
		name = span_cut(&value, '=');
		for (size_t i = 0; i < 3; i++)
			if (span_iis(name, known[i].name) &&
			    (value.n > 6 || !num_u32(value, known[i].to)))
				*known[i].to = 0;
	}
}

/* ehlo-line = ehlo-keyword *( SP ehlo-param ) */
void
smtpc_extension(struct smtpc *c, struct span line)
{
	struct span word = span_word(&line);

	if (span_iis(word, "PIPELINING"))
		c->pipelining = true;
	else if (span_iis(word, "8BITMIME"))
		c->eightbitmime = true;
	else if (span_iis(word, "DSN"))
		c->dsn = true;
	else if (span_iis(word, "SMTPUTF8"))
		c->smtputf8 = true;
	else if (span_iis(word, "STARTTLS"))
		c->tls_offered = true;
	else if (span_iis(word, "REQUIRETLS"))
		c->requiretls = true;
	else if (span_iis(word, "LIMITS"))
		limits(c, line);
	else if (span_iis(word, "DELIVERBY")) {
		c->deliverby = true;
		if (!num_u32(span_trim(line), &c->by_min))
			c->by_min = 0;
	} else if (span_iis(word, "SIZE")) {
		c->size = true;
		c->size_max = num_or(span_trim(line), UINT64_MAX, 0);
	}
}

void
smtpc_forget(struct smtpc *c)
{
	c->extended = c->pipelining = c->eightbitmime = c->size = false;
	c->dsn = c->smtputf8 = c->tls_offered = false;
	c->requiretls = c->deliverby = false;
	c->size_max = 0;
	c->by_min = c->mail_max = c->rcpt_max = c->rcpt_domain_max = 0;
}

static bool
printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]))
			return false;
	return true;
}

/* utf-8-addr-xtext for a server that takes no UTF-8 (RFC 6533) */
static void
put_unitext(struct smtpc *c, struct span s)
{
	while (s.n > 0) {
		uint32_t cp;

		if (!utf8_take(&s, &cp))
			return;
		if (cp < 0x80)
			buf_putc(c->out, (char)cp);
		else
			buf_printf(c->out, "\\x{%lX}", (unsigned long)cp);
	}
}

/* Whether it can be passed on: printable, or UTF-8 in ORCPT=utf-8;. */
static bool
can_pass(struct span word)
{
	if (printable(word))
		return true;
	for (size_t i = 0; i < word.n; i++)
		if ((unsigned char)word.p[i] < 0x80 && !is_print(word.p[i]))
			return false;
	return span_istarts(word, "ORCPT=utf-8;") && utf8_valid(word);
}

/* Only what we may pass: RET and ENVID, NOTIFY and ORCPT (RFC 3461). */
static void
put_dsn(struct smtpc *c, struct span args, const char *a, const char *b)
{
	bool utf8 = c->smtputf8 && c->mail->smtputf8;

	while (c->dsn && args.n > 0) {
		struct span word = span_word(&args), name = word;

		name = span_cut(&name, '=');
		if ((span_iis(name, a) || span_iis(name, b)) &&
		    can_pass(word)) {
			buf_putc(c->out, ' ');
			if (utf8)
				buf_put(c->out, word);
			else
				put_unitext(c, word);
		}
	}
}

/* by-value = by-time ";" by-mode [ by-trace ]; by-time is ["-"]1*9DIGIT */
static void
put_by(struct smtpc *c)
{
	enum { MOST = 999999999 };
	int64_t left = c->mail->by_left;

	left = left > MOST ? MOST : left < -MOST ? -MOST : left;
	buf_printf(c->out, " BY=%lld;%s", (long long)left, c->mail->by);
}

void
smtpc_put_mail_params(struct smtpc *c)
{
	const struct smtpc_mail *m = c->mail;
	bool utf8 = m->smtputf8 || !addr_is_ascii(m->sender);

	if (c->size && m->size > 0) {
		buf_puts(c->out, " SIZE=");
		buf_putu(c->out, m->size);
	}
	if (c->eightbitmime && m->eight_bit)
		buf_puts(c->out, " BODY=8BITMIME");
	for (size_t i = 0; i < m->nrcpts; i++)
		utf8 |= !addr_is_ascii(m->rcpts[i].address);
	if (c->smtputf8 && utf8)
		buf_puts(c->out, " SMTPUTF8");
	put_dsn(c, m->args, "RET", "ENVID");
	if (c->requiretls && c->tls && m->requiretls)
		buf_puts(c->out, " REQUIRETLS");
	if (c->deliverby && m->by != NULL)
		put_by(c);
}

void
smtpc_put_rcpt_params(struct smtpc *c, const struct smtpc_rcpt *r)
{
	put_dsn(c, r->args, "NOTIFY", "ORCPT");
}
