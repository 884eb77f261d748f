#include "io/runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/deadline.h"
#include "io/env.h"
#include "io/fs.h"
#include "io/out.h"
#include "io/pass.h"

/* Texts go by an unnamed file: the recipients may be many. */
enum { TEXTS_MAX = 2 * LIMIT_ENV_TOTAL, ARGS_MAX = LIMIT_SMTP_RCPTS + 8 };
enum { GRACE = 5 }; /* seconds, when its program has gone */
enum { FD_TEXTS, FD_IN, FD_OUT, FD_ERR, FD_KEEP, NFDS };

enum verb { RUN, WAIT, KILL, CONNECT };

struct request {
	enum verb verb;
	size_t i; /* of the command or the address */
	size_t nargs, nenv, ntexts;
	unsigned has; /* which descriptors come, in their order */
	int keep_to;
	pid_t pid;
	int64_t deadline;
};

struct answer {
	int result; /* a pid, a status, 0; -1 */
	int err;
	bool temp;
};

/* --- the runner's side --- */

static char texts[TEXTS_MAX];
static char *args[LIMIT_CMD_ARGS + ARGS_MAX + 1];
static struct env env;
static pid_t known[RUNNER_COMMANDS]; /* what it started; 0: free */

/* Read the texts; false when they are not what the request says. */
static bool
read_texts(const struct request *q, int fd)
{
	size_t n = 0;
	ssize_t r = 1;

	if (q->ntexts >= sizeof(texts))
		return false;
	while (n < q->ntexts && r > 0) {
		r = pread(fd, texts + n, q->ntexts - n, (off_t)n);
		if (r > 0)
			n += (size_t)r;
	}
	texts[n] = '\0';
	return n == q->ntexts;
}

static bool
may_set(const char *name)
{
	static const char *const fine[] = { "MAIL_", "TCP", "SSL_", "PROTO",
		"IPC" };

	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
		if (strncmp(name, fine[i], strlen(fine[i])) == 0)
			return true;
	return false;
}

/* The arguments of a transport begin with -f SENDER --. */
static bool
fit_args(const struct runner_command *c, char *const *extra, size_t n)
{
	return n == 0 ||
	    (c->transport && n >= 3 && strcmp(extra[0], "-f") == 0 &&
		strcmp(extra[2], "--") == 0);
}

/* args and env of the command; false for what is not allowed. */
static bool
take_texts(const struct runner_command *c, const struct request *q)
{
	char *p = texts;
	size_t n = 0, words;

	for (; c->argv[n] != NULL && n < LIMIT_CMD_ARGS; n++)
		args[n] = c->argv[n];
	words = n;
	if (q->nargs > ARGS_MAX || q->ntexts == 0)
		return false;
	for (size_t i = 0; i < q->nargs && p < texts + q->ntexts; i++) {
		args[n++] = p;
		p += strlen(p) + 1;
	}
	args[n] = NULL;
	if (n - words != q->nargs || !fit_args(c, args + words, q->nargs))
		return false;
	env_init(&env);
	for (size_t i = 0; i < q->nenv && p < texts + q->ntexts; i++) {
		char *eq = strchr(p, '='), *next = p + strlen(p) + 1;

		if (eq != NULL && may_set(p)) {
			*eq = '\0';
			env_set_lines(&env, p, span_of(eq + 1), TEXTS_MAX);
		}
		p = next;
	}
	return true;
}

static pid_t *
slot_of(pid_t pid)
{
	for (size_t i = 0; i < RUNNER_COMMANDS; i++)
		if (known[i] == pid)
			return &known[i];
	return NULL;
}

static int
run(const struct runner *r, const struct request *q, const int fds[NFDS])
{
	struct spawn s = { .argv = args,
		.in = fds[FD_IN],
		.out = fds[FD_OUT],
		.err = fds[FD_ERR],
		.keep_from = { fds[FD_KEEP] },
		.keep_to = { q->keep_to },
		.nkeep = fds[FD_KEEP] != -1,
		.group = true };
	pid_t *slot = slot_of(0), pid;

	if (q->i >= r->ncommands || slot == NULL || q->keep_to < 3 ||
	    q->keep_to > 9 || !read_texts(q, fds[FD_TEXTS]) ||
	    !take_texts(&r->command[q->i], q)) {
		errno = EINVAL;
		return -1;
	}
	s.envp = env_vector(&env);
	pid = spawn(&s);
	env_free(&env);
	if (pid != -1)
		*slot = pid;
	return pid;
}

static int
wait_for(const struct request *q)
{
	pid_t *slot = q->pid > 0 ? slot_of(q->pid) : NULL;
	int status;

	if (slot == NULL) {
		errno = ECHILD;
		return -1;
	}
	if (q->verb == KILL)
		kill(-q->pid, SIGKILL);
	status = spawn_wait(
	    q->pid, true, q->verb == KILL ? DEADLINE_NEVER : q->deadline);
	*slot = 0;
	return status;
}

static int
connect_to(const struct runner *r, const struct request *q, bool *temp)
{
	if (q->i < r->naddrs)
		return net_connect(&r->addr[q->i], q->deadline, temp);
	errno = EINVAL;
	return -1;
}

