/*
 * mauth - greet, and become the server of who proves who it is
 *
 * Two processes until then: this one, the monitor, which reads no byte of
 * the peer, and its child, the greeter, which speaks the protocol and has
 * no rights.  After the proof the greeter is killed and this process
 * becomes the user and the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "base/words.h"
#include "imap/greet.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/out.h"
#include "io/ready.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mauth.h"
#include "pop3/greet.h"
#include "smtp/greet.h"

static const char usage[] =
    "mauth [-rV] [-c DIR] [-g smtp|pop3|imap] [-k CMD] [-u USER] "
    "PROGRAM [ARG ...]";

static const struct service {
	const char *name, *program, *scope;
	const struct greet_proto *proto;
	enum seat_service seats;
	const char *sorry; /* when we can't go on */
} services[] = {
	/* clang-format off */
	{ "smtp", "mrecv", "send", &smtp_greet, SEAT_SMTP,
	    "421 4.3.0 Can't go on, try again later\r\n" },
	{ "pop3", "mpop", "pop", &pop3_greet, SEAT_POP3,
	    "-ERR [SYS/TEMP] can't go on, try again later\r\n" },
	{ "imap", "mimapd", "imap", &imap_greet, SEAT_IMAP,
	    "* BYE can't go on, try again later\r\n" },
	/* clang-format on */
};

static const struct service *service;

static void
say_sorry(void)
{
	(void)!write_all(STDOUT_FILENO, service->sorry, strlen(service->sorry),
	    deadline_in(5));
}

/* By -g, else by the base name of the program. */
static const struct service *
find_service(const char *name, const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash != NULL ? slash + 1 : program;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (name != NULL ? strcmp(name, services[i].name) == 0
				 : strcmp(base, services[i].program) == 0)
			return &services[i];
	return NULL;
}

static int
fd_of_env(const char *name)
{
	const char *text = getenv(name);
	uint32_t n;

	if (text == NULL || !num_u32(span_of(text), &n) || n < 3 || n > 65535 ||
	    fcntl((int)n, F_GETFD) == -1)
		return -1;
	return (int)n;
}

/* UCSPI-TLS: three descriptors, all or none. */
static void
find_tls(struct mauth *m)
{
	const char *protocol = getenv("SSL_PROTOCOL");
	const char *cipher = getenv("SSL_CIPHER");
	static const char *const facts[] = { "SSL_TLS_EXPORTER",
		"SSL_CLIENT_VERIFY", "SSL_CLIENT_SAN_Email_0",
		"SSL_CLIENT_S_DN_CN" };

	m->tls = (struct tls_fds){ fd_of_env("SSLCTLFD"),
		fd_of_env("SSLREADFD"), fd_of_env("SSLWRITEFD") };
	if (m->tls.ctl == -1 || m->tls.in == -1 || m->tls.out == -1) {
		if (getenv("SSLCTLFD") != NULL)
			log_error("SSLCTLFD", "no such descriptors");
		m->tls = (struct tls_fds){ -1, -1, -1 };
	} else if (fs_cloexec(m->tls.ctl, true) == -1 ||
	    fs_cloexec(m->tls.in, true) == -1 ||
	    fs_cloexec(m->tls.out, true) == -1) {
		die_sys(EXIT_TEMP, "TLS descriptors");
	}
	m->conf.tls_offered = m->tls.ctl != -1;
	m->conf.tls_active = protocol != NULL && protocol[0] != '\0';
	if (!m->conf.tls_active)
		return;
	snprintf(m->tls_facts, sizeof(m->tls_facts), "%.31s %.63s", protocol,
	    cipher != NULL ? cipher : "");
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (getenv(facts[i]) != NULL)
			(void)take_fact(
			    m, span_of(facts[i]), span_of(getenv(facts[i])));
}

/*
 * Once TLS stands between, descriptor 0 does not tell the peer any more:
 * say it in the environment, where the launcher did not.
 */
