/*
 * Targets that are not Maildirs: the message is handed to another program
 * by the contract of transports, committed only when it was given whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/words.h"
#include "io/deadline.h"
#include "io/env.h"
#include "io/fs.h"
#include "io/spawn.h"
#include "mdeliver.h"
#include "queue/job.h"

enum { ARGS_MAX = 64, COMMIT_FD = 3, SAYS = 512, LOOK_MS = 100 };

struct handover {
	int in, commit, says; /* our ends */
	pid_t pid;
	int64_t deadline;
	int err; /* the first errno of giving it the message */
	size_t n, nsaid;
	char buf[16384], said[SAYS]; /* the end of what it said */
};

static int
start(struct handover *h, char *const *argv, struct env *e)
{
	int in[2], commit[2], says[2];
	struct spawn s = { .argv = argv,
		.keep_to = { COMMIT_FD },
		.nkeep = 1,
		.group = true };

	if (spawn_pipe(in) == -1 || spawn_pipe(commit) == -1 ||
	    spawn_pipe(says) == -1)
		return -1;
	env_setf(e, "MAIL_COMMITFD", "%d", COMMIT_FD);
	s.envp = env_vector(e);
	s.in = in[0];
	s.out = s.err = says[1];
	s.keep_from[0] = commit[0];
	h->pid = spawn(&s);
	close(in[0]);
	close(commit[0]);
	close(says[1]);
	h->in = in[1];
	h->commit = commit[1];
	h->says = says[0];
	fs_nonblock(h->in, true);
	fs_nonblock(h->says, true);
	return h->pid == -1 ? -1 : 0;
}

/* Take what it says, so that it never waits for us. */
static void
hear(struct handover *h)
{
	ssize_t r;

	if (h->nsaid == SAYS) {
		memmove(h->said, h->said + SAYS / 2, SAYS / 2);
		h->nsaid = SAYS / 2;
	}
	r = read(h->says, h->said + h->nsaid, SAYS - h->nsaid);
	if (r > 0) {
		h->nsaid += (size_t)r;
	} else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(h->says);
		h->says = -1;
	}
}

static void
give(struct handover *h)
{
	size_t at = 0;

	while (at < h->n && h->err == 0) {
		struct pollfd p[2] = { { .fd = h->in, .events = POLLOUT },
			{ .fd = h->says, .events = POLLIN } };
		int r = poll(p, 2, deadline_left(h->deadline));
		ssize_t n;

		if (r == 0)
			h->err = ETIMEDOUT;
		if (r > 0 && p[1].revents != 0)
			hear(h);
		if (r <= 0 || p[0].revents == 0)
			continue;
		n = write(h->in, h->buf + at, h->n - at);
		if (n > 0)
			at += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			h->err = errno;
	}
	h->n = 0;
}

static void
put(void *ctx, struct span s)
{
	struct handover *h = ctx;

	while (s.n > 0) {
		size_t n = sizeof(h->buf) - h->n;
		struct span part = span_take(&s, n < s.n ? n : s.n);

		memcpy(h->buf + h->n, part.p, part.n);
		h->n += part.n;
		if (h->n == sizeof(h->buf))
			give(h);
	}
}

