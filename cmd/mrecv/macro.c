/*
 * What milters are told by macros: names as Sendmail and Postfix have them.
 */
#include "milter.h"

char milter_id[MAIL_ID_LEN + 1];

enum { TEXT = LIMIT_DOMAIN + NET_IP_SIZE + 8 };

const char *
milter_client(const struct mrecv *m)
{
	static char text[NET_IP_SIZE + 2];

	if (m->client[0] != '\0')
		return m->client;
	if (m->peer.ip[0] == '\0')
		return "localhost";
	snprintf(text, sizeof(text), "[%s]", m->peer.ip);
	return text;
}

static struct span
number(unsigned n)
{
	static char text[16];

	snprintf(text, sizeof(text), "%u", n);
	return n == 0 ? (struct span){ NULL, 0 } : span_of(text);
}

static struct span
none_if_empty(const char *s)
{
	return s == NULL || *s == '\0' ? (struct span){ NULL, 0 } : span_of(s);
}

/* The version or the cipher of "TLSv1.3 CIPHER". */
static struct span
tls_word(const struct mrecv *m, int which)
{
	struct span left = span_of(m->tls), w = span_word(&left);

	if (which > 0)
		w = span_word(&left);
	return w.n == 0 ? (struct span){ NULL, 0 } : w;
}

static struct span
domain_of(const char *address)
{
	struct span s = span_of(address);
	size_t at = span_rchr(s, '@');

	if (at == s.n)
		return (struct span){ NULL, 0 };
	span_take(&s, at + 1);
	return s;
}

/* Who the certificate of a client names, once it was verified. */
static struct span
cert_subject(void)
{
	const char *ok = getenv("SSL_CLIENT_VERIFY");

	if (ok == NULL || strcmp(ok, "SUCCESS") != 0)
		return (struct span){ NULL, 0 };
	return none_if_empty(getenv("SSL_CLIENT_S_DN_CN"));
}

static struct span
connection(const struct mrecv *m, struct span name)
{
	static char text[TEXT];

	if (span_is(name, "_")) {
		snprintf(text, sizeof(text), "%s [%s]", milter_client(m),
		    m->peer.ip);
		return none_if_empty(m->peer.ip[0] == '\0' ? "" : text);
	}
	if (span_is(name, "client_name"))
		return span_of(milter_client(m));
	if (span_is(name, "client_ptr"))
		return span_of(m->client[0] != '\0' ? m->client : "unknown");
	if (span_is(name, "client_addr"))
		return none_if_empty(m->peer.ip);
	if (span_is(name, "client_port"))
		return number(m->peer.port);
	if (span_is(name, "daemon_addr") || span_is(name, "if_addr"))
		return none_if_empty(m->peer.local_ip);
	if (span_is(name, "daemon_port"))
		return number(m->peer.local_port);
	if (span_is(name, "tls_version"))
		return tls_word(m, 0);
	if (span_is(name, "cipher"))
		return tls_word(m, 1);
	if (span_is(name, "cipher_bits"))
		return none_if_empty(getenv("SSL_CIPHER_USEKEYSIZE"));
	if (span_is(name, "cert_subject"))
		return cert_subject();
	return (struct span){ NULL, 0 };
}

struct span
milter_macro(void *arg, struct span name)
{
	const struct mrecv *m = arg;

	if (span_is(name, "i"))
		return span_of(milter_id);
	if (span_is(name, "j") || span_is(name, "if_name"))
		return span_of(m->s.conf.host);
	if (span_is(name, "v"))
		return SPAN("pneu " VERSION);
	if (span_is(name, "daemon_name"))
		return m->submission ? SPAN("MSA") : SPAN("MTA");
	if (span_is(name, "auth_authen"))
		return none_if_empty(m->login);
	if (span_is(name, "auth_type"))
		return none_if_empty(m->mech);
	if (span_is(name, "mail_addr"))
		return span_of(m->s.sender);
	if (span_is(name, "mail_host"))
		return domain_of(m->s.sender);
	if (span_is(name, "rcpt_addr"))
		return none_if_empty(m->s.rcpt);
	if (span_is(name, "rcpt_host"))
		return domain_of(m->s.rcpt);
	if (span_is(name, "mail_mailer") || span_is(name, "rcpt_mailer"))
		return m->lmtp ? SPAN("lmtp") : SPAN("esmtp");
	return connection(m, name);
}
