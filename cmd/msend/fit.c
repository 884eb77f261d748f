/*
 * What a message needs of the host that it goes to, and how much of it
 * fits in one transaction.
 */
#include "io/deadline.h"
#include "mail/addr.h"
#include "mail/idn.h"
#include "msend.h"

/* The host does not have what the message needs: the reason, or NULL. */
static const char *
no_tls(const struct peer *p, const char **code)
{
	*code = "5.7.10";
	if (!p->secure)
		return "TLS is required, and DNSSEC does not vouch for the "
		       "names of its hosts";
	if (!p->smtpc->tls)
		return "TLS is required, and it has none";
	if (!p->verified)
		return "TLS is required, and its certificate can't be "
		       "verified";
	*code = "5.7.30";
	return p->smtpc->requiretls
	    ? NULL
	    : "TLS is required on the whole way, and it has no REQUIRETLS";
}

static int64_t
left(const struct message *m)
{
	return m->by.at - unix_now();
}

static const char *
no_time(const struct message *m, const struct peer *p, const char **code)
{
	if (!m->timed || !m->by.back)
		return NULL;
	*code = "5.4.7";
	if (message_late(m))
		return "the time in which it was to be delivered is over";
	if (p->smtpc->deliverby)
		return left(m) < p->smtpc->by_min
		    ? "it does not deliver in the time that is left"
		    : NULL;
	*code = "5.3.3";
	return "it is to be delivered in time, and it has no DELIVERBY";
}

static bool
local_is_ascii(struct span address)
{
	struct span local, domain;

	return addr_is_ascii(
	    addr_split(address, &local, &domain) ? local : address);
}

/* RFC 6531, section 3.5: what is ASCII after all may go without. */
static const char *
no_utf8(const struct message *m, const struct smtpc_rcpt *r,
    const struct peer *p, const char **code)
{
	*code = "5.6.7";
	if (p->smtpc->smtputf8)
		return NULL;
	if (!local_is_ascii(m->sender) || !local_is_ascii(r->address))
		return "the address is not ASCII and it has no SMTPUTF8";
	*code = "5.6.9";
	return m->smtputf8 && m->header_8bit
	    ? "the header is not ASCII and it has no SMTPUTF8"
	    : NULL;
}

const char *
message_unfit(const struct message *m, const struct smtpc_rcpt *r,
    const struct peer *p, const char **code)
{
	const char *why = NULL;

	/* a bounce is not to be lost for it: RFC 8689, section 5 */
	if (m->requiretls && m->sender.n > 0)
		why = no_tls(p, code);
	if (why == NULL)
		why = no_time(m, p, code);
	return why != NULL ? why : no_utf8(m, r, p, code);
}

bool
message_late(const struct message *m)
{
	return m->timed && m->by.back && left(m) <= 0;
}

/* Whether a report that somebody wants ends at this host. */
bool
message_relayed(
    const struct message *m, const struct smtpc_rcpt *r, const struct peer *p)
{
	if (!p->smtpc->dsn && envelope_notify(r->args, "SUCCESS", false))
		return true;
	return m->timed && (p->smtpc->deliverby ? m->by.trace : !m->by.back);
}

void
message_mail(
    const struct message *m, const struct peer *p, struct smtpc_mail *mail)
{
	static const char *const modes[] = { "N", "NT", "R", "RT" };

	mail->sender = m->sender;
	mail->args = m->args;
	mail->size = m->size;
	mail->eight_bit = m->eight_bit;
	mail->smtputf8 = m->smtputf8 || !addr_is_ascii(m->sender);
	for (size_t i = 0; i < mail->nrcpts; i++)
		mail->smtputf8 |= !addr_is_ascii(mail->rcpts[i].address);
	mail->smtputf8 &= p->smtpc->smtputf8;
	mail->requiretls = m->requiretls;
	if (m->timed) {
		mail->by = modes[2 * m->by.back + m->by.trace];
		mail->by_left = left(m);
	}
}

static struct span
domain_of(struct span address)
{
	struct span local, domain;

	return addr_split(address, &local, &domain) ? domain : address;
}

/* Whether r has a domain that none of those before has. */
static bool
new_domain(const struct smtpc_rcpt *part, size_t n, const struct smtpc_rcpt *r)
{
	for (size_t i = 0; i < n; i++)
		if (idn_same(domain_of(part[i].address), domain_of(r->address)))
			return false;
	return true;
}

size_t
message_pick(const struct smtpc *c, const struct smtpc_rcpt *r, size_t n,
    const bool *skip, struct smtpc_rcpt *part, size_t *index)
{
	size_t k = 0, domains = 0;

	for (size_t i = 0; i < n; i++) {
		bool fresh;

		if (r[i].decided || skip[i])
			continue;
		if (c->rcpt_max != 0 && k == c->rcpt_max)
			break;
		fresh = c->rcpt_domain_max != 0 && new_domain(part, k, &r[i]);
		if (fresh && domains == c->rcpt_domain_max)
			continue; /* it goes with the next ones */
		domains += fresh;
		index[k] = i;
		part[k++] = r[i];
	}
	return k;
}

/* To a host without SMTPUTF8: domains as DNS has them. */
bool
message_ascii(struct arena *a, struct smtpc_mail *mail)
{
	struct buf b = { .max = 2 * LIMIT_ADDRESS };
	bool ok = mail->sender.n == 0 || idn_address(&b, mail->sender);

	if (ok)
		mail->sender = arena_span(a, buf_span(&b));
	for (size_t i = 0; ok && i < mail->nrcpts; i++) {
		buf_clear(&b);
		ok = idn_address(&b, mail->rcpts[i].address);
		if (ok)
			mail->rcpts[i].address = arena_span(a, buf_span(&b));
	}
	buf_free(&b);
	return ok;
}
