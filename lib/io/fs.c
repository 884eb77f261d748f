#include "io/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/deadline.h"
#include "io/fresh.h"
#include "io/out.h"

void
fs_close(int fd)
{
	int err = errno;

	if (fd != -1)
		close(fd);
	errno = err;
}

int
fs_open_dir_at(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
fs_open_dir(const char *path)
{
	return fs_open_dir_at(AT_FDCWD, path);
}

DIR *
fs_list_dir(int dirfd, const char *name)
{
	int fd = fs_open_dir_at(dirfd, name);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL)
		fs_close(fd);
	return d;
}

bool
fs_is_at(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && stat(path, &there) == 0 &&
	    here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int
fs_write_at(int fd, struct span s, off_t at)
{
	ssize_t r;

	while (s.n > 0) {
		r = pwrite(fd, s.p, s.n, at);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		span_take(&s, (size_t)r);
		at += r;
	}
	return 0;
}

int
fs_sync_dir(int dirfd, const char *name)
{
	int fd = fs_open_dir_at(dirfd, name[0] == '\0' ? "." : name);
	int r;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	fs_close(fd);
	return r;
}

int
fs_replace(int dirfd, const char *name, struct span bytes, mode_t mode)
{
	char tmp[LIMIT_PATH];
	int fd, err;

	if (snprintf(tmp, sizeof(tmp), "%s.new.%ld", name, (long)getpid()) >=
	    (int)sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = openat(dirfd, tmp,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1)
		return -1;
	if (fchmod(fd, mode) == 0 &&
	    write_all(fd, bytes.p, bytes.n, DEADLINE_NEVER) == 0 &&
	    fsync(fd) == 0) {
		close(fd);
		if (renameat(dirfd, tmp, dirfd, name) == 0)
			return fs_sync_dir(dirfd, "");
		err = errno;
	} else {
		err = errno;
		close(fd);
	}
	unlinkat(dirfd, tmp, 0);
	errno = err;
	return -1;
}

int
fs_unnamed(const char *dir)
{
	char path[LIMIT_PATH + 32];
	int fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);

	if (fd != -1)
		return fd;
	snprintf(path, sizeof(path), "%.*s/unnamed.XXXXXX", LIMIT_PATH, dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	return fd;
}

int
fs_read(int dirfd, const char *name, struct buf *b)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd == -1)
		return -1;
	for (;;) {
		size_t want = b->max - b->n < 8192 ? b->max - b->n : 8192;
		char last;
		ssize_t r = want == 0 ? read(fd, &last, 1)
				      : read(fd, buf_room(b, want), want);

		if (r > 0 && want == 0)
			err = EFBIG;
		else if (r > 0)
			b->n += (size_t)r;
		else if (r == -1 && errno != EINTR)
			err = errno;
		if (r == 0 || err != 0)
			break;
	}
	close(fd);
	errno = err;
	return err == 0 ? 0 : -1;
}

/* The name of a new folder, which stands in its parent. */
static int
sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[LIMIT_PATH];
	int n = slash == NULL ? 0 : (int)(slash - path);

	snprintf(parent, sizeof(parent), "%.*s%s", n, path,
	    slash == NULL ? "."
		: n == 0  ? "/"
			  : "");
	/* one that can be written but not read can't be synced */
	return fs_sync_dir(AT_FDCWD, parent) == -1 && errno != EACCES ? -1 : 0;
}

int
fs_mkdirs(const char *path, mode_t mode)
{
	char part[LIMIT_PATH];
	struct stat st;

	if (strlen(path) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (size_t i = 1; path[i - 1] != '\0'; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) == 0) {
			if (part[i - 1] == '/')
				part[i - 1] = '\0';
			if (sync_parent(part) == -1)
				return -1;
		} else if (errno != EEXIST &&
		    (stat(part, &st) == -1 || !S_ISDIR(st.st_mode))) {
			return -1;
		}
	}
	return 0;
}

int
fs_remove_tree(int dirfd, const char *name)
{
	int fd = openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	DIR *d;

	if (fd == -1)
		return unlinkat(dirfd, name, 0);
	d = fdopendir(fd);
	if (d == NULL) {
		close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == -1 && errno != ENOENT &&
		    fs_remove_tree(fd, e->d_name) == -1) {
			int err = errno;

			closedir(d);
			errno = err;
			return -1;
		}
	}
	closedir(d);
	return unlinkat(dirfd, name, AT_REMOVEDIR);
}

