/*
 * The part of sandbox that the kernel's Landlock does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/sandbox.h"

/* What later kernels know, and the headers of earlier ones do not. */
enum {
	ABI_REFER = 2,
	ABI_TRUNCATE = 3,
	ABI_NET = 4,
	ABI_SCOPE = 6,
	FS_TRUNCATE = 1 << 14,
	NET_BIND_CONNECT = 3,
	SCOPE_SOCKET_SIGNAL = 3,
	FS_FIRST = (1 << 13) - 1 /* what the first one had */
};

/* As in the kernel: a smaller size is an earlier ABI. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct domain {
	int fd;
	uint64_t handled;
};

static int
landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

/* Before ABI_REFER no file could go from one folder into another. */
bool
sandbox_has_paths(void)
{
	return landlock_abi() >= ABI_REFER;
}

static int
create(struct domain *d, int abi)
{
	struct ruleset r = { .fs = FS_FIRST | LANDLOCK_ACCESS_FS_REFER };
	size_t size = sizeof(r.fs);

	if (abi >= ABI_TRUNCATE)
		r.fs |= FS_TRUNCATE;
	if (abi >= ABI_NET) {
		r.net = NET_BIND_CONNECT;
		size = 2 * sizeof(r.fs);
	}
	if (abi >= ABI_SCOPE) {
		r.scoped = SCOPE_SOCKET_SIGNAL;
		size = sizeof(r);
	}
	d->handled = r.fs;
	d->fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	return d->fd == -1 ? -1 : 0;
}

static uint64_t
access_of(unsigned rights, bool is_dir)
{
	uint64_t a = 0;

	if ((rights & SANDBOX_READ) != 0)
		a |= LANDLOCK_ACCESS_FS_READ_FILE;
	if ((rights & SANDBOX_WRITE) != 0)
		a |= LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	if (is_dir && (rights & SANDBOX_LIST) != 0)
		a |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (is_dir && (rights & SANDBOX_MAKE) != 0)
		a |= LANDLOCK_ACCESS_FS_MAKE_REG |
		    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REFER;
	if (is_dir && (rights & SANDBOX_FOLDERS) != 0)
		a |=
		    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR;
	return a;
}

static int
allow(const struct domain *d, const struct sandbox_path *p)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;
	int r = 0;

	rule.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	if (fstat(rule.parent_fd, &st) == 0)
		rule.allowed_access =
		    access_of(p->rights, S_ISDIR(st.st_mode)) & d->handled;
	if (rule.allowed_access != 0)
		r = (int)syscall(SYS_landlock_add_rule, d->fd,
		    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return r;
}

int
sandbox_paths(const struct sandbox_path *p, size_t n)
{
	int abi = landlock_abi(), r = 0;
	struct domain d;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (abi < ABI_REFER)
		return 0; /* not in this kernel */
	if (create(&d, abi) == -1)
		return -1;
	for (size_t i = 0; i < n && r == 0; i++)
		r = allow(&d, &p[i]);
	if (r == 0)
		r = (int)syscall(SYS_landlock_restrict_self, d.fd, 0);
	close(d.fd);
	return r;
}
