#include "io/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/conf.h"
#include "io/deadline.h"

enum { PATIENCE = 2, EXIT_DROP_QMAIL = 99, EXIT_PERM_QMAIL = 100 };

extern char **environ;

const char *
spawn_self_dir(void)
{
	static char dir[LIMIT_PATH];
	static bool known;
	ssize_t n;

	if (known)
		return dir;
	known = true;
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	if (n > 0) {
		char *slash;

		dir[n] = '\0';
		slash = strrchr(dir, '/');
		if (slash != NULL)
			*slash = '\0';
	} else {
		dir[0] = '\0';
	}
	return dir;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

/* dir/name into path, if that is a program. */
static bool
program_in(struct span dir, const char *name, char *path, size_t size)
{
	int n = snprintf(path, size, "%.*s/%s", (int)dir.n, dir.p, name);

	return dir.n > 0 && n > 0 && (size_t)n < size && is_program(path);
}

bool
spawn_find(const char *name, char *path, size_t size)
{
	const char *env = getenv("PATH");
	struct span list = span_of(env != NULL ? env : "/usr/bin:/bin");
	int n;

	if (strchr(name, '/') != NULL) {
		n = snprintf(path, size, "%s", name);
		return n > 0 && (size_t)n < size && is_program(path);
	}
	if (name[0] == '\0')
		return false;
	if (program_in(span_of(spawn_self_dir()), name, path, size) ||
	    program_in(span_of(conf_bin()), name, path, size))
		return true;
	while (list.n > 0)
		if (program_in(span_cut(&list, ':'), name, path, size))
			return true;
	return false;
}

/* Move fd out of the way of the numbers that will be given away. */
static int
lift(int fd, int above)
{
	return fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, above);
}

static int
place(int from, int to)
{
	if (from == -1)
		from = open("/dev/null", to == 0 ? O_RDONLY : O_WRONLY);
	return from == -1 ? -1 : dup2(from, to);
}

/*
 * Set the descriptors of the child: 0, 1, 2 and the kept ones, and no
 * other.
 */
static int
arrange(const struct spawn *s)
{
	int std[3] = { s->in, s->out, s->err }, keep[5];
	int top = 2;

	for (size_t i = 0; i < s->nkeep; i++)
		if (s->keep_to[i] > top)
			top = s->keep_to[i];
	for (int i = 0; i < 3; i++)
		if (std[i] != -1 && (std[i] = lift(std[i], top + 1)) == -1)
			return -1;
	for (size_t i = 0; i < s->nkeep; i++)
		if ((keep[i] = lift(s->keep_from[i], top + 1)) == -1)
			return -1;
	for (int i = 0; i < 2; i++)
		if (place(std[i], i) == -1)
			return -1;
	if (std[2] != -1 && place(std[2], 2) == -1)
		return -1;
	for (int fd = 3; fd <= top; fd++)
		close(fd);
	for (size_t i = 0; i < s->nkeep; i++)
		if (dup2(keep[i], s->keep_to[i]) == -1)
			return -1;
	if (close_range((unsigned)top + 1, ~0U, 0) == -1) {
		struct rlimit r;
		int max =
		    getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < 65536
		    ? (int)r.rlim_cur
		    : 65536;

		for (int fd = top + 1; fd < max; fd++)
			close(fd);
	}
	return 0;
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: all but exec, or -1. */
static int
prepare(const struct spawn *s)
{
	reset_signals();
	if (s->group && setpgid(0, 0) == -1)
		return -1;
	if (arrange(s) == -1)
		return -1;
	if (s->user && geteuid() == 0 &&
	    (setgroups(0, NULL) == -1 ||
		setresgid(s->gid, s->gid, s->gid) == -1 ||
		setresuid(s->uid, s->uid, s->uid) == -1))
		return -1;
	return s->dir != NULL ? chdir(s->dir) : 0;
}

/*
 * The child reports an errno through a pipe that its exec closes.  The
 * pipe's end is the descriptor above all that the child keeps, so it is
 * moved there first and spared by hand.
 */
static void
report(int fd, int err)
{
	if (write(fd, &err, sizeof(err)) == -1)
		_exit(EXIT_TEMP);
	_exit(EXIT_TEMP);
}

pid_t
spawn(const struct spawn *s)
{
	struct spawn c = *s;
	char path[LIMIT_PATH];
	int say[2], err = 0, top = 2;
	pid_t pid;
	ssize_t n;

	if (!spawn_find(s->argv[0], path, sizeof(path))) {
		errno = ENOENT;
		return -1;
	}
	if (spawn_pipe(say) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < c.nkeep; i++)
			if (c.keep_to[i] > top)
				top = c.keep_to[i];
		/* one more kept descriptor: our end of the pipe */
		c.keep_from[c.nkeep] = say[1];
		c.keep_to[c.nkeep++] = top + 1;
		if (prepare(&c) == -1)
			report(say[1], errno);
		fcntl(top + 1, F_SETFD, FD_CLOEXEC);
		execve(path, s->argv,
		    s->envp != NULL ? s->envp : (char *const *)environ);
		report(top + 1, errno);
	}
	err = errno;
	close(say[1]);
	if (pid == -1) {
		close(say[0]);
		errno = err;
		return -1;
	}
	if (s->group)
		setpgid(pid, pid); /* whoever comes first */
	err = 0;
	do
		n = read(say[0], &err, sizeof(err));
	while (n == -1 && errno == EINTR);
	close(say[0]);
	if (n == 0)
		return pid;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	errno = n == (ssize_t)sizeof(err) ? err : EIO;
	return -1;
}

