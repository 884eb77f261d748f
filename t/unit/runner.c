/* runner: starts what it was told to before, and nothing else */
#include "io/runner.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/words.h"
#include "io/deadline.h"
#include "io/sandbox.h"
#include "test.h"

static struct arena a;
static struct runner r;
static char **envp;

static char **
words(const char *text)
{
	return words_split(&a, span_of(text));
}

static void
command(const char *text, bool transport)
{
	r.command[r.ncommands++] =
	    (struct runner_command){ words(text), transport };
}

/* All that is to be read from fd. */
static const char *
all_of(int fd)
{
	static char text[512];
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return text;
}

static void
test_run(void)
{
	int in[2], out[2], commit[2], status;
	struct spawn s = { .envp = envp, .err = -1 };
	pid_t pid;

	check(spawn_pipe(in) == 0 && spawn_pipe(out) == 0 &&
	    spawn_pipe(commit) == 0);
	s.in = in[0];
	s.out = out[1];
	s.keep_from[0] = commit[0];
	s.keep_to[0] = 3;
	s.nkeep = 1;
	pid = runner_spawn(&r, 0, &s, NULL);
	check(pid > 0);
	close(in[0]);
	close(out[1]);
	close(commit[0]);
	check(write(in[1], "hello ", 6) == 6);
	close(in[1]);
	check(write(commit[1], "y\n", 2) == 2);
	close(commit[1]);
	check(strcmp(all_of(out[0]), "hello a@b||c\ny\n") == 0);
	status = runner_wait(&r, pid, deadline_in(60));
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	check(runner_wait(&r, pid, deadline_in(1)) == -1 && errno == ECHILD);
}

static void
test_transport(void)
{
	char **good = words("-f a@b -- c@d -x@e"), **bad = words("c@d -f --");
	struct spawn s = { .envp = envp, .in = -1, .err = -1 };
	int out[2], status;
	pid_t pid;

	check(spawn_pipe(out) == 0);
	s.out = out[1];
	check(runner_spawn(&r, 0, &s, good) == -1 && errno == EINVAL);
	check(runner_spawn(&r, 1, &s, bad) == -1 && errno == EINVAL);
	pid = runner_spawn(&r, 1, &s, good);
	check(pid > 0);
	close(out[1]);
	check(strcmp(all_of(out[0]), "-f a@b -- c@d -x@e\n") == 0);
	status = runner_wait(&r, pid, deadline_in(60));
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
test_refusals(void)
{
	struct spawn s = { .envp = envp, .in = -1, .out = -1, .err = -1 };
	bool temp;

	check(runner_spawn(&r, 4, &s, NULL) == -1 && errno == EINVAL);
	check(runner_spawn(&r, 3, &s, NULL) == -1 && errno == ENOENT);
	check(runner_connect(&r, 0, deadline_in(1), &temp) == -1);
	check(runner_wait(&r, getpid(), deadline_in(1)) == -1);
}

static void
test_ends(void)
{
	struct spawn s = { .envp = envp, .in = -1, .out = -1, .err = -1 };
	pid_t pid = runner_spawn(&r, 2, &s, NULL);
	int status;

	check(pid > 0);
	runner_kill(&r, pid);
	check(kill(pid, 0) == -1);
	pid = runner_spawn(&r, 2, &s, NULL);
	status = runner_wait(&r, pid, deadline_in(0));
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	close(r.fd);
	check(waitpid(r.pid, &status, 0) == r.pid && status == 0);
	check(runner_spawn(&r, 0, &s, NULL) == -1);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	arena_init(&a, 65536);
	command("sh -c 'cat; echo \"$MAIL_FROM|$LD_X|$SSL_CIPHER\"; "
		"read x <&3; echo $x; exit 7'",
	    false);
	command("sh -c 'echo \"$*\"' sh", true);
	command("sleep 600", false);
	command("/nonexistent/program", false);
	envp = words("MAIL_FROM=a@b LD_X=bad SSL_CIPHER=c 'MAIL_RCPTS=1\n2'");
	check(runner_start(&r) == 0);
	check(sandbox_files() == 0);
	test_run();
	test_transport();
	test_refusals();
	test_ends();
	return done();
}
