#include "io/spool.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"

enum { CHUNK = 32768 };

bool
spool_committed(void)
{
	struct span text = span_of(getenv("MAIL_COMMITFD"));
	uint32_t fd;
	ssize_t r;
	char c = 'n';

	if (text.n == 0)
		return true;
	if (!num_u32(text, &fd) || fd > 1024)
		return false;
	do
		r = read((int)fd, &c, 1);
	while (r == -1 && errno == EINTR);
	close((int)fd);
	return r == 1 && c == 'y';
}

/* A file without a name, in the queue's tmp/ or in /tmp. */
static int
spool_file(void)
{
	char path[LIMIT_PATH];
	int fd = -1;

	if (snprintf(path, sizeof(path), "%s/tmp", conf_path("queue")) <
	    (int)sizeof(path))
		fd = fs_unnamed(path);
	if (fd == -1)
		fd = fs_unnamed("/tmp");
	if (fd == -1)
		die_sys(EXIT_TEMP, "/tmp");
	return fd;
}

static int
copy_stdin(void)
{
	static char buf[CHUNK];
	int fd = spool_file();
	ssize_t r;

	for (;;) {
		r = read(STDIN_FILENO, buf, sizeof(buf));
		if (r == 0)
			return fd;
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			die_sys(EXIT_TEMP, "standard input");
		if (write_all(fd, buf, (size_t)r, DEADLINE_NEVER) == -1)
			die_sys(EXIT_TEMP, "copy of the message");
	}
}

int
spool_stdin(off_t *at)
{
	struct stat st;

	*at = 0;
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		*at = lseek(STDIN_FILENO, 0, SEEK_CUR);
		return STDIN_FILENO;
	}
	return copy_stdin();
}
