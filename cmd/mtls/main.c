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
#include "io/fs.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/spawn.h"
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
	m->no_half = conf_account("pneu-tls", &m->tls_uid, &m->tls_gid) == -1;
	if (m->mode != MODE_PLAIN && m->no_half)
		die(EXIT_CONFIG, "pneu-tls: no such user");
}

static void
set_mode(struct mtls *m, enum mode mode)
{
	if (m->mode != MODE_PLAIN && m->mode != mode)
		die_usage(usage);
	m->mode = mode;
}

void
refuse(const struct mtls *m, const char *conn, const char *why)
{
	struct logline l;

	log_begin(&l, "refuse");
	if (conn != NULL)
		log_str(&l, "conn", conn);
	log_str(&l, "peer", m->peer.ip);
	log_str(&l, "svc", m->service);
	log_str(&l, "why", why);
	log_end(&l);
}

/* Serve the connection that a launcher gave us. */
_Noreturn static void
serve_given(struct mtls *m)
{
	const char *conn = ident_conn(false), *why;
	struct net_peer socket;

	if (m->mode != MODE_PLAIN && !net_peer(STDIN_FILENO, &socket))
		die(EXIT_USAGE, "descriptor 0 is not a socket");
	log_open(conn);
	if (!net_peer_env(STDIN_FILENO, &m->peer))
		m->peer = (struct net_peer){ 0 };
	why = proxy_look(m);
	if (why != NULL)
		die(EXIT_CONFIG, "%s", why);
	if (m->mode == MODE_IMPLICIT)
		keys_load(m);
	else if (m->mode == MODE_STARTTLS)
		keys_look();
	net_nodelay(STDIN_FILENO);
	net_keepalive(STDIN_FILENO);
	session(m, STDIN_FILENO, conn, -1, NULL);
}

/* Only our own: not what a launcher left open, but fd:N of -l. */
static void
close_others(char *const *addrs, size_t n)
{
	int keep[ADDRS_MAX];

	for (size_t i = 0; i < n; i++) {
		struct net_addr a;

		keep[i] = net_parse(addrs[i], &a) ? a.fd : -1;
	}
	fs_close_others(keep, n);
}

int
main(int argc, char *argv[])
{
	static struct mtls m;
	char *addrs[ADDRS_MAX], *user = NULL, path[LIMIT_PATH];
	size_t n = 0;
	int ch;

	progname = "mtls";
	log_conn(NULL); /* under inetd nothing goes to the peer */
	opterr = 0;     /* the usage line says it */
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
	if (!is_renewed())
		close_others(addrs, n);
	m.program = argv + optind;
	m.service = base_name(argv[optind]);
	find_accounts(&m, user);
	m.handshake =
	    (int64_t)conf_limit("handshake-time", 3600, TIME_HANDSHAKE);
	if (!spawn_find(argv[optind], path, sizeof(path)))
		die(EXIT_TEMP, "%s: no such program", argv[optind]);
	if (n == 0)
		serve_given(&m);
	listener(&m, addrs, n, argv);
	return EXIT_OK;
}
