#include "io/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int
sandbox_limits(bool no_fork, uint64_t memory)
{
	struct rlimit none = { 0, 0 }, space = { memory, memory };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1)
		return -1;
	if (no_fork && setrlimit(RLIMIT_NPROC, &none) == -1)
		return -1;
	if (memory != 0 && setrlimit(RLIMIT_AS, &space) == -1)
		return -1;
	return 0;
}

/*
 * What moves bytes between descriptors that are open, and what libc does
 * on its own account (memory, signals, time, random bytes, the end).
 */
static const int streams[] = {
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_recvfrom,
	SYS_sendto,
	SYS_recvmsg,
	SYS_sendmsg,
	SYS_shutdown,
	SYS_close,
	SYS_ppoll,
	SYS_fcntl,
	SYS_fstat,
	SYS_lseek,
	SYS_dup,
	SYS_dup3,
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_futex,
	SYS_set_robust_list, /* a thread begins with these */
	SYS_rseq,
	SYS_sched_getaffinity,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall, /* a poll that was stopped and goes on */
	SYS_sigaltstack,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_getrandom,
	SYS_getpid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getsockopt,
	SYS_setsockopt,
	SYS_getpeername,
	SYS_getsockname,
	SYS_exit,
	SYS_exit_group,
	SYS_sched_yield,
	SYS_tgkill,
	SYS_uname,
	SYS_newfstatat,
#ifdef SYS_poll
	SYS_poll,
	SYS_time,
	SYS_dup2,
	SYS_select,
#endif
};

/* What opens files and changes folders: Landlock says which. */
static const int files[] = {
	SYS_openat,
	SYS_unlinkat,
	SYS_renameat,
	SYS_renameat2,
	SYS_linkat,
	SYS_fsync,
	SYS_fdatasync,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_pread64,
	SYS_pwrite64,
	SYS_fchmod,
	SYS_utimensat,
	SYS_statx,
	SYS_readlinkat,
	SYS_faccessat,
	SYS_getdents64,
	SYS_fstatfs,
	SYS_statfs,
	SYS_flock,
	SYS_umask,
	SYS_getcwd,
	SYS_getgid,
	SYS_getegid,
	SYS_getppid,
	SYS_memfd_create,
	SYS_pipe2,
	SYS_wait4,
#ifdef SYS_open
	SYS_open,
	SYS_unlink,
	SYS_rename,
	SYS_link,
	SYS_stat,
	SYS_lstat,
	SYS_access,
	SYS_readlink,
#endif
};

/* What makes, removes and watches folders. */
static const int folders[] = {
	SYS_mkdirat,
	SYS_inotify_init1,
	SYS_inotify_add_watch,
	SYS_inotify_rm_watch,
	SYS_copy_file_range,
	SYS_sendfile,
	SYS_fadvise64,
#ifdef SYS_mkdir
	SYS_mkdir,
	SYS_rmdir,
	SYS_inotify_init,
#endif
};

enum {
	NSTREAMS = sizeof(streams) / sizeof(streams[0]),
	NFILES = sizeof(files) / sizeof(files[0]),
	NFOLDERS = sizeof(folders) / sizeof(folders[0]),
	NALL = NSTREAMS + NFILES + NFOLDERS
};

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef SANDBOX_ARCH
/*
 * A filter that finds a number by halving: the kernel runs it once for
 * each call there is when it is put in place, so a long list of
 * comparisons would cost more than all that it checks.
 *
 * The edges are where the calls that are allowed begin and end: a number
 * with an odd count of edges at or below it is allowed.
 */
struct edges {
	uint32_t at[2 * NALL];
	size_t n;
};

enum { HEAD = 4, THREADS = 5, CODE_MAX = 2 * NALL + HEAD + THREADS + 2 };

