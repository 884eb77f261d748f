#include <unistd.h>

#include "auth/masks.h"
#include "base/enc.h"
#include "io/conf.h"
#include "mauth.h"

static const char plus[] = "SCRAM-SHA-256-PLUS";

/*
 * Whether certificates are accepted here at all: who took over the TLS
 * half could say that it saw one, so its word alone is not enough.
 */
static bool
takes_certs(void)
{
	char path[LIMIT_PATH];

	return conf_file(path, sizeof(path), "tls/clients.pem") &&
	    access(path, F_OK) == 0;
}

/* An address of `users`, of the certificate that the peer has proved. */
static bool
find_cert_user(struct mauth *m)
{
	/* who vouches for an address may let anybody choose a name */
	const char *name =
	    m->cert.email[0] != '\0' ? m->cert.email : m->cert.cn;

	return m->cert.verified && name[0] != '\0' && takes_certs() &&
	    users_find(span_of(name), &m->cert.user) == OK;
}

static void
read_masks(struct mauth *m)
{
	const struct masks_who who = { .ip = m->peer.ip,
		.names = SPAN("EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 "
			      "PLAIN LOGIN OAUTHBEARER XOAUTH2") };
	struct buf b = { .max = sizeof(m->masked) - 1 };

	masks_read(&who, &b);
	buf_putc(&b, '\0');
	memcpy(m->masked, b.p, b.n);
	buf_free(&b);
}

static void
add(struct mauth *m, const char *mech)
{
	size_t n = strlen(m->mechs);

	if (masks_has(span_of(m->masked), span_of(mech)))
		return;
	snprintf(
	    m->mechs + n, sizeof(m->mechs) - n, "%s%s", n > 0 ? " " : "", mech);
}

/*
 * The strongest first, for clients that take the first they know.  SCRAM
 * only where nobody's password is refused by it, since clients do not try
 * another mechanism after a refusal.
 */
void
offer(struct mauth *m)
{
	read_masks(m);
	m->mechs[0] = '\0';
	m->conf.mechs = m->sasl.mechs = m->mechs;
	m->sasl.binding = (struct span){ m->binding, m->nbinding };
	m->cert.known = false;
	/* who is not told of it is not wrong to think that we can't */
	if (masks_has(span_of(m->masked), span_of(plus)))
		m->sasl.binding = SPAN("");
	if (m->check == NULL && m->conf.plain_ok) {
		m->cert.known = find_cert_user(m);
		if (m->cert.known)
			add(m, "EXTERNAL");
		if (secrets_are_scram()) {
			if (m->nbinding > 0)
				add(m, plus);
			add(m, "SCRAM-SHA-256");
		}
	}
	add(m, "PLAIN");
	add(m, "LOGIN");
	if (m->check == NULL && m->conf.plain_ok && token_is_configured()) {
		add(m, "OAUTHBEARER");
		add(m, "XOAUTH2");
	}
}

bool
take_fact(struct mauth *m, struct span name, struct span value)
{
	struct buf b = { .max = 2 * sizeof(m->binding) };

	if (span_is(name, "SSL_CLIENT_VERIFY")) {
		m->cert.verified = span_is(value, "SUCCESS");
	} else if (span_is(name, "SSL_CLIENT_SAN_Email_0")) {
		if (!span_cstr(value, m->cert.email, sizeof(m->cert.email)))
			m->cert.email[0] = '\0';
	} else if (span_is(name, "SSL_CLIENT_S_DN_CN")) {
		if (!span_cstr(value, m->cert.cn, sizeof(m->cert.cn)))
			m->cert.cn[0] = '\0';
	} else if (span_is(name, "SSL_TLS_EXPORTER")) {
		m->nbinding = 0;
		if (dec_base64(&b, value) && b.n > 0 &&
		    b.n <= sizeof(m->binding)) {
			memcpy(m->binding, b.p, b.n);
			m->nbinding = b.n;
		}
		buf_free(&b);
		return false;
	}
	return true;
}