/* Until it ends, closes its output or has taken too long. */
static void
hear_out(struct handover *h)
{
	for (;;) {
		struct pollfd p = { .fd = h->says, .events = POLLIN };
		int left = deadline_left(h->deadline), r;
		siginfo_t si = { .si_pid = 0 };

		if (h->says == -1 || left == 0)
			return;
		r = poll(&p, 1, left < LOOK_MS ? left : LOOK_MS);
		if (r > 0)
			hear(h);
		/* what it left behind may hold its output open */
		else if (waitid(P_PID, (id_t)h->pid, &si,
			     WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    si.si_pid == h->pid)
			return;
	}
}

/* The last line it said, for the reply. */
static void
last_words(const struct handover *h, char *text, size_t size)
{
	struct span s = { h->said, h->nsaid };
	size_t at;

	while (s.n > 0 && !is_print(s.p[s.n - 1]))
		s.n--;
	at = span_rchr(s, '\n');
	if (at < s.n)
		span_take(&s, at + 1);
	snprintf(text, size, "%.*s", (int)s.n, s.p);
	for (char *p = text; *p != '\0'; p++)
		if (!is_print(*p))
			*p = '?';
}

static void
conclude(struct target *t, struct handover *h, int status)
{
	enum verdict v = spawn_verdict(status);
	char said[SAYS + 1];

	last_words(h, said, sizeof(said));
	if (v == OK)
		target_set(t, OK, "2.0.0",
		    t->kind == TARGET_FORWARD ? JOB_EXPANDED "%s as %s"
					      : "given to %s: %s",
		    t->path, said);
	else
		target_set(t, v, v == PERM ? "5.3.0" : "4.3.0", "%s: %s %s",
		    t->path, spawn_why(status), said);
}

static void
hand_over(struct target *t, char *const *argv, struct env *e)
{
	static struct handover h;
	int r;

	h = (struct handover){ .deadline = deadline_in(TIME_COMMAND) };
	if (start(&h, argv, e) == -1) {
		target_set(
		    t, TEMP, "4.3.5", "%s: %s", argv[0], strerror(errno));
		return;
	}
	r = source_read(t->source, t->address, put, &h);
	if (r == 0)
		give(&h);
	/* a command that does not read to the end may still say yes */
	if (h.err == EPIPE)
		h.err = 0;
	close(h.in);
	if (r == 0 && h.err == 0 && write(h.commit, "y", 1) == -1 &&
	    errno != EPIPE)
		h.err = errno;
	close(h.commit);
	hear_out(&h);
	conclude(t, &h, spawn_wait(h.pid, true, h.deadline));
	if (h.says != -1)
		close(h.says);
	if (r == 1)
		target_set(t, PERM, "5.4.6", "it was delivered to %s before",
		    t->address);
	else if (r == -1 || h.err != 0)
		target_set(t, TEMP, "4.3.0", "%s: not given whole", t->path);
}

/* COMMAND ARG... -f SENDER -- RCPT */
static bool
command_line(struct target *t, struct arena *a, char **argv)
{
	const char *sender = source_sender(t->source);
	static char mqueue[] = "mqueue", verb[] = "add", f[] = "-f",
		    end[] = "--";
	char *queue[] = { mqueue, verb, NULL };
	char **words = t->kind == TARGET_FORWARD
	    ? queue
	    : words_split(a, span_of(t->path));
	const char *rcpt = t->kind == TARGET_FORWARD ? t->path : t->address;
	size_t n = 0;

	if (sender == NULL || words == NULL)
		return false;
	for (; words[n] != NULL && n < ARGS_MAX - 5; n++)
		argv[n] = words[n];
	argv[n++] = f;
	argv[n++] = arena_str(a, span_of(sender));
	argv[n++] = end;
	argv[n++] = arena_str(a, span_of(rcpt));
	argv[n] = NULL;
	return true;
}

void
forward_target(struct target *t)
{
	static struct env e;
	char *argv[ARGS_MAX];
	struct arena a;

	signal(SIGPIPE, SIG_IGN);
	arena_init(&a, 65536);
	env_init(&e);
	if (!command_line(t, &a, argv)) {
		target_set(t, TEMP, "4.3.5", "%s: not a command", t->path);
	} else {
		if (t->source->id[0] != '\0')
			env_set(&e, "MAIL_PARENT", span_of(t->source->id));
		env_set(&e, "MAIL_FROM", span_of(source_sender(t->source)));
		env_set(&e, "MAIL_RCPTS", span_of(t->address));
		if (asks_pass(&e, t))
			hand_over(t, argv, &e);
		else
			target_set(t, TEMP, "4.3.0",
			    "%s: what its sender "
			    "asked for can't be passed on",
			    t->path);
	}
	env_free(&e);
	arena_free(&a);
}
