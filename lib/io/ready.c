#include "io/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "base/num.h"
#include "io/deadline.h"
#include "io/facts.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/pass.h"
#include "io/spawn.h"
#include "io/user.h"

static const char variable[] = "PNEU_READY";
static const char hello[] = "pneu-ready 1";

/* Which programs call ready_serve, and ready_serve_sessions. */
static const char *const ours[2][2] = { { "mrecv", "mauth" },
	{ "mimapd", "mpop" } };

enum { RECORD_MAX = 8192, ENV_MAX = 128 };

extern char **environ;

enum { AGAIN = 1000, LOOK_EVERY = 200 }; /* milliseconds */

static uint64_t
which_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return 0;
	return (uint64_t)st.st_ino * 31 + (uint64_t)st.st_mtim.tv_sec * 17 +
	    (uint64_t)st.st_mtim.tv_nsec * 3 + (uint64_t)st.st_size;
}

/* Ours: of that name, in the folder that we are from. */
static bool
is_ours(bool sessions, const char *name, char *path, size_t size)
{
	const char *const *known = ours[sessions];
	const char *dir = spawn_self_dir();
	const char *base = strrchr(name, '/');
	size_t n = strlen(dir);

	base = base == NULL ? name : base + 1;
	for (size_t i = 0; i < sizeof(ours[0]) / sizeof(ours[0][0]); i++)
		if (strcmp(base, known[i]) == 0)
			return spawn_find(name, path, size) && n > 0 &&
			    strncmp(path, dir, n) == 0 && path[n] == '/' &&
			    strcmp(path + n + 1, base) == 0;
	return false;
}

bool
ready_start(struct ready *r, char *const *argv, struct env *env, bool become,
    uid_t uid, gid_t gid)
{
	struct spawn s = { .argv = argv,
		.in = -1,
		.out = -1,
		.err = -1,
		.keep_to = { READY_CTL },
		.nkeep = 1,
		.user = become,
		.uid = uid,
		.gid = gid };
	int pair[2];
	pid_t pid;

	if (r->pid != 0 || r->useless ||
	    (r->began != 0 && deadline_now() - r->began < AGAIN))
		return false;
	r->useless = !is_ours(r->sessions, argv[0], r->path, sizeof(r->path));
	if (r->useless || pass_pair(pair) == -1)
		return false;
	env_setf(env, variable, "%d", READY_CTL);
	s.envp = env_vector(env);
	s.keep_from[0] = pair[1];
	r->file = which_file(r->path);
	r->began = deadline_now();
	pid = spawn(&s);
	env_unset(env, variable);
	close(pair[1]);
	if (pid == -1) {
		close(pair[0]);
		return false;
	}
	fs_nonblock(pair[0], true);
	r->pid = pid;
	r->fd = pair[0];
	r->serves = false;
	return true;
}

bool
ready_serves(const struct ready *r)
{
	return r->pid != 0 && r->serves;
}

bool
ready_due(struct ready *r)
{
	if (r->pid != 0 && deadline_now() - r->looked >= AGAIN) {
		r->looked = deadline_now();
		if (which_file(r->path) != r->file)
			ready_end(r);
	}
	return r->pid == 0 && !r->useless;
}

/* The record of a connection: "FACTS WAIT", NUL, then NAME=value, NUL, ... */
int
ready_send(struct ready *r, const struct ready_conn *c)
{
	static struct buf b = { .max = RECORD_MAX };
	int fds[PASS_FDS];
	size_t n = 0;

	buf_clear(&b);
	buf_printf(&b, "%u %lld", c->facts, (long long)c->wait);
	if (!buf_putc(&b, '\0') || !buf_put(&b, buf_span(&c->env->text))) {
		errno = EMSGSIZE;
		return -1;
	}
	fds[n++] = c->sock;
	fds[n++] = c->life;
	if (c->ctl != -1)
		fds[n++] = c->ctl;
	if (c->data != -1)
		fds[n++] = c->data;
	return pass_send(r->fd, buf_span(&b), fds, n);
}

/* The record of a session: "UID GID", NUL, then as above. */
int
ready_send_session(struct ready *r, const struct ready_session *s)
{
	struct buf b = { .max = RECORD_MAX };
	int fds[] = { s->sock, s->life, s->record, s->hold };
	int ret = -1;

	buf_printf(&b, "%lu %lu", (unsigned long)s->uid, (unsigned long)s->gid);
	if (!buf_putc(&b, '\0') || !buf_put(&b, buf_span(&s->env->text)))
		errno = EMSGSIZE;
	else
		ret =
		    pass_send(r->fd, buf_span(&b), fds, s->hold != -1 ? 4 : 3);
	buf_free(&b);
	return ret;
}