/* The descriptors of a request, each in its place. */
static void
sort_fds(const struct request *q, const int got[PASS_FDS], int fds[NFDS])
{
	size_t n = 0;

	for (size_t i = 0; i < NFDS; i++)
		fds[i] =
		    (q->has & 1U << i) != 0 && n < PASS_FDS ? got[n++] : -1;
}

static void
serve(const struct runner *r)
{
	int got[PASS_FDS], fds[NFDS], conn;
	struct request q;

	while (pass_receive(r->fd, &q, sizeof(q), got) == (ssize_t)sizeof(q)) {
		struct answer a = { 0 };

		conn = -1;
		sort_fds(&q, got, fds);
		switch (q.verb) {
		case RUN:
			a.result = run(r, &q, fds);
			break;
		case WAIT:
		case KILL:
			a.result = wait_for(&q);
			break;
		case CONNECT:
			a.result = conn = connect_to(r, &q, &a.temp);
			break;
		}
		a.err = errno;
		for (size_t i = 0; i < PASS_FDS; i++)
			if (got[i] != -1)
				close(got[i]);
		if (pass_send(r->fd,
			(struct span){ (const char *)&a, sizeof(a) }, &conn,
			conn != -1) == -1)
			break;
		if (conn != -1)
			close(conn);
	}
}

/* Nobody waits any more for what still runs, nor keeps its time. */
_Noreturn static void
end_all(void)
{
	int64_t until = deadline_in(GRACE);

	for (size_t i = 0; i < RUNNER_COMMANDS; i++)
		if (known[i] != 0)
			(void)spawn_wait(known[i], true, until);
	_exit(EXIT_OK);
}

int
runner_start(struct runner *r)
{
	int fd[2];

	if (pass_pair(fd) == -1)
		return -1;
	r->pid = fork();
	if (r->pid == 0) {
		r->fd = fd[1];
		signal(SIGTERM, SIG_IGN); /* it ends with its program */
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		signal(SIGCHLD, SIG_DFL);
		close(STDIN_FILENO); /* the peer is not its business */
		close(STDOUT_FILENO);
		fs_close_others(fd + 1, 1);
		serve(r);
		end_all();
	}
	close(fd[1]);
	r->fd = fd[0];
	if (r->pid != -1)
		return 0;
	close(fd[0]);
	return -1;
}

/* --- the program's side --- */

static int
ask(struct runner *r, const struct request *q, const int fds[NFDS],
    struct answer *a, int *conn)
{
	int give[NFDS], got[PASS_FDS];
	size_t n = 0;

	for (size_t i = 0; i < NFDS; i++)
		if ((q->has & 1U << i) != 0)
			give[n++] = fds[i];
	if (pass_send(r->fd, (struct span){ (const char *)q, sizeof(*q) }, give,
		n) == -1 ||
	    pass_receive(r->fd, a, sizeof(*a), got) != (ssize_t)sizeof(*a)) {
		errno = ECONNRESET;
		return -1;
	}
	if (conn != NULL)
		*conn = got[0];
	errno = a->err;
	return a->result;
}

static bool
put_texts(int fd, char *const *v, size_t *n, size_t *total)
{
	for (*n = 0; v != NULL && v[*n] != NULL; (*n)++) {
		size_t len = strlen(v[*n]) + 1;

		if (write_all(fd, v[*n], len, DEADLINE_NEVER) == -1)
			return false;
		*total += len;
	}
	return true;
}

pid_t
runner_spawn(
    struct runner *r, size_t i, const struct spawn *s, char *const *extra)
{
	struct request q = { .verb = RUN, .i = i, .keep_to = 3 };
	int fds[NFDS] = { memfd_create("texts", MFD_CLOEXEC), s->in, s->out,
		s->err, s->nkeep > 0 ? s->keep_from[0] : -1 };
	struct answer a;
	pid_t pid = -1;
	int err;

	if (s->nkeep > 0)
		q.keep_to = s->keep_to[0];
	for (unsigned k = 0; k < NFDS; k++)
		if (fds[k] != -1)
			q.has |= 1U << k;
	if (fds[FD_TEXTS] == -1)
		return -1;
	if (put_texts(fds[FD_TEXTS], extra, &q.nargs, &q.ntexts) &&
	    put_texts(fds[FD_TEXTS], s->envp, &q.nenv, &q.ntexts))
		pid = ask(r, &q, fds, &a, NULL);
	err = errno;
	close(fds[FD_TEXTS]);
	errno = err;
	return pid;
}

int
runner_wait(struct runner *r, pid_t pid, int64_t deadline)
{
	struct request q = { .verb = WAIT, .pid = pid, .deadline = deadline };
	struct answer a;

	return ask(r, &q, NULL, &a, NULL);
}

void
runner_kill(struct runner *r, pid_t pid)
{
	struct request q = { .verb = KILL, .pid = pid };
	struct answer a;
	int err = errno;

	ask(r, &q, NULL, &a, NULL);
	errno = err;
}

int
runner_connect(struct runner *r, size_t i, int64_t deadline, bool *temp)
{
	struct request q = { .verb = CONNECT, .i = i, .deadline = deadline };
	struct answer a = { .temp = true };
	int fd = -1, got = ask(r, &q, NULL, &a, &fd);

	*temp = a.temp;
	return got == -1 ? -1 : fd;
}
