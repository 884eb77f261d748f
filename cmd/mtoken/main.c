/*
 * mtoken - whose is this token?
 *
 * A token on standard input, its owner's address on standard output; 0
 * good, 1 no good, 111 it can't be said now.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/sandbox.h"
#include "mtoken.h"

static const char usage[] =
    "mtoken [-V] [-c DIR] [-t SEC] jwt|introspect WORD ...";

enum { NO = 1, LATER = 111, PATIENCE = 20 };

void
mtoken_path(char path[LIMIT_PATH], const char *name)
{
	bool ok = name[0] == '/' ? strlen(name) < LIMIT_PATH
				 : conf_file(path, LIMIT_PATH, name);

	if (!ok)
		die(EXIT_USAGE, "%s: path too long", name);
	if (name[0] == '/')
		memcpy(path, name, strlen(name) + 1);
}

static void
words(struct mtoken *m, char *const *argv, bool jwt)
{
	const struct {
		const char *name;
		const char **to;
	} all[] = { { "iss=", &m->want.issuer }, { "aud=", &m->want.audience },
		{ "scope=", &m->want.scope }, { "claim=", &m->want.address },
		{ "domain=", &m->want.domain },
		{ jwt ? "keys=" : "url=", jwt ? &m->keys : &m->url },
		{ jwt ? "" : "login=", &m->login },
		{ jwt ? "" : "ca=", &m->ca } };
	size_t n = jwt ? 6 : 8, i;

	for (; *argv != NULL; argv++) {
		for (i = 0; i < n; i++)
			if (span_starts(span_of(*argv), all[i].name))
				break;
		if (i == n)
			die(EXIT_USAGE, "%s: not a word for this", *argv);
		*all[i].to = *argv + strlen(all[i].name);
	}
}

/* What nobody asks for is not checked: "aud=*" says so. */
static void
check_words(struct mtoken *m, bool jwt)
{
	struct http_url u;

	if (jwt && m->keys == NULL)
		die(EXIT_USAGE, "jwt: say keys=");
	if (!jwt && m->url == NULL)
		die(EXIT_USAGE, "introspect: say url=");
	if (!jwt && !http_url_parse(span_of(m->url), &u))
		die(EXIT_USAGE, "url=%s: not https://NAME/...", m->url);
	if (jwt && (m->want.issuer == NULL || m->want.audience == NULL))
		die(EXIT_USAGE, "jwt: say iss= and aud= (* for any)");
	if (m->want.issuer != NULL && strcmp(m->want.issuer, "*") == 0)
		m->want.issuer = NULL;
	if (m->want.audience != NULL && strcmp(m->want.audience, "*") == 0)
		m->want.audience = NULL;
	if (m->want.address == NULL)
		m->want.address = jwt ? "email" : "username";
}

/* All of standard input, with or without a line end; false: too long. */
static bool
read_token(struct mtoken *m)
{
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(m->token)) {
		r = read(STDIN_FILENO, m->token + n, sizeof(m->token) - n);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			die_sys(LATER, "standard input");
		if (r == 0)
			break;
		n += (size_t)r;
	}
	while (n > 0 && n < sizeof(m->token) &&
	    (m->token[n - 1] == '\n' || m->token[n - 1] == '\r'))
		n--;
	if (n == 0 || n == sizeof(m->token))
		return false;
	m->token[n] = '\0';
	return strlen(m->token) == n;
}

static int
answer(const struct mtoken *m, enum verdict v)
{
	struct logline l;

	if (v == OK) {
		puts(m->address);
		return fflush(stdout) == 0 ? EXIT_OK : LATER;
	}
	if (v == TEMP) {
		log_error("token", m->why != NULL ? m->why : "later");
		return LATER;
	}
	log_begin(&l, "refuse");
	log_str(&l, "why", m->why);
	log_end(&l);
	return NO;
}

int
main(int argc, char *argv[])
{
	static struct mtoken m;
	uint32_t seconds = PATIENCE;
	enum verdict v = PERM;
	bool jwt;
	int ch;

	progname = "mtoken";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+Vc:t:")) != -1)
		switch (ch) {
		case 'V':
			puts("mtoken " VERSION);
			return EXIT_OK;
		case 'c':
			conf_set_dir(optarg);
			break;
		case 't':
			if (!num_u32(span_of(optarg), &seconds) || seconds == 0)
				die(EXIT_USAGE, "-t %s: not seconds", optarg);
			break;
		default:
			die_usage(usage);
		}
	argv += optind;
	jwt = argv[0] != NULL && strcmp(argv[0], "jwt") == 0;
	if (argv[0] == NULL || (!jwt && strcmp(argv[0], "introspect") != 0))
		die_usage(usage);
	words(&m, argv + 1, jwt);
	check_words(&m, jwt);
	log_open(getenv("MAIL_CONN"));
	if (sandbox_limits(true, 0) == -1)
		die_sys(LATER, "limits");
	signal(SIGPIPE, SIG_IGN);
	m.deadline = deadline_in(seconds);
	m.want.now = unix_now();
	m.want.must_expire = jwt;
	m.why = "not a token";
	if (read_token(&m))
		v = jwt ? mtoken_jwt(&m) : mtoken_introspect(&m);
	wipe(m.token, sizeof(m.token));
	return answer(&m, v);
}
