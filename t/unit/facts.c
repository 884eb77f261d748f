#include "io/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/deadline.h"
#include "test.h"

static char got[4096];

static void
take(void *arg, const char *name, struct span v)
{
	size_t n = strlen(got);

	check(arg == got);
	snprintf(got + n, sizeof(got) - n, "%s=%.*s\n", name, (int)v.n, v.p);
}

/* All of s, step bytes at a time, and then nothing more. */
static int
read_all(struct span s, size_t step, unsigned which)
{
	int p[2], r = pipe(p), err;
	pid_t pid = fork();

	check(r == 0);
	if (pid == 0) {
		for (size_t at = 0; at < s.n; at += step)
			if (write(p[1], s.p + at,
				s.n - at < step ? s.n - at : step) == -1)
				break;
		_exit(0);
	}
	close(p[1]);
	got[0] = '\0';
	r = facts_read(p[0], which, deadline_in(60), take, got);
	err = errno;
	close(p[0]);
	waitpid(pid, NULL, 0);
	errno = err;
	return r;
}

#define ALL (FACTS_TLS | FACTS_BINDING | FACTS_PEER)

static const struct {
	const char *in; /* | is NUL */
	unsigned which;
	int result;
	const char *want;
} cases[] = {
	/* clang-format off */
	{ "|", ALL, 0, "" },
	{ "||", ALL, 0, "" },
	{ "SSL_PROTOCOL=TLSv1.3|SSL_CIPHER=A_B-C||", FACTS_TLS, 0,
	    "SSL_PROTOCOL=TLSv1.3\nSSL_CIPHER=A_B-C\n" },
	{ "SSL_PROTOCOL=TLSv1.3|", FACTS_TLS, -1,
	    "SSL_PROTOCOL=TLSv1.3\n" },
	{ "SSL_PROTOCOL=TLSv1.3", FACTS_TLS, -1, "" },
	{ "", ALL, -1, "" },
	{ "LD_PRELOAD=x|SSL_X=y|SSL_CIPHER|=|SSL_CIPHER=||", ALL, 0,
	    "" },
	{ "SSL_CIPHER=a b|SSL_CIPHER=a\nb|SSL_CIPHER=a\x80||", ALL, 0,
	    "" },
	{ "TCPREMOTEIP=::1|SSL_TLS_EXPORTER=aa+/=|SSL_ALPN=imap||",
	    FACTS_TLS, 0, "SSL_ALPN=imap\n" },
	{ "TCPREMOTEIP=::1|SSL_TLS_EXPORTER=aa+/=|SSL_ALPN=imap||",
	    FACTS_BINDING, 0, "SSL_TLS_EXPORTER=aa+/=\n" },
	{ "TCPREMOTEIP=::1|TCPREMOTEPORT=2x|TCPLOCALPORT=25||",
	    FACTS_PEER, 0, "TCPREMOTEIP=::1\nTCPLOCALPORT=25\n" },
	{ "SSL_CLIENT_S_DN_CN=Bob <b@c>|SSL_CLIENT_S_DN_CN=Bob B||",
	    ALL, 0, "SSL_CLIENT_S_DN_CN=Bob B\n" },
	/* clang-format on */
};

static struct span
with_nul(const char *text)
{
	static char s[256];
	size_t n = strlen(text);

	memcpy(s, text, n);
	for (size_t i = 0; i < n; i++)
		if (s[i] == '|')
			s[i] = '\0';
	return (struct span){ s, n };
}

/* One that has no room is passed over; too much of all ends it. */
static void
large(size_t n, size_t step, int want)
{
	static const char before[] = "SSL_CIPHER=", after[] = "SSL_ALPN=x";
	char *p = calloc(1, n + sizeof(before) + sizeof(after) + 1);

	if (p == NULL)
		exit(1);
	memcpy(p, before, sizeof(before));
	memset(p + sizeof(before) - 1, 'x', n);
	memcpy(p + sizeof(before) + n, after, sizeof(after));
	check(
	    read_all((struct span){ p, sizeof(before) + n + sizeof(after) + 1 },
		step, ALL) == want);
	check(strcmp(got, want == 0 ? "SSL_ALPN=x\n" : "") == 0);
	free(p);
}

int
main(void)
{
	int p[2], r = pipe(p);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 64; step *= 2) {
			check(read_all(with_nul(cases[i].in), step,
				  cases[i].which) == cases[i].result);
			check(strcmp(got, cases[i].want) == 0);
		}
	for (size_t n = 2030; n < 2060; n++)
		large(n, 4096, 0);
	large(LIMIT_FACT + 1, 100, 0);
	large(20000, 999, 0);
	large(LIMIT_FACTS, 4096, -1);
	check(errno == EMSGSIZE);
	check(r == 0 &&
	    facts_read(p[0], ALL, deadline_now() + 50, take, got) == -1 &&
	    errno == ETIMEDOUT);
	return done();
}
