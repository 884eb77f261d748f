/*
 * A trusted peer says whom it speaks for (XCLIENT): from now on the client
 * is that one, for policy, filters, the log and the trace field.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/num.h"
#include "mrecv.h"

static void
set(const char *name, const char *value)
{
	if (*value != '\0')
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* "192.0.2.1" or "IPV6:2001:db8::1" as we write it; "" for unknown. */
static bool
address(const char *said, char ip[NET_IP_SIZE])
{
	static const char v6[] = "IPV6:";
	unsigned char b[16];

	ip[0] = '\0';
	if (*said == '\0')
		return true;
	if (span_istarts(span_of(said), v6))
		said += sizeof(v6) - 1;
	if (inet_pton(AF_INET, said, b) == 1)
		return inet_ntop(AF_INET, b, ip, NET_IP_SIZE) != NULL;
	return inet_pton(AF_INET6, said, b) == 1 &&
	    inet_ntop(AF_INET6, b, ip, NET_IP_SIZE) != NULL;
}

static uint16_t
port(const char *said)
{
	return (uint16_t)num_or(span_of(said), UINT16_MAX, 0);
}

static void
take_peer(struct mrecv *m, const char *ip)
{
	const struct smtpd_xclient *x = &m->s.xclient;

	if (x->given[SMTPD_XADDR]) {
		memcpy(m->peer.ip, ip, sizeof(m->peer.ip));
		m->peer.ipc = false;
		m->peer.port = 0;
		m->client[0] = '\0';
		set("PROTO", "TCP");
		set("TCPREMOTEIP", ip);
		set("TCPREMOTEPORT", "");
		set("TCPREMOTEHOST", "");
		set("TCPREMOTEINFO", "");
	}
	if (x->given[SMTPD_XNAME]) {
		snprintf(
		    m->client, sizeof(m->client), "%s", x->value[SMTPD_XNAME]);
		set("TCPREMOTEHOST", m->client);
	}
	if (x->given[SMTPD_XPORT]) {
		m->peer.port = port(x->value[SMTPD_XPORT]);
		set("TCPREMOTEPORT", x->value[SMTPD_XPORT]);
	}
}

static void
take_local(struct mrecv *m, const char *ip)
{
	const struct smtpd_xclient *x = &m->s.xclient;

	if (x->given[SMTPD_XDESTADDR]) {
		memcpy(m->peer.local_ip, ip, sizeof(m->peer.local_ip));
		set("TCPLOCALIP", ip);
	}
	if (x->given[SMTPD_XDESTPORT]) {
		m->peer.local_port = port(x->value[SMTPD_XDESTPORT]);
		set("TCPLOCALPORT", x->value[SMTPD_XDESTPORT]);
	}
}

/* Who has logged in there has done so here, where users submit. */
static void
take_login(struct mrecv *m)
{
	const struct smtpd_xclient *x = &m->s.xclient;

	if (!x->given[SMTPD_XLOGIN] || !m->submission)
		return;
	snprintf(m->login, sizeof(m->login), "%s", x->value[SMTPD_XLOGIN]);
	m->known = m->by_login = m->login[0] != '\0';
	m->trusted = false;
	m->lookup = m->known ? users_find(span_of(m->login), &m->user) : PERM;
	m->s.conf.logged_in = m->known;
}

void
xclient(struct mrecv *m)
{
	char peer[NET_IP_SIZE], local[NET_IP_SIZE];

	if (!address(m->s.xclient.value[SMTPD_XADDR], peer) ||
	    !address(m->s.xclient.value[SMTPD_XDESTADDR], local)) {
		smtpd_reply(&m->s, SMTP_BAD_PARAM);
		return;
	}
	take_peer(m, peer);
	take_local(m, local);
	take_login(m);
	policy_peer(m, m->s.xclient.later[SMTPD_XNAME]);
	if (policy_admit(m))
		smtpd_restart(&m->s);
}