int
spawn_exec(char *const *argv, char *const *envp)
{
	char path[LIMIT_PATH];

	if (!spawn_find(argv[0], path, sizeof(path))) {
		errno = ENOENT;
		return -1;
	}
	return execve(path, argv, envp != NULL ? envp : (char *const *)environ);
}

/* Wait with short sleeps, which grow: there is no waitpid with a limit. */
static bool
wait_until(pid_t pid, int64_t deadline, int *status)
{
	struct timespec nap = { 0, 200000 };

	for (;;) {
		pid_t r = waitpid(
		    pid, status, deadline == DEADLINE_NEVER ? 0 : WNOHANG);

		if (r == pid)
			return true;
		if (r == -1 && errno != EINTR) {
			*status = -1;
			return true;
		}
		if (r == 0 && deadline_left(deadline) == 0)
			return false;
		if (r == 0)
			nanosleep(&nap, NULL);
		if (nap.tv_nsec < 20000000)
			nap.tv_nsec *= 2;
	}
}

int
spawn_wait(pid_t pid, bool group, int64_t deadline)
{
	pid_t target = group ? -pid : pid;
	int status;

	if (wait_until(pid, deadline, &status))
		return status;
	kill(target, SIGTERM);
	if (!wait_until(pid, deadline_in(PATIENCE), &status)) {
		kill(target, SIGKILL);
		wait_until(pid, DEADLINE_NEVER, &status);
	} else if (group) {
		kill(target, SIGKILL); /* what it left behind */
	}
	/* it was stopped: whatever it said, it did not finish by itself */
	return status == -1 || WIFSIGNALED(status) ? status : SIGTERM;
}

bool
spawn_dropped(int status)
{
	return status != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_DROP_QMAIL;
}

enum verdict
spawn_verdict(int status)
{
	if (status == -1 || !WIFEXITED(status))
		return TEMP;
	switch (WEXITSTATUS(status)) {
	case EXIT_OK:
	case EXIT_DROP_QMAIL:
		return OK;
	case EXIT_DATAERR:
	case EXIT_NOUSER:
	case EXIT_NOHOST:
	case EXIT_UNAVAILABLE:
	case EXIT_NOPERM:
	case EXIT_PERM_QMAIL:
		return PERM;
	default:
		return TEMP;
	}
}

int
spawn_fault(int status)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
		SIGSYS, SIGTRAP };

	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (WIFSIGNALED(status) && WTERMSIG(status) == faults[i])
			return faults[i];
	return 0;
}

const char *
spawn_why(int status)
{
	static char why[32];

	if (status == -1)
		snprintf(why, sizeof(why), "lost");
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "exit %d", WEXITSTATUS(status));
	return why;
}

void
spawn_adopt(void)
{
#ifdef PR_SET_CHILD_SUBREAPER
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
}

int
spawn_pipe(int fd[2])
{
	return pipe2(fd, O_CLOEXEC);
}

int
spawn_socketpair(int fd[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd);
}
