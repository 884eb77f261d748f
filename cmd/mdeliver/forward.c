/*
 * Targets that are not Maildirs: the message is handed to another program
 * by the contract of transports, committed only when it was given whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/words.h"
#include "io/deadline.h"
#include "io/env.h"
#include "io/fs.h"
#include "io/out.h"
#include "io/spawn.h"
#include "mdeliver.h"

enum { ARGS_MAX = 64, COMMIT_FD = 3, SAYS = 512 };

struct handover {
	int in, commit, says; /* our ends */
	pid_t pid;
	struct out out;
	char buf[16384];
};

static void
put(void *ctx, struct span s)
{
	out_put(&((struct handover *)ctx)->out, s);
}

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
	return h->pid == -1 ? -1 : 0;
}

/* The last line it said, for the reply. */
static void
last_words(int fd, char *text, size_t size)
{
	char buf[SAYS];
	size_t n = 0;
	ssize_t r;

	fs_nonblock(fd, true);
	while ((r = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
		n += (size_t)r;
		if (n == sizeof(buf) - 1) { /* keep the end */
			memmove(buf, buf + n / 2, n - n / 2);
			n -= n / 2;
		}
	}
	while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
		n--;
	buf[n] = '\0';
	snprintf(text, size, "%s",
	    strrchr(buf, '\n') == NULL ? buf : strrchr(buf, '\n') + 1);
	for (char *p = text; *p != '\0'; p++)
		if (!is_print(*p))
			*p = '?';
}

static void
conclude(struct target *t, struct handover *h, int status)
{
	enum verdict v = spawn_verdict(status);
	char said[SAYS];

	last_words(h->says, said, sizeof(said));
	if (v == OK)
		target_set(t, OK, "2.0.0",
		    t->kind == TARGET_FORWARD ? "queued for %s as %s"
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
	int64_t deadline = deadline_in(TIME_COMMAND);
	int r;

	if (start(&h, argv, e) == -1) {
		target_set(
		    t, TEMP, "4.3.5", "%s: %s", argv[0], strerror(errno));
		return;
	}
	out_init(&h.out, h.in, h.buf, sizeof(h.buf));
	h.out.deadline = deadline;
	r = source_read(t->source, t->address, put, &h);
	if (r == 0)
		r = out_flush(&h.out);
	/* a command that does not read to the end may still say yes */
	if (r == -1 && errno == EPIPE)
		r = 0;
	close(h.in);
	if (r == 0 && write(h.commit, "y", 1) == -1)
		r = errno == EPIPE ? 0 : -1;
	close(h.commit);
	conclude(t, &h, spawn_wait(h.pid, true, deadline));
	close(h.says);
	if (r == 1)
		target_set(t, PERM, "5.4.6", "it was delivered to %s before",
		    t->address);
	else if (r == -1)
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
		hand_over(t, argv, &e);
	}
	env_free(&e);
	arena_free(&a);
}
