#include "io/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"

static int64_t
ns(int64_t sec, int64_t nsec)
{
	return sec * 1000000000 + nsec;
}

#ifdef AT_STATX_FORCE_SYNC
int
fresh_stat(int dirfd, const char *name, struct fresh *f)
{
	int flags = AT_STATX_FORCE_SYNC | (*name == '\0' ? AT_EMPTY_PATH : 0);
	struct statx st;

	if (statx(dirfd, name, flags, STATX_BASIC_STATS, &st) == -1)
		return -1;
	*f = (struct fresh){ st.stx_ino, st.stx_size,
		ns(st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec),
		ns(st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec), st.stx_nlink };
	return 0;
}
#else
int
fresh_stat(int dirfd, const char *name, struct fresh *f)
{
	struct stat st;
	int r =
	    *name == '\0' ? fstat(dirfd, &st) : fstatat(dirfd, name, &st, 0);

	if (r == -1)
		return -1;
	*f = (struct fresh){ st.st_ino, (uint64_t)st.st_size,
		ns(st.st_mtim.tv_sec, st.st_mtim.tv_nsec),
		ns(st.st_ctim.tv_sec, st.st_ctim.tv_nsec),
		(unsigned)st.st_nlink };
	return 0;
}
#endif

int
fresh_touch(int fd)
{
	return futimens(fd, NULL);
}

/*
 * That there is none is believed while the folder seems the same.  And a
 * link to itself: refused because it is there, but whoever makes a new name
 * does not believe what is remembered of it.
 */
void
fresh_name(int dirfd, const char *name)
{
	struct fresh f;

	if (!fs_is_remote(dirfd) || fresh_stat(dirfd, "", &f) == -1 ||
	    linkat(dirfd, name, dirfd, name, 0) == -1)
		return;
}

/* Each close of a descriptor of the file waits for what was written. */
int
fresh_flush(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy == -1 ? -1 : close(copy);
}
