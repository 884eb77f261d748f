/*
 * mrecv - take messages in by SMTP, submission or LMTP
 *
 * Serves one connection.  Each message goes to the sink, the command at
 * the end of the command line, and is answered as the sink's end says.
 * Where the sink is `mqueue add`, mrecv writes the queue itself.
 */
#include <signal.h>
#include <unistd.h>

#include "dry.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/proxies.h"
#include "io/ready.h"
#include "io/stop.h"
#include "io/user.h"

static const char usage[] =
    "mrecv [-LnpSVv] [-c DIR] [-F COMMAND] [-m ADDR] ... [--] SINK [ARG ...]";

static struct mrecv self;

static void
options(struct mrecv *m, int argc, char *argv[])
{
	int ch;

	opterr = 0;
	while ((ch = getopt(argc, argv, "+LSnpvVc:F:m:")) != -1)
		switch (ch) {
		case 'L':
			m->lmtp = true;
			break;
		case 'S':
			m->submission = true;
			break;
		case 'n':
			m->dry = true;
			break;
		case 'v':
			m->verbose++;
			break;
		case 'p':
			m->preauth = true;
			break;
		case 'c':
			conf_set_dir(optarg);
			setenv("PNEU_CONF", optarg, 1);
			break;
		case 'F':
		case 'm':
			if (!stage_add(m, ch, argv))
				die_usage(usage);
			break;
		case 'V':
			puts("mrecv " VERSION);
			exit(EXIT_OK);
		default:
			die_usage(usage);
		}
	m->sink = argv + optind;
	if (m->sink[0] == NULL || (m->lmtp && (m->submission || m->preauth)) ||
	    (m->verbose > 0 && !m->dry))
		die_usage(usage);
	m->submission = m->submission || m->preauth;
}

/* Only a queue can keep what a sender asks with DSN and its like. */
static bool
ends_in_queue(const struct mrecv *m)
{
	return strcmp(m->sink[0], "mqueue") == 0 && m->sink[1] != NULL &&
	    strcmp(m->sink[1], "add") == 0;
}

static bool
writes_queue(const struct mrecv *m)
{
	return ends_in_queue(m) && m->sink[2] == NULL;
}

/* The last word of a program that can't go on. */
static void
say_later(void)
{
	static const char later[] = "421 4.3.0 try again later\r\n";

	if (write(STDOUT_FILENO, later, sizeof(later) - 1) == -1)
		_exit(EXIT_TEMP);
}

static int64_t
seconds(enum mrecv_limit which)
{
	return (int64_t)limit_of(which);
}

/*
 * The queue is pneu's: root by hand must not leave files there that
 * `mqueue run` can't read.
 */
static void
become_pneu(void)
{
	uid_t uid;
	gid_t gid;

	if (user_is_root() && conf_account("pneu", &uid, &gid) == 0 &&
	    user_become(uid, gid) == -1)
		die_sys(EXIT_TEMP, "pneu");
}

static void
settings(struct mrecv *m)
{
	struct smtpd_conf c = { .host = conf_me(),
		.lmtp = m->lmtp,
		.submission = m->submission,
		.tls_offered = !m->dry && tls_offered(),
		.tls_active = m->tls[0] != '\0',
		.logged_in = m->known,
		.xclient = proxies_allow(m->peer.ip, "xclient"),
		.queue = ends_in_queue(m),
		.size_max = limit_of(MRECV_MESSAGE) };

	m->end = deadline_in(seconds(MRECV_SESSION_TIME));
	m->command_time = seconds(MRECV_COMMAND_TIME);
	m->data_time = seconds(MRECV_DATA_TIME);
	m->filter_time = seconds(MRECV_FILTER_TIME);
	m->milter_time = seconds(MRECV_MILTER_TIME);
	m->floor = limit_of(MRECV_FREE_SPACE);
	m->queue.fd = -1;
	m->direct = writes_queue(m);
	if (m->direct)
		become_pneu();
	smtpd_init(&m->s, &c);
	m->s.now = unix_now();
	if (m->direct &&
	    queue_open(&m->queue, conf_path("queue"), !m->dry) == -1) {
		m->queue.fd = -1;
		if (!m->dry)
			log_error(conf_path("queue"), NULL);
	}
}

int
main(int argc, char *argv[])
{
	static char input[LIMIT_SESSION_UNREAD];

	progname = "mrecv";
	options(&self, argc, argv);
	ready_serve(NULL);
	signal(SIGPIPE, SIG_IGN);
	stop_init();
	in_init(&self.in, STDIN_FILENO, input, sizeof(input));
	dry_open(&self);
	net_peer_env(STDIN_FILENO, &self.peer);
	net_nodelay(STDOUT_FILENO);
	self.conn = ident_conn(true);
	if (self.preauth || self.dry)
		log_conn(self.conn);
	else
		log_open(self.conn);
	if (!self.dry)
		die_hook = say_later;
	tls_facts(&self);
	identify(&self);
	limits_read();
	settings(&self);
	if (!self.dry)
		commands_open(&self);
	policy_open(&self);
	if (!self.dry)
		confine(&self);
	serve(&self);
	if (!self.dry)
		_exit(EXIT_OK); /* nothing waits to be written */
	return EXIT_OK;
}
