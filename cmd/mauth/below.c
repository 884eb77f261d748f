/*
 * With -r the monitor stays, as it was, below its server: it waits, and
 * reads what the server has left in a pipe when that ends by the status
 * that says so.  It is for the next greeter, and only that looks into it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "io/spawn.h"
#include "mauth.h"

static volatile sig_atomic_t below;

static void
on_term(int sig)
{
	kill((pid_t)below, sig);
}

static void
stop_by(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
}

/* Nobody writes any more. */
static void
take_unread(struct mauth *m, int fd)
{
	ssize_t n;

	m->nunread = 0;
	if (fs_nonblock(fd, true) == -1)
		die_sys(EXIT_TEMP, "take the session back");
	while (m->nunread < sizeof(m->unread) &&
	    (n = read(fd, m->unread + m->nunread,
		 sizeof(m->unread) - m->nunread)) > 0)
		m->nunread += (size_t)n;
}

static int
status_of(pid_t pid)
{
	siginfo_t info;
	int status;

	/* it keeps its number until no signal is passed on any more */
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1)
		if (errno != EINTR)
			die_sys(EXIT_TEMP, "wait for the server");
	stop_by(SIG_DFL);
	if (waitpid(pid, &status, 0) == -1)
		die_sys(EXIT_TEMP, "wait for the server");
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TEMP;
}

/* SIGTERM is for the server, from its first moment on. */
static pid_t
start(struct mauth *m, struct login *l, struct session *s, int fd[2])
{
	sigset_t term, before;
	pid_t pid;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	if ((pid = fork()) == -1)
		die_sys(EXIT_TEMP, "start the server");
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		close(fd[0]);
		if (fs_cloexec(fd[1], false) == -1)
			die_sys(EXIT_TEMP, "hand over the session");
		env_setf(&m->env, "PNEU_AGAIN", "%d", fd[1]);
		server(m, l, s);
	}
	below = pid;
	stop_by(on_term);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

void
server_below(struct mauth *m, struct login *l, struct session *s)
{
	int fd[2], status;
	pid_t pid;

	if (spawn_pipe(fd) == -1)
		die_sys(EXIT_TEMP, "hand over the session");
	pid = start(m, l, s, fd);
	close(fd[1]);
	if (l->seat != -1)
		close(l->seat);
	wipe(l, sizeof(*l));
	wipe(s, sizeof(*s));
	status = status_of(pid);
	if (status != SESSION_AGAIN)
		exit(status);
	take_unread(m, fd[0]);
	close(fd[0]);
}
