/*
 * The commands of the command line: started by a runner, which was forked
 * before the sandbox closed.
 */
#include "io/runner.h"
#include "mrecv.h"

static struct runner runner;

void
commands_open(const struct mrecv *m)
{
	for (size_t i = 0; i < m->nstages; i++)
		runner.command[i].argv = m->stages[i].argv;
	runner.ncommands = m->nstages;
	if (!m->direct)
		runner.command[runner.ncommands++] =
		    (struct runner_command){ m->sink, true };
	if (runner.ncommands > 0 && runner_start(&runner) == -1)
		die_sys(EXIT_TEMP, "runner");
}

pid_t
command_start(size_t i, const struct spawn *s, char *const *args)
{
	return runner_spawn(&runner, i, s, args);
}

int
command_wait(pid_t pid, int64_t deadline)
{
	return runner_wait(&runner, pid, deadline);
}

void
command_kill(pid_t pid)
{
	runner_kill(&runner, pid);
}
