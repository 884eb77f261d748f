/*
 * :include:FILE.  Anybody may own the file or a folder above it, so root
 * does not open it: a child does, as the user whom aliases run as.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mdeliver.h"

static int
open_list(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

_Noreturn static void
copy(const char *path, int to, uid_t uid, gid_t gid)
{
	static char buf[16384];
	ssize_t n = -1;
	int fd;

	if (user_become(uid, gid) == 0 && (fd = open_list(path)) != -1)
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			if (write_all(to, buf, (size_t)n, DEADLINE_NEVER) == -1)
				_exit(EXIT_TEMP);
	_exit(n == 0 ? EXIT_OK : EXIT_TEMP);
}

int
include_open(struct conf *c, const char *path, uid_t uid, gid_t gid, pid_t *pid)
{
	int fd[2], err;

	*pid = -1;
	if (!user_is_root())
		return conf_open_fd(c, open_list(path), path);
	if (spawn_pipe(fd) == -1)
		return -1;
	*pid = fork();
	err = errno;
	if (*pid == 0)
		copy(path, fd[1], uid, gid);
	close(fd[1]);
	if (*pid == -1) {
		close(fd[0]);
		errno = err;
		return -1;
	}
	return conf_open_fd(c, fd[0], path);
}

bool
include_close(struct conf *c, pid_t pid)
{
	conf_close(c); /* one that writes on gets EPIPE */
	return pid == -1 || spawn_wait(pid, false, DEADLINE_NEVER) == 0;
}
