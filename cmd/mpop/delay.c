/* LOGIN-DELAY (RFC 2449, section 6.5): the mtime of a file is the memory. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "mpop.h"

static const char file_name[] = "pneu.pop3-login";

bool
login_is_due(const char *maildir, unsigned seconds)
{
	int dir, fd;
	int64_t now = unix_now();
	bool due = true;
	struct stat st;

	if (seconds == 0)
		return true;
	dir = fs_open_dir(maildir);
	if (dir == -1)
		return true;
	if (fstatat(dir, file_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtime <= now && now - st.st_mtime < (int64_t)seconds) {
		due = false;
	} else {
		fd = openat(dir, file_name,
		    O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd != -1) {
			if (fs_touch(fd, now) == -1)
				due = true;
			close(fd);
		}
	}
	close(dir);
	return due;
}
