/*
 * inject - have a running process make one system call, and tell its end
 *
 * usage: inject PID open PATH | connect PORT | exec PATH | fork
 *
 * Prints "ok" or the name of the error.  By ptrace: the process must wait
 * in a system call.  For tests of sandboxes: what a process that was taken
 * over could do.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

enum { BELOW_STACK = 8192 };

static pid_t pid;
static struct user_regs_struct saved;

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
poke(unsigned long long to, const void *p, size_t n)
{
	struct iovec ours = { (void *)(size_t)p, n };
	struct iovec theirs = { (void *)(size_t)to, n };

	if (process_vm_writev(pid, &ours, 1, &theirs, 1, 0) != (ssize_t)n)
		fail("write to the process");
}

/* The result of the call, or minus an errno. */
static long long
call(long nr, unsigned long long a, unsigned long long b, unsigned long long c,
    unsigned long long d)
{
	struct user_regs_struct r = saved;
	int status;

	r.rip -= 2; /* the instruction it waits in */
	r.orig_rax = (unsigned long long)-1;
	r.rax = (unsigned long long)nr;
	r.rdi = a;
	r.rsi = b;
	r.rdx = c;
	r.r10 = d;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &r) == -1 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1)
		fail("ptrace");
	if (waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status)) {
		puts("gone");
		exit(0);
	}
	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) == -1)
		fail("ptrace");
	return (long long)r.rax;
}

static long long
do_connect(unsigned short port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned long long at = saved.rsp - BELOW_STACK;
	long long fd = call(SYS_socket, AF_INET, SOCK_STREAM, 0, 0);

	if (fd < 0)
		return fd;
	poke(at, &to, sizeof(to));
	return call(SYS_connect, (unsigned long long)fd, at, sizeof(to), 0);
}

static long long
carry_out(char *argv[])
{
	unsigned long long at = saved.rsp - BELOW_STACK;

	if (strcmp(argv[2], "fork") == 0)
		return call(SYS_clone, 17, 0, 0, 0); /* SIGCHLD */
	if (argv[3] == NULL) {
		fprintf(stderr, "inject: wrong usage\n");
		exit(64);
	}
	if (strcmp(argv[2], "connect") == 0)
		return do_connect((unsigned short)strtoul(argv[3], NULL, 10));
	poke(at, argv[3], strlen(argv[3]) + 1);
	if (strcmp(argv[2], "open") == 0)
		return call(
		    SYS_openat, (unsigned long long)AT_FDCWD, at, O_RDONLY, 0);
	if (strcmp(argv[2], "exec") == 0)
		return call(SYS_execve, at, 0, 0, 0);
	fprintf(stderr, "inject: wrong usage\n");
	exit(64);
}

int
main(int argc, char *argv[])
{
	int status;
	long long r;

	if (argc < 3)
		return 64;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1 ||
	    waitpid(pid, &status, 0) == -1 ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &saved) == -1)
		fail("attach");
	r = carry_out(argv);
	puts(r >= 0 ? "ok" : strerrorname_np((int)-r));
	if (r < 0 || strcmp(argv[2], "exec") != 0)
		ptrace(PTRACE_SETREGS, pid, NULL, &saved);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}

#else
int
main(void)
{
	puts("only on x86-64");
	return 77;
}
#endif
