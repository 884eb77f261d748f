/*
 * mtls - a connection in, a program run on it, TLS in between
 *
 * Listens (-l), or serves the connection that a launcher gives it on
 * descriptors 0 and 1.  The half of a connection that speaks TLS is a
 * process of its own, without privileges; the program sees clear text.
 */
#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/log.h"
#include "io/user.h"
#include "mtls.h"

static const char usage[] = "mtls [-isV] [-c DIR] [-l ADDR] [-u USER] "
			    "PROGRAM [ARG ...]";

enum { ADDRS_MAX = 16 };

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static void
find_accounts(struct mtls *m, const char *user)
{
	if (!user_is_root())
		return; /* one uid does everything */
	if (user == NULL)
		die(EXIT_USAGE, "-u is needed as root");
	if (conf_account(user, &m->uid, &m->gid) == -1)
		die(EXIT_CONFIG, "-u %s: no such user", user);
	m->become = true;
	if (m->mode != MODE_PLAIN &&
	    conf_account("pneu-tls", &m->tls_uid, &m->tls_gid) == -1)
		die(EXIT_CONFIG, "pneu-tls: no such user");
}

static void
set_mode(struct mtls *m, enum mode mode)
{
	if (m->mode != MODE_PLAIN && m->mode != mode)
		die_usage(usage);
	m->mode = mode;
}

int
main(int argc, char *argv[])
{
	static struct mtls m;
	char *addrs[ADDRS_MAX], *user = NULL;
	size_t n = 0;
	int ch;

	progname = "mtls";
	while ((ch = getopt(argc, argv, "+c:il:su:V")) != -1)
		switch (ch) {
		case 'c':
			conf_set_dir(optarg);
			if (setenv("PNEU_CONF", optarg, 1) == -1)
				die_memory();
			break;
		case 'i':
			set_mode(&m, MODE_IMPLICIT);
			break;
		case 'l':
			if (n == ADDRS_MAX)
				die(EXIT_USAGE, "-l: more than %d addresses",
				    ADDRS_MAX);
			addrs[n++] = optarg;
			break;
		case 's':
			set_mode(&m, MODE_STARTTLS);
			break;
		case 'u':
			user = optarg;
			break;
		case 'V':
			puts("mtls " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	if (optind == argc)
		die_usage(usage);
	m.program = argv + optind;
	m.service = base_name(argv[optind]);
	find_accounts(&m, user);
	if (n == 0) {
		if (m.mode == MODE_IMPLICIT)
			keys_load(&m);
		session(&m, STDIN_FILENO, true);
	}
	listener(&m, addrs, n, argv);
	return EXIT_OK;
}
