#include "auth/loginkey.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"

enum { KEY = 32 };

/* Ours alone to read, whoever owns the folder. */
static bool
read_key(const char *path, unsigned char key[KEY])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool ok;

	if (fd == -1)
		return false;
	ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    read(fd, key, KEY) == KEY;
	close(fd);
	return ok;
}

/* Whoever comes first made it: it appears whole, and once. */
static void
make_key(const char *path)
{
	unsigned char key[KEY];
	char tmp[LIMIT_PATH + 32];
	int fd;

	snprintf(tmp, sizeof(tmp), "%s.new.%ld", path, (long)getpid());
	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	fs_random(key, sizeof(key));
	if (write_all(fd, key, sizeof(key), DEADLINE_NEVER) == 0 &&
	    fsync(fd) == 0)
		(void)!link(tmp, path);
	close(fd);
	unlink(tmp);
	wipe(key, sizeof(key));
}

static bool
get_key(unsigned char key[KEY])
{
	char path[LIMIT_PATH];
	int n =
	    snprintf(path, sizeof(path), "%s/login-key", conf_path("state"));

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	if (read_key(path, key))
		return true;
	if (errno == ENOENT)
		make_key(path);
	return read_key(path, key);
}

void
loginkey_mac(const char *what, struct span text, struct span other,
    unsigned char digest[SHA256_LEN])
{
	unsigned char key[SHA256_LEN];
	struct span k = { (const char *)key, sizeof(key) };

	if (!get_key(key))
		sha256_of(other, key);
	sha256_hmac(k, span_of(what), key);
	sha256_hmac(k, text, digest);
	wipe(key, sizeof(key));
}
