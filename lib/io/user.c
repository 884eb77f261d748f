#include "io/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"

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

/*
 * An empty directory that is gone from every name once we are in it: made,
 * entered, removed.
 */
static int
enter_empty(void)
{
	char path[] = "/tmp/pneu-empty-XXXXXX";
	char other[] = "/run/pneu-empty-XXXXXX";
	char *dir = mkdtemp(path);
	int fd, err;

	if (dir == NULL && (dir = mkdtemp(other)) == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = errno;
	rmdir(dir);
	if (fd == -1) {
		errno = err;
		return -1;
	}
	if (fchdir(fd) == -1 || chroot(".") == -1) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	close(fd);
	return 0;
}

int
user_empty_root(uid_t uid, gid_t gid)
{
	if (!user_is_root())
		return 0;
	if (enter_empty() == -1)
		return -1;
	return user_become(uid, gid);
}