static void
find_peer(struct mauth *m)
{
	struct net_peer *p = &m->peer;
	bool known = net_peer_env(STDIN_FILENO, p);

	env_copy(&m->env, "TCP");
	env_copy(&m->env, "PROTO");
	env_copy(&m->env, "IPC");
	env_copy(&m->env, "SSL_");
	env_unset(&m->env, "SSL_TLS_EXPORTER");
	if (known && !p->ipc) {
		env_set(&m->env, "PROTO", SPAN("TCP"));
		env_set(&m->env, "TCPREMOTEIP", span_of(p->ip));
		env_setf(&m->env, "TCPREMOTEPORT", "%u", (unsigned)p->port);
		env_set(&m->env, "TCPLOCALIP", span_of(p->local_ip));
		env_setf(
		    &m->env, "TCPLOCALPORT", "%u", (unsigned)p->local_port);
	} else if (known) {
		env_set(&m->env, "PROTO", SPAN("IPC"));
		if (p->uid >= 0)
			env_setf(&m->env, "IPCREMOTEEUID", "%ld", p->uid);
	}
	m->conf.plain_ok = m->conf.tls_active || (known && net_is_loopback(p));
}

static void
find_accounts(struct mauth *m)
{
	if (!m->root)
		return;
	if (conf_account("pneu-login", &m->greeter_uid, &m->greeter_gid) == -1)
		die_sys(EXIT_TEMP, "account pneu-login");
	if (m->run_as != NULL &&
	    conf_account(m->run_as, &m->uid, &m->gid) == -1)
		die_sys(EXIT_TEMP, "account %s", m->run_as);
	if (m->greeter_uid == 0)
		die(EXIT_TEMP, "account pneu-login: its uid is 0");
}

/* The server starts in the user's home: no path may depend on ours. */
static void
absolute(const char *path, char *to, size_t size)
{
	char cwd[LIMIT_PATH];
	int n;

	if (path[0] == '/')
		n = snprintf(to, size, "%s", path);
	else if (getcwd(cwd, sizeof(cwd)) != NULL)
		n = snprintf(to, size, "%s/%s", cwd, path);
	else
		die_sys(EXIT_TEMP, "%s", path);
	if (n < 0 || (size_t)n >= size)
		die(EXIT_TEMP, "%s: path too long", path);
}

static void
find_program(struct mauth *m)
{
	char path[LIMIT_PATH];

	if (!spawn_find(m->program[0], path, sizeof(path))) {
		errno = ENOENT;
		die_sys(EXIT_TEMP, "%s", m->program[0]);
	}
	absolute(path, m->path, sizeof(m->path));
}

/* What a launcher left open is not for the greeter, nor for the server. */
static void
close_others(const struct mauth *m)
{
	const struct ready *server = ready_server();
	int keep[] = { m->tls.ctl, m->tls.in, m->tls.out, ready_life(),
		user_empty_root_fd(), server != NULL ? server->fd : -1 };

	fs_close_others(keep, sizeof(keep) / sizeof(*keep));
}

/* mrecv's sink is `mqueue add`: it will offer what only a queue keeps. */
static bool
ends_in_queue(char *const *argv)
{
	for (; argv[0] != NULL && argv[1] != NULL; argv++)
		if (strcmp(argv[0], "mqueue") == 0 &&
		    strcmp(argv[1], "add") == 0)
			return true;
	return false;
}

/* When a dialogue begins. */
static void
read_limits(struct mauth *m)
{
	struct conf_row rows[] = {
		{ "login-time", 86400, TIME_GREETER },
		{ "sessions-per-user", LIMIT_SESSIONS_MAX,
		    LIMIT_SESSIONS_USER },
	};

	conf_limits(rows, sizeof(rows) / sizeof(rows[0]));
	m->deadline = deadline_in((int64_t)rows[0].value);
	m->sessions = (unsigned)rows[1].value;
}