static void
add_call(struct edges *e, uint32_t nr)
{
	uint32_t add[2] = { nr, nr + 1 };

	/* an edge that is there twice is none */
	for (size_t k = 0; k < 2; k++) {
		size_t i = 0;

		while (i < e->n && e->at[i] < add[k])
			i++;
		if (i < e->n && e->at[i] == add[k]) {
			e->n--;
			memmove(e->at + i, e->at + i + 1,
			    (e->n - i) * sizeof(e->at[0]));
		} else {
			memmove(e->at + i + 1, e->at + i,
			    (e->n - i) * sizeof(e->at[0]));
			e->at[i] = add[k];
			e->n++;
		}
	}
}

/* Two answers are the last of it, and jumps are forward. */
struct code {
	struct sock_filter at[CODE_MAX];
	unsigned n, no, yes;
};

_Static_assert(CODE_MAX < 256, "a jump is a byte");

static void
put(struct code *c, struct sock_filter f)
{
	c->at[c->n++] = f;
}

/* Where the code is for what lies between the edges lo and hi. */
static unsigned
halve(struct code *c, const struct edges *e, size_t lo, size_t hi)
{
	size_t mid = lo + (hi - lo) / 2;
	unsigned here = c->n, below, above;

	if (lo == hi)
		return lo % 2 == 1 ? c->yes : c->no;
	c->n++;
	below = halve(c, e, lo, mid);
	above = halve(c, e, mid + 1, hi);
	c->at[here] =
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, e->at[mid],
		(uint8_t)(above - here - 1), (uint8_t)(below - here - 1));
	return here;
}

/*
 * A thread, but no process: the flags are the first argument of clone, and
 * behind a pointer in clone3, which libc does without.
 */
static void
put_threads(struct code *c)
{
	put(c,
	    (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
	put(c,
	    (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	put(c,
	    (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 2));
	put(c,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)offsetof(struct seccomp_data, args[0])));
	put(c,
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
		CLONE_THREAD, (uint8_t)(c->yes - c->n - 1),
		(uint8_t)(c->no - c->n - 1)));
}
#endif

/* Allow the first list, so many of the others, and nothing else. */
static int
allow_calls(unsigned nfiles, unsigned nfolders, bool threads)
{
#ifdef SANDBOX_ARCH
	struct code c = { .n = 0 };
	struct sock_fprog prog = { .filter = c.at };
	struct edges e = { .n = 0 };

	for (unsigned i = 0; i < NSTREAMS; i++)
		add_call(&e, (uint32_t)streams[i]);
	for (unsigned i = 0; i < nfiles; i++)
		add_call(&e, (uint32_t)files[i]);
	for (unsigned i = 0; i < nfolders; i++)
		add_call(&e, (uint32_t)folders[i]);
	c.no = HEAD + (threads ? THREADS : 0U) + (unsigned)e.n;
	c.yes = c.no + 1;
	put(&c,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)offsetof(struct seccomp_data, arch)));
	put(&c,
	    (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0));
	put(&c,
	    (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	put(&c,
	    (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)offsetof(struct seccomp_data, nr)));
	if (threads)
		put_threads(&c);
	halve(&c, &e, 0, e.n);
	put(&c,
	    (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	put(&c,
	    (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	prog.len = (unsigned short)c.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == -1 &&
	    errno != EINVAL && errno != ENOSYS)
		return -1;
#endif
	return 0;
}

int
sandbox_streams(void)
{
	return allow_calls(0, 0, false);
}

int
sandbox_files(void)
{
	return allow_calls(NFILES, 0, false);
}

int
sandbox_folders(void)
{
	return allow_calls(NFILES, NFOLDERS, true);
}

bool
sandbox_has_calls(void)
{
#ifdef SANDBOX_ARCH
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != -1;
#else
	return false;
#endif
}

/*
 * The search for leaks at exit starts a thread and traces us: what a
 * sandbox is there to forbid.
 */
#ifdef __SANITIZE_ADDRESS__
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif
