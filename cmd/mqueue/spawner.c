#include "spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/conf.h"
#include "io/env.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/pass.h"
#include "io/rootonly.h"
#include "io/spawn.h"
#include "io/user.h"

enum { CHILDREN = 4096, CHUNK = 60000 };

static struct {
	int sock;
	uint32_t generation;
	struct arena arena;
	struct routes routes;
	bool guarded; /* only root can change `routes` */
	pid_t children[CHILDREN];
	size_t nchildren;
	int wake[2];
} sp;

static char packet[PASS_MAX];

static void
send_reply(struct spawner_reply r, struct span text)
{
	struct buf b = { .max = PASS_MAX };

	buf_put(&b, (struct span){ (const char *)&r, sizeof(r) });
	buf_put(&b, text);
	if (pass_send(sp.sock, buf_span(&b), NULL, 0) == -1)
		_exit(EXIT_OK); /* nobody is there any more */
	buf_free(&b);
}

static void
give_table(void)
{
	struct buf b = { .max = ROUTES_MAX };
	struct spawner_reply r = { .kind = SPAWNER_TEXT };
	char path[LIMIT_PATH];
	struct span text;

	arena_free(&sp.arena);
	arena_init(&sp.arena, ROUTES_ARENA);
	if (!conf_file(path, sizeof(path), "routes") ||
	    fs_read(AT_FDCWD, path, &b) == -1)
		warn_sys("%s", path);
	sp.guarded = rootonly(path);
	text = arena_span(&sp.arena, buf_span(&b));
	buf_free(&b);
	routes_parse(&sp.arena, text, path, &sp.routes);
	r.generation = ++sp.generation;
	do {
		struct span piece =
		    span_take(&text, text.n > CHUNK ? CHUNK : text.n);

		r.more = text.n > 0;
		send_reply(r, piece);
	} while (text.n > 0);
}

/* Only what tells of a message, and nothing that loaders look at. */
static void
put_variables(struct env *e, struct span *text)
{
	while (text->n > 0) {
		struct span v = span_cut(text, '\0'), name = span_cut(&v, '=');
		char key[32];

		if (name.n == 0)
			return;
		if (span_starts(name, "MAIL_") &&
		    span_cstr(name, key, sizeof(key)))
			env_set_lines(e, key, v, LIMIT_MAIL_RCPTS);
	}
}

/* argv of a route, with what is put in or behind.  NULL: no memory. */
static char **
make_argv(struct arena *a, char **words, bool jobs, struct span text)
{
	size_t n = 0, more = 4;
	struct span count = text;
	char **argv;

	while (words[n] != NULL)
		n++;
	for (; count.n > 0; more++)
		span_cut(&count, '\0');
	argv = arena_alloc(a, (n + more + 1) * sizeof(*argv));
	argv[0] = words[0];
	if (jobs)
		argv[1] = arena_str(a, SPAN("-J"));
	memcpy(argv + 1 + jobs, words + 1, (n - 1) * sizeof(*argv));
	n += jobs;
	if (!jobs) {
		argv[n++] = arena_str(a, SPAN("-f"));
		argv[n++] = arena_str(a, span_cut(&text, '\0'));
		argv[n++] = arena_str(a, SPAN("--"));
		while (text.n > 0)
			argv[n++] = arena_str(a, span_cut(&text, '\0'));
	}
	return argv;
}

/* Who runs a route: 0, or the errno that says why not. */
static int
choose_user(const struct route *r, struct spawn *s, struct env *e)
{
	const char *name = r->user != NULL ? r->user : "pneu";

	if (!user_is_root())
		return 0;
	if (conf_account(name, &s->uid, &s->gid) == -1)
		return EPERM;
	s->user = true;
	if (s->uid == 0 &&
	    (r->user == NULL || strcmp(r->argv[0], "mdeliver") != 0 ||
		!sp.guarded))
		return EACCES;
	env_set(e, "HOME", SPAN("/"));
	return 0;
}

static int
start_route(const struct route *r, bool jobs, struct span text,
    const int fds[PASS_FDS], pid_t *pid)
{
	struct spawn s = {
		.in = fds[0], .out = fds[1], .err = fds[2], .group = true
	};
	struct env e;
	struct arena a;
	int err;

	arena_init(&a, 16 * PASS_MAX);
	env_init(&e);
	put_variables(&e, &text);
	if (fds[3] != -1) {
		s.keep_from[0] = fds[3];
		s.keep_to[0] = 3;
		s.nkeep = 1;
		env_set(&e, "MAIL_COMMITFD", SPAN("3"));
	}
	s.argv = make_argv(&a, r->argv, jobs, text);
	s.envp = env_vector(&e);
	err = choose_user(r, &s, &e);
	s.envp = env_vector(&e);
	*pid = err != 0 ? -1 : spawn(&s);
	if (err == 0 && *pid == -1)
		err = errno;
	env_free(&e);
	arena_free(&a);
	return err;
}

static void
start(
    const struct spawner_request *q, struct span text, const int fds[PASS_FDS])
{
	struct spawner_reply r = { .kind = SPAWNER_STARTED };
	pid_t pid = 0;

	if (q->generation != sp.generation || q->route >= sp.routes.n ||
	    sp.routes.v[q->route].argv == NULL)
		r.err = ESTALE;
	else if (sp.nchildren == CHILDREN)
		r.err = EAGAIN;
	else
		r.err = start_route(
		    &sp.routes.v[q->route], q->jobs, text, fds, &pid);
	if (r.err == 0) {
		sp.children[sp.nchildren++] = pid;
		r.pid = pid;
	}
	send_reply(r, SPAN(""));
}

static void
stop(pid_t pid)
{
	for (size_t i = 0; i < sp.nchildren; i++)
		if (sp.children[i] == pid)
			kill(-pid, SIGKILL);
}

static void
reap(void)
{
	struct spawner_reply r = { .kind = SPAWNER_ENDED };

	while ((r.pid = waitpid(-1, &r.status, WNOHANG)) > 0) {
		for (size_t i = 0; i < sp.nchildren; i++)
			if (sp.children[i] == r.pid)
				sp.children[i] = sp.children[--sp.nchildren];
		send_reply(r, SPAN(""));
	}
}

static void
on_child(int sig)
{
	int err = errno;

	(void)sig;
	if (write(sp.wake[1], "", 1) == -1)
		errno = err; /* it is full: that wakes, too */
	errno = err;
}

static void
take_request(void)
{
	struct spawner_request q;
	int fds[PASS_FDS];
	ssize_t n = pass_receive(sp.sock, packet, sizeof(packet), fds);
	struct span text;

	if (n < (ssize_t)sizeof(q))
		_exit(EXIT_OK);
	memcpy(&q, packet, sizeof(q));
	text = (struct span){ packet + sizeof(q), (size_t)n - sizeof(q) };
	switch ((enum spawner_kind)q.kind) {
	case SPAWNER_TABLE:
		give_table();
		break;
	case SPAWNER_START:
		start(&q, text, fds);
		break;
	case SPAWNER_KILL:
		stop(q.pid);
		break;
	}
	for (int i = 0; i < PASS_FDS; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

_Noreturn static void
serve(void)
{
	struct sigaction sa = { .sa_handler = on_child };
	struct pollfd p[2];
	char drop[64];

	if (spawn_pipe(sp.wake) == -1)
		die_sys(EXIT_TEMP, "pipe");
	fs_nonblock(sp.wake[0], true);
	fs_nonblock(sp.wake[1], true);
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGTERM, SIG_IGN); /* it ends when run does */
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	p[0] = (struct pollfd){ .fd = sp.sock, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = sp.wake[0], .events = POLLIN };
	for (;;) {
		p[0].revents = 0;
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			_exit(EXIT_TEMP);
		while (read(sp.wake[0], drop, sizeof(drop)) > 0)
			continue;
		reap();
		if (p[0].revents != 0)
			take_request();
	}
}

int
spawner_leave(void)
{
	int pair[2];

	if (pass_pair(pair) == -1)
		die_sys(EXIT_TEMP, "socket pair");
	switch (fork()) {
	case -1:
		die_sys(EXIT_TEMP, "fork");
	case 0:
		close(pair[0]);
		sp.sock = pair[1];
		serve();
	default:
		break;
	}
	close(pair[1]);
	return pair[0];
}
