/*
 * STARTTLS by the UCSPI-TLS convention: another process does TLS.  It is
 * asked through SSLCTLFD; afterwards the client is read from SSLREADFD and
 * written to at SSLWRITEFD, and facts come as NAME=value, NUL, ended by an
 * empty one.
 */
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mrecv.h"

enum { FACTS_MAX = 8192, FD_MAX = 65535 };

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

	if (*version != '\0')
		snprintf(m->tls, sizeof(m->tls), "%s%s%s", version,
		    *cipher != '\0' ? " " : "", cipher);
}

/* Only names that say something about TLS. */
static void
take_fact(struct span line)
{
	char text[LIMIT_ENV_VALUE + 64], *eq;

	if (!span_starts(line, "SSL_") || !span_cstr(line, text, sizeof(text)))
		return;
	eq = strchr(text, '=');
	if (eq == NULL)
		return;
	*eq = '\0';
	setenv(text, eq + 1, 1);
}

/* 0 after the empty one; -1 when there is an end before it. */
static int
read_facts(int fd)
{
	static char room[FACTS_MAX];
	struct in in;

	in_init(&in, fd, room, sizeof(room));
	in.deadline = deadline_in(TIME_HANDSHAKE);
	for (;;) {
		size_t n = span_chr(in.data, '\0');

		if (n == in.data.n) {
			if (in_fill(&in) != IN_DATA)
				return -1;
			continue;
		}
		take_fact(span_take(&in.data, n));
		span_take(&in.data, 1);
		if (n == 0)
			return 0;
	}
}

int
starttls(struct mrecv *m)
{
	int ctl = fd_of("SSLCTLFD"), rd = fd_of("SSLREADFD");
	int wr = fd_of("SSLWRITEFD");

	if (flush(m) == -1 ||
	    write_all(ctl, "Y", 1, deadline_in(m->command_time)) == -1 ||
	    read_facts(ctl) == -1 || dup2(rd, STDIN_FILENO) == -1 ||
	    dup2(wr, STDOUT_FILENO) == -1)
		return -1;
	close(ctl);
	close(rd);
	close(wr);
	snprintf(m->tls, sizeof(m->tls), "TLS");
	tls_facts(m);
	smtpd_tls_started(&m->s);
	return 0;
}
