/*
 * STARTTLS by the UCSPI-TLS convention: another process does TLS.  It is
 * asked through SSLCTLFD; afterwards the client is read from SSLREADFD and
 * written to at SSLWRITEFD, and facts are told of the connection.
 */
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/facts.h"
#include "io/log.h"
#include "mrecv.h"

enum { FD_MAX = 65535 };

static int
fd_of(const char *name)
{
	const char *v = getenv(name);
	uint64_t n =
	    v == NULL ? FD_MAX + 1 : num_or(span_of(v), FD_MAX, FD_MAX + 1);

	return n > FD_MAX ? -1 : (int)n;
}

bool
tls_offered(void)
{
	return fd_of("SSLCTLFD") != -1 && fd_of("SSLREADFD") != -1 &&
	    fd_of("SSLWRITEFD") != -1;
}

/* A name of OpenSSL's, fit for a header. */
static const char *
fact(const char *name)
{
	const char *v = getenv(name);

	if (v == NULL)
		return "";
	for (const char *p = v; *p != '\0'; p++)
		if (!is_alnum(*p) && strchr("._-+", *p) == NULL)
			return "";
	return v;
}

void
tls_facts(struct mrecv *m)
{
	const char *version = fact("SSL_PROTOCOL");
	const char *cipher = fact("SSL_CIPHER");

	unsetenv("SSL_TLS_EXPORTER"); /* for who checks logins alone */
	if (*version != '\0')
		snprintf(m->tls, sizeof(m->tls), "%s%s%s", version,
		    *cipher != '\0' ? " " : "", cipher);
}

static void
take_fact(void *arg, const char *name, struct span value)
{
	char text[LIMIT_FACT + 1];

	(void)arg;
	if (span_cstr(value, text, sizeof(text)))
		setenv(name, text, 1);
}

int
starttls(struct mrecv *m)
{
	int ctl = fd_of("SSLCTLFD"), rd = fd_of("SSLREADFD");
	int wr = fd_of("SSLWRITEFD");

	if (flush(m) == -1 ||
	    write_all(ctl, "Y", 1, deadline_in(m->command_time)) == -1 ||
	    facts_read(ctl, FACTS_TLS, deadline_in(TIME_HANDSHAKE), take_fact,
		NULL) == -1 ||
	    dup2(rd, STDIN_FILENO) == -1 || dup2(wr, STDOUT_FILENO) == -1)
		return -1;
	close(ctl);
	close(rd);
	close(wr);
	snprintf(m->tls, sizeof(m->tls), "TLS");
	tls_facts(m);
	smtpd_tls_started(&m->s);
	return 0;
}