int
ready_hear(struct ready *r)
{
	char text[32];
	ssize_t n = recv(r->fd, text, sizeof(text), 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 1 && !r->serves && n == (ssize_t)sizeof(hello) - 1 &&
	    memcmp(text, hello, sizeof(hello) - 1) == 0) {
		r->serves = true;
		return 0;
	}
	if (n == 1 && r->serves)
		return text[0];
	r->useless = !r->serves;
	ready_end(r);
	return -1;
}

void
ready_end(struct ready *r)
{
	if (r->pid != 0)
		close(r->fd);
	r->pid = 0;
}

/* The rest of this file is the program's side. */

/* The server that we have ready, and its command line. */
static struct ready server = { .sessions = true };
static char *const *server_argv;

static size_t nchildren; /* not reaped, with it */

/*
 * Children that have ended; the launcher is told of a fault.  They are
 * looked for at each connection and now and then, which is cheaper than to
 * be woken by each of them.  Whether there are some yet that will end.
 */
static bool
reap(int fd)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		char sig = (char)spawn_fault(status);

		if (sig != 0 && send(fd, &sig, 1, MSG_DONTWAIT) == -1)
			warn("a connection: signal %d", sig);
		nchildren--;
	}
	return nchildren > (server.pid != 0);
}

static void
take_fact(void *arg, const char *name, struct span value)
{
	char text[LIMIT_FACT + 1];

	(void)arg;
	if (span_cstr(value, text, sizeof(text)) && setenv(name, text, 1) == -1)
		die_memory();
}

static void
place(int from, int to)
{
	if (dup2(from, to) == -1)
		die_sys(EXIT_TEMP, "dup2");
}

/*
 * The descriptors of a program that was executed.  What came lies above
 * those that they become.
 */
static void
arrange(const int fds[PASS_FDS])
{
	place(fds[0], STDIN_FILENO);
	place(fds[0], STDOUT_FILENO);
	close(fds[0]);
	close(READY_DATA);
	close(READY_DATA2);
	if (fds[3] != -1) {
		place(fds[2], READY_CTL);
		place(fds[3], READY_DATA);
		place(fds[3], READY_DATA2);
		close(fds[3]);
	}
	if (fds[2] != -1)
		close(fds[2]);
}

/* What the TLS half says first, while nothing else is served. */
static void
await_facts(int ctl, unsigned which, unsigned wait, int alive)
{
	if (facts_read(ctl, which, deadline_in(wait), take_fact, NULL) == -1)
		_exit(EXIT_TEMP);
	signal(SIGPIPE, SIG_IGN);
	if (write(alive, "", 1) == -1)
		errno = 0; /* the launcher may have ended */
	signal(SIGPIPE, SIG_DFL);
}

static int life = -1;

int
ready_life(void)
{
	return life;
}

/*
 * The environment of the record, NAME=value, NUL, ..., whose memory stays;
 * behind ours, unless that is `fresh`.
 */
static bool
add_environment(struct span record, bool fresh)
{
	static char *vector[ENV_MAX + 1];
	size_t n = 0;

	/* it was the launcher's to end it with a NUL */
	if (record.n == 0 || record.p[record.n - 1] != '\0')
		return false;
	for (char **p = environ; !fresh && *p != NULL; p++)
		if (n < ENV_MAX)
			vector[n++] = *p;
	while (record.n > 0) {
		struct span v = span_cut(&record, '\0');

		if (n == ENV_MAX || span_chr(v, '=') == v.n)
			return false;
		vector[n++] = (char *)(uintptr_t)v.p;
	}
	vector[n] = NULL;
	environ = vector;
	return true;
}

/* In the child: become what the record says. */
static void
begin(struct span record, int fds[PASS_FDS])
{
	struct span head = span_cut(&record, '\0');
	uint64_t facts = num_or(span_word(&head), UINT32_MAX, 0);
	uint64_t wait = num_or(span_word(&head), UINT32_MAX, 0);

	if (!add_environment(record, false))
		die(EXIT_TEMP, "%s: not a record", hello);
	if (facts != 0 && fds[2] != -1)
		await_facts(fds[2], (unsigned)facts, (unsigned)wait, fds[1]);
	life = fds[1];
	arrange(fds);
}

