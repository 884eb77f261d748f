/* sandbox: what a process can't do any more */
#include "io/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static char dir[] = "/tmp/pneu-sandbox-XXXXXX";

static const char *
at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
make(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	check(fd != -1);
	close(fd);
}

/* 0, or the errno of opening it. */
static int
try_open(const char *name, int flags)
{
	int fd = open(at(name), flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return errno;
	close(fd);
	return 0;
}

static int
try_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return errno;
	errno = 0;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		errno = 0;
	return errno;
}

static int
try_exec(void)
{
	char *argv[] = { NULL, NULL };

	argv[0] = dir;
	execv("/bin/true", argv);
	return errno;
}

static void *
no_work(void *arg)
{
	return arg;
}

static bool
try_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, no_work, NULL) == 0 &&
	    pthread_join(t, NULL) == 0;
}

/* Run fn in a child: the number of its checks that did not hold. */
static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int
only_paths(void)
{
	const struct sandbox_path p[] = { { "read", SANDBOX_READ },
		{ "make", SANDBOX_MAKE | SANDBOX_WRITE },
		{ "not there", SANDBOX_READ }, { "one", SANDBOX_READ } };
	int bad = 0;

	if (chdir(dir) == -1 || sandbox_paths(p, 4) == -1)
		return 99;
	bad += try_open("read/a", O_RDONLY) != 0;
	bad += try_open("read/a", O_WRONLY) != EACCES;
	bad += try_open("read", O_RDONLY | O_DIRECTORY) != EACCES;
	bad += try_open("read/new", O_WRONLY | O_CREAT) != EACCES;
	bad += try_open("make/new", O_WRONLY | O_CREAT) != 0;
	bad += try_open("make/a", O_RDONLY) != EACCES;
	bad += try_open("make", O_RDONLY | O_DIRECTORY) != EACCES;
	bad += renameat(AT_FDCWD, "make/sub/b", AT_FDCWD, "make/b") != 0;
	bad += unlink("make/a") != 0;
	bad += try_open("one", O_RDONLY) != 0;
	bad += try_open("other", O_RDONLY) != EACCES;
	bad += unlink("other") != -1;
	bad += open("/etc/passwd", O_RDONLY) != -1;
	bad += try_exec() != EACCES;
	return bad;
}

static int
no_path(void)
{
	if (sandbox_paths(NULL, 0) == -1)
		return 99;
	return try_open("read/a", O_RDONLY) != EACCES;
}

static int
only_files(void)
{
	int bad = 0;

	if (sandbox_files() == -1)
		return 99;
	bad += try_open("read/a", O_RDONLY) != 0;
	bad += try_open("make/c", O_WRONLY | O_CREAT) != 0;
	bad += try_thread();
	bad += try_connect() != EPERM;
	bad += try_exec() != EPERM;
	bad += fork() != -1 || errno != EPERM;
	return bad;
}

static int
only_folders(void)
{
	int bad = 0;

	if (sandbox_folders() == -1)
		return 99;
	bad += !try_thread();
	bad += try_connect() != EPERM;
	bad += try_exec() != EPERM;
	bad += fork() != -1 || errno != EPERM;
	return bad;
}

static int
only_streams(void)
{
	int bad = 0, fd[2];

	if (pipe(fd) == -1 || sandbox_streams() == -1)
		return 99;
	bad += write(fd[1], "x", 1) != 1;
	bad += try_open("read/a", O_RDONLY) != EPERM;
	bad += try_connect() != EPERM;
	bad += try_exec() != EPERM;
	return bad;
}

int
main(void)
{
	check(mkdtemp(dir) != NULL);
	check(mkdir(at("read"), 0700) == 0);
	check(mkdir(at("make"), 0700) == 0);
	check(mkdir(at("make/sub"), 0700) == 0);
	make("read/a");
	make("make/a");
	make("make/sub/b");
	make("one");
	make("other");
	if (sandbox_has_paths()) {
		check(in_child(only_paths) == 0);
		check(in_child(no_path) == 0);
	}
	check(in_child(only_files) == 0);
	check(in_child(only_folders) == 0);
	check(in_child(only_streams) == 0);
	unlink(at("read/a"));
	unlink(at("make/new"));
	unlink(at("make/b"));
	unlink(at("make/c"));
	unlink(at("one"));
	unlink(at("other"));
	rmdir(at("read"));
	rmdir(at("make/sub"));
	rmdir(at("make"));
	check(rmdir(dir) == 0);
	return done();
}
