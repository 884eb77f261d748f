#include "io/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"

bool
user_is_root(void)
{
	return geteuid() == 0;
}

int
user_become(uid_t uid, gid_t gid)
{
	if (!user_is_root())
		return 0;
	if (uid == 0 && gid == 0)
		return 0;
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return -1;
	if (uid != 0 && setuid(0) == 0) { /* it must not work */
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
user_become_named(const char *name)
{
	uid_t uid;
	gid_t gid;

	if (!user_is_root())
		return 0;
	if (conf_account(name, &uid, &gid) == -1)
		return -1;
	return user_become(uid, gid);
}

enum { HIGH_FD = 10 };

static int empty_root = -1;

/*
 * An empty directory that has no name any more, in which nothing can be
 * made: made, opened, removed.
 */
int
user_prepare_empty_root(void)
{
	char path[] = "/tmp/pneu-empty-XXXXXX";
	char other[] = "/run/pneu-empty-XXXXXX";
	int fd, err;
	char *dir;

	if (!user_is_root() || empty_root != -1)
		return 0;
	dir = mkdtemp(path);
	if (dir == NULL && (dir = mkdtemp(other)) == NULL)
		return -1;
	fd = fs_open_dir(dir);
	/* out of the way of the numbers that programs expect */
	empty_root = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	fs_close(fd);
	err = errno;
	rmdir(dir);
	errno = err;
	return empty_root == -1 ? -1 : 0;
}

int
user_empty_root_fd(void)
{
	return empty_root;
}

int
user_empty_root(uid_t uid, gid_t gid)
{
	if (!user_is_root())
		return 0;
	if (user_prepare_empty_root() == -1 || fchdir(empty_root) == -1 ||
	    chroot(".") == -1)
		return -1;
	close(empty_root);
	empty_root = -1;
	return user_become(uid, gid);
}
