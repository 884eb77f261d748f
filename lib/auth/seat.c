#include "auth/seat.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/die.h"
#include "base/enc.h"
#include "base/limits.h"
#include "base/sha256.h"
#include "io/conf.h"
#include "io/fs.h"

enum { NAME_BYTES = 16, NAME_SIZE = 2 * NAME_BYTES + 1 };

/* A user in any case. */
static void
name_of(const char *user, char name[NAME_SIZE])
{
	struct buf hex = { .max = NAME_SIZE };
	unsigned char digest[SHA256_LEN];
	struct sha256 c;

	sha256_init(&c);
	for (size_t i = 0; user[i] != '\0'; i++) {
		char low = to_lower(user[i]);

		sha256_put(&c, (struct span){ &low, 1 });
	}
	sha256_end(&c, digest);
	enc_hex(&hex, (struct span){ (const char *)digest, NAME_BYTES });
	snprintf(name, NAME_SIZE, "%s", buf_cstr(&hex));
	buf_free(&hex);
}

/* Whose folder it is may have put a link there: that is not followed. */
static int
open_folder(const char *path)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, how);

	if (fd == -1 && errno == ENOENT &&
	    (mkdir(path, 0700) == 0 || errno == EEXIST))
		fd = open(path, how);
	return fd;
}

/* -1 and errno; ENOENT is no state folder. */
static int
open_file(const char *path, const char *user)
{
	int folder = open_folder(path), fd, err;
	char name[NAME_SIZE];
	struct stat st;

	if (folder == -1)
		return -1;
	name_of(user, name);
	fd = openat(folder, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	err = errno;
	close(folder);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
		err = EINVAL;
	}
	errno = err;
	return fd;
}

/*
 * Lock a byte that nobody has: 0; -1 and EAGAIN when there is none.  The
 * first look is anywhere, so that few are needed.
 */
static int
lock_one(int fd, enum seat_service service, unsigned max)
{
	off_t base = (off_t)service * LIMIT_SESSIONS_MAX;
	unsigned first = (unsigned)getpid() % max;
	int r = -1;

	errno = EAGAIN;
	for (unsigned i = 0; i < max && r == -1 && errno == EAGAIN; i++)
		r = fs_lock_byte(fd, base + (first + i) % max);
	return r;
}

bool
seat_take(const char *user, enum seat_service service, unsigned max, int *fd)
{
	char path[LIMIT_PATH];
	int n = snprintf(path, sizeof(path), "%s/sessions", conf_path("state"));

	*fd = -1;
	if (max == 0)
		return true;
	if (max > LIMIT_SESSIONS_MAX)
		max = LIMIT_SESSIONS_MAX;
	errno = ENAMETOOLONG;
	if (n > 0 && (size_t)n < sizeof(path))
		*fd = open_file(path, user);
	if (*fd != -1 && lock_one(*fd, service, max) == 0)
		return true;
	n = errno;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	if (n == EAGAIN)
		return false;
	errno = n;
	if (n != ENOENT)
		warn_sys("%s", path);
	return true;
}
