#include <errno.h>
#include <unistd.h>

#include "base/enc.h"
#include "io/cidr.h"
#include "io/conf.h"
#include "io/log.h"
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

/* MECHANISM ("*" | "peer:" (ADDRESS | CIDR))... */
static bool
is_masked(const struct mauth *m, struct span line, const char *mech, bool *bad)
{
	struct span word = span_word(&line);
	bool all = true, some = false;
	struct cidr c;

	if (!span_iis(word, mech))
		return false;
	while ((word = span_word(&line)).n > 0) {
		some = true;
		if (span_is(word, "*"))
			continue;
		*bad = !span_starts(word, "peer:");
		if (!*bad) {
			span_take(&word, 5);
			*bad = !cidr_parse(word, &c);
		}
		if (*bad)
			return false;
		all = all && cidr_has(&c, m->peer.ip);
	}
	*bad = !some;
	return some && all;
}

/* Whether the file `masks` hides it from this peer. */
static bool
masked(const struct mauth *m, const char *mech)
{
	static struct conf c;
	struct span line;
	bool hide = false, bad = false;

	if (conf_open(&c, "masks") == -1) {
		if (errno != ENOENT)
			log_error("masks", NULL);
		return false;
	}
	while (!hide && conf_next(&c, &line) == 1) {
		hide = is_masked(m, line, mech, &bad);
		if (bad)
			conf_bad(&c, "not MECHANISM and * or peer:");
		bad = false;
	}
	conf_close(&c);
	return hide;
}

static void
add(struct mauth *m, const char *mech)
{
	size_t n = strlen(m->mechs);

	if (masked(m, mech))
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
	m->mechs[0] = '\0';
	m->conf.mechs = m->sasl.mechs = m->mechs;
	m->sasl.binding = (struct span){ m->binding, m->nbinding };
	m->cert.known = false;
	/* who is not told of it is not wrong to think that we can't */
	if (masked(m, plus))
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