/* In the child of a session: the same, and become its user. */
static void
begin_session(struct span record, int fds[PASS_FDS])
{
	struct span head = span_cut(&record, '\0');
	uint32_t uid, gid;
	const char *home;

	if (!num_u32(span_word(&head), &uid) ||
	    !num_u32(span_word(&head), &gid))
		die(EXIT_TEMP, "%s: not a record", hello);
	life = fds[1]; /* and what is to be held stays as it came */
	place(fds[0], STDIN_FILENO);
	place(fds[0], STDOUT_FILENO);
	place(fds[2], READY_CTL);
	close(fds[0]);
	close(fds[2]);
	close(READY_DATA);
	close(READY_DATA2);
	if (!add_environment(record, true) || (home = getenv("HOME")) == NULL ||
	    (user_is_root() && uid == 0))
		die(EXIT_TEMP, "%s: not a record", hello);
	log_open(getenv("MAIL_CONN"));
	if (user_become(uid, gid) == -1)
		die_sys(EXIT_TEMP, "become uid %lu", (unsigned long)uid);
	if (chdir(home) == -1)
		die_sys(EXIT_TEMP, "%s", home);
}

/* One connection: true in its child. */
static bool
serve_one(bool sessions, struct span record, int fds[PASS_FDS])
{
	pid_t pid = fork();

	if (pid == 0) {
		close(READY_CTL);
		if (sessions)
			begin_session(record, fds);
		else
			begin(record, fds);
		return true;
	}
	if (pid == -1)
		warn("fork: %s", strerror(errno));
	else
		nchildren++;
	for (size_t i = 0; i < PASS_FDS; i++)
		if (fds[i] != -1)
			close(fds[i]);
	return false;
}

/* What comes shall lie above the descriptors that it may become. */
static void
occupy(void)
{
	int fd;

	do
		fd = fcntl(STDIN_FILENO, F_DUPFD, READY_CTL + 1);
	while (fd != -1 && fd < READY_DATA2);
	if (fd != READY_DATA2)
		die(EXIT_TEMP, "%s: descriptors", variable);
}

static bool
wanted(void)
{
	const char *v = getenv(variable);
	uint64_t fd = v == NULL ? 0 : num_or(span_of(v), READY_CTL, 0);

	if (v == NULL)
		return false;
	unsetenv(variable);
	if (fd != READY_CTL)
		die(EXIT_USAGE, "%s: not %d", variable, READY_CTL);
	return true;
}

/*
 * What libc does at the first call of some is done before the fork, and
 * the empty root of a child that gives up its rights is made.
 */
static void
warm(bool sessions)
{
	if (!sessions && user_prepare_empty_root() == -1)
		die_sys(EXIT_TEMP, "an empty root");
	if (setenv(variable, "", 1) == -1)
		die_memory();
	unsetenv(variable);
}

struct ready *
ready_server(void)
{
	return ready_serves(&server) ? &server : NULL;
}

void
ready_leave_server(void)
{
	ready_end(&server);
	server_argv = NULL;
}

/* As launchers do; it is executed for each session where this fails. */
static void
prepare_server(void)
{
	struct env e;

	if (server_argv == NULL || !ready_due(&server))
		return;
	env_init(&e);
	if (ready_start(&server, server_argv, &e, false, 0, 0))
		nchildren++;
	errno = 0;
	env_free(&e);
}

/* Our launcher is told of its faults. */
static void
hear_server(void)
{
	int sig = ready_hear(&server);
	char byte = (char)sig;

	if (sig > 0 && send(READY_CTL, &byte, 1, MSG_DONTWAIT) == -1)
		warn("a session: signal %d", sig);
}

/* Wait for a record; false: there is none now. */
static bool
await(bool children)
{
	struct pollfd p[2] = { { .fd = READY_CTL, .events = POLLIN },
		{ .fd = server.pid != 0 ? server.fd : -1, .events = POLLIN } };

	if (poll(p, 2, children ? LOOK_EVERY : -1) <= 0)
		return false;
	if (p[1].revents != 0)
		hear_server();
	return p[0].revents != 0;
}

static void
serve(bool sessions)
{
	static char record[RECORD_MAX];
	bool children = false;
	int fds[PASS_FDS];
	ssize_t n;

	if (!wanted())
		return;
	occupy();
	warm(sessions);
	if (send(READY_CTL, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == -1)
		die_sys(EXIT_TEMP, "%s", variable);
	for (;;) {
		prepare_server();
		if (!await(children)) {
			children = reap(READY_CTL);
			continue;
		}
		n = pass_receive(READY_CTL, record, sizeof(record), fds);
		if (n <= 0)
			exit(EXIT_OK); /* the launcher has no more */
		if (serve_one(
			sessions, (struct span){ record, (size_t)n }, fds))
			return;
		children = reap(READY_CTL);
	}
}

void
ready_serve(char *const *argv)
{
	server_argv = argv;
	serve(false);
}

void
ready_serve_sessions(void)
{
	serve(true);
}
