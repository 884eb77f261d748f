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
		if (m->stages[i].argv != NULL)
			runner.command[runner.ncommands++].argv =
			    m->stages[i].argv;
		else
			runner.addr[runner.naddrs++] = m->stages[i].addr;
	if (!m->direct)
		runner.command[runner.ncommands++] =
		    (struct runner_command){ m->sink, true };
	if (runner.ncommands + runner.naddrs > 0 && runner_start(&runner) == -1)
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

int
command_connect(size_t i, int64_t deadline, bool *temp)
{
	return runner_connect(&runner, i, deadline, temp);
}

void
command_kill(pid_t pid)
{
	runner_kill(&runner, pid);
}