static void
prepare(struct mauth *m)
{
	char dir[LIMIT_PATH];

	read_limits(m);
	m->root = user_is_root();
	m->conf.host = conf_me();
	env_init(&m->env);
	absolute(conf_dir(), dir, sizeof(dir));
	env_set(&m->env, "PNEU_CONF", span_of(dir));
	env_set(&m->env, "MAIL_CONN", span_of(m->conn));
	find_program(m);
	find_tls(m);
	find_peer(m);
	find_accounts(m);
	offer(m);
	if (m->proto == &smtp_greet) {
		m->conf.size = conf_limit("message", UINT64_MAX, LIMIT_MESSAGE);
		m->conf.queue = ends_in_queue(m->program);
		m->conf.now = unix_now();
	}
	if (m->proto == &pop3_greet)
		m->conf.login_delay = (unsigned)conf_limit(
		    "pop3-login-delay", 86400, TIME_POP3_LOGIN);
	net_nodelay(STDOUT_FILENO);
	close_others(m);
}

/* Until somebody has logged in. */
static void
greet(struct mauth *m, struct login *login, struct session *session)
{
	int fd[2];
	pid_t pid;

	if (spawn_socketpair(fd) == -1 || (pid = fork()) == -1)
		die_sys(EXIT_TEMP, "start the greeter");
	if (pid == 0) {
		close(fd[0]);
		ready_leave_server();
		if (m->tls.ctl != -1)
			close(m->tls.ctl);
		greeter(m, fd[1]);
	}
	close(fd[1]);
	wipe(m->unread, m->nunread);
	m->nunread = 0;
	monitor(m, pid, fd[0], login, session);
}

_Noreturn static void
run(struct mauth *m)
{
	static struct login login;
	static struct session session;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* a launcher may ignore it */
	greet(m, &login, &session);
	while (m->back) {
		server_below(m, &login, &session);
		read_limits(m);
		m->conf.again = true;
		greet(m, &login, &session);
	}
	server(m, &login, &session);
}

/* For as long as we run. */
static char *const *
split(const char *command)
{
	static struct arena a;
	char **words;

	arena_init(&a, 4 * LIMIT_CONF_LINE);
	words = words_split(&a, span_of(command));
	if (words == NULL)
		die(EXIT_USAGE, "-k %s: not a command", command);
	return words;
}

int
main(int argc, char *argv[])
{
	static struct mauth m;
	const char *name = NULL, *check = NULL;
	int ch;

	progname = "mauth";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+rVc:g:k:u:")) != -1)
		switch (ch) {
		case 'V':
			puts("mauth " VERSION);
			return EXIT_OK;
		case 'c':
			conf_set_dir(optarg);
			break;
		case 'g':
			name = optarg;
			break;
		case 'k':
			check = optarg;
			break;
		case 'r':
			m.back = true;
			break;
		case 'u':
			m.run_as = optarg;
			break;
		default:
			die_usage(usage);
		}
	m.program = argv + optind;
	if (check != NULL && strcmp(check, "-") == 0 && m.program[0] == NULL)
		return checkpw_report();
	if (m.program[0] == NULL)
		die_usage(usage);
	if (check != NULL)
		m.check = split(check);
	service = find_service(name, m.program[0]);
	if (service == NULL && name != NULL)
		die(EXIT_USAGE, "-g %s: not smtp, pop3 or imap", name);
	if (service == NULL)
		die(EXIT_USAGE, "%s: its protocol is not known, use -g",
		    m.program[0]);
	if (m.back && service->proto != &imap_greet)
		die(EXIT_USAGE, "-r is for IMAP alone");
	/* with -r it is to be waited for, with -u it is nobody's server */
	ready_serve(m.back || m.run_as != NULL ? NULL : m.program);
	m.proto = service->proto;
	m.scope = service->scope;
	m.seats = service->seats;
	m.conn = ident_conn(true);
	log_open(m.conn);
	die_hook = say_sorry;
	prepare(&m);
	run(&m);
}