int64_t
fs_mtime_ns(int dirfd, const char *name)
{
	struct fresh f;

	return fresh_stat(dirfd, name, &f) == -1 ? -1 : f.mtime_ns;
}

int64_t
fs_clock_ns(int fd)
{
	struct timespec t;
	struct stat st;

	if (fd != -1 && fs_is_remote(fd) && futimens(fd, NULL) == 0 &&
	    fstat(fd, &st) == 0)
		t = st.st_mtim;
	else
		clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int
fs_touch(int fd, int64_t t)
{
	struct timespec ts[2] = { { .tv_sec = (time_t)t },
		{ .tv_sec = (time_t)t } };

	return futimens(fd, ts);
}

/* One try; -1 and EAGAIN when another has it. */
static int
lock_now(int fd, struct flock *l)
{
	int r, how = F_OFD_SETLK;

	do {
		r = fcntl(fd, how, l);
		if (r == -1 && errno == EINVAL && how == F_OFD_SETLK) {
			how = F_SETLK; /* a file system without them */
			errno = EINTR;
		}
	} while (r == -1 && errno == EINTR);
	if (r == -1 && errno == EACCES)
		errno = EAGAIN;
	return r;
}

int
fs_lock(int fd, bool exclusive, int64_t deadline)
{
	struct flock l = { .l_type = exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET };
	struct timespec nap = { 0, 500000 };

	while (lock_now(fd, &l) == -1) {
		if (errno != EAGAIN)
			return -1;
		if (deadline == 0 || deadline_left(deadline) == 0) {
			errno = EAGAIN;
			return -1;
		}
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 10000000)
			nap.tv_nsec *= 2;
	}
	return 0;
}

int
fs_lock_byte(int fd, off_t at)
{
	struct flock l = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = at,
		.l_len = 1 };

	return lock_now(fd, &l);
}

void
fs_unlock(int fd)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int err = errno;

	if (fcntl(fd, F_OFD_SETLK, &l) == -1)
		fcntl(fd, F_SETLK, &l);
	errno = err;
}

void
fs_random(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t r = getrandom(at, n, 0);

		if (r == -1 && errno != EINTR)
			die_sys(EXIT_TEMP, "random bytes");
		if (r > 0) {
			at += r;
			n -= (size_t)r;
		}
	}
}

uint64_t
fs_free_bytes(int fd)
{
	struct statvfs v;

	if (fstatvfs(fd, &v) == -1)
		return UINT64_MAX;
	return (uint64_t)v.f_bavail * v.f_frsize;
}

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

bool
fs_real(const char *path, char *to, size_t size)
{
	char *real = realpath(path, NULL);
	size_t n = real != NULL ? strlen(real) : size;

	if (n < size)
		memcpy(to, real, n + 1);
	free(real);
	return n < size;
}

void
fs_close_others(int *keep, size_t n)
{
	unsigned low = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)low)
			continue;
		if ((unsigned)keep[i] > low)
			close_range(low, (unsigned)keep[i] - 1, 0);
		low = (unsigned)keep[i] + 1;
	}
	close_range(low, ~0U, 0);
}

static int
set_flag(int fd, int get, int set, int flag, bool on)
{
	int was = fcntl(fd, get);

	if (was == -1)
		return -1;
	return fcntl(fd, set, on ? was | flag : was & ~flag);
}

int
fs_cloexec(int fd, bool on)
{
	return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int
fs_nonblock(int fd, bool on)
{
	return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

bool
fs_is_regular(int dirfd, const struct dirent *d)
{
	struct stat st;

#ifdef DT_REG
	if (d->d_type == DT_REG)
		return true;
	if (d->d_type != DT_UNKNOWN && d->d_type != DT_LNK)
		return false;
#endif
	return fstatat(dirfd, d->d_name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

bool
fs_is_remote(int fd)
{
	/* NFS, SMB, SMB2, CIFS, FUSE, Ceph, AFS, Coda, 9P, OCFS2, GFS2 */
	static const uint32_t types[] = { 0x6969, 0x517b, 0xfe534d42,
		0xff534d42, 0x65735546, 0xc36400, 0x5346414f, 0x73757245,
		0x1021997, 0x7461636f, 0x1161970 };
	struct statfs st;

	if (fstatfs(fd, &st) == -1)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((uint32_t)st.f_type == types[i])
			return true;
	return false;
}
