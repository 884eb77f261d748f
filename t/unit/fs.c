/* What is above the system calls for files: io/fs.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "test.h"

static char root[] = "/tmp/pneu-t-fs.XXXXXX";

static void
directories(void)
{
	int dir = fs_open_dir(root), sub;
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	check(mkdirat(dir, "sub", 0700) == 0);
	sub = fs_open_dir_at(dir, "sub");
	check(sub != -1);
	check(fs_is_at(dir, root) && !fs_is_at(sub, root));
	d = fs_list_dir(dir, ".");
	check(d != NULL);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	check(n == 1);
	closedir(d);
	check(fs_list_dir(dir, "none") == NULL && errno == ENOENT);
	check(fs_open_dir_at(dir, "none") == -1 && errno == ENOENT);
	/* the place has another one now */
	check(renameat(dir, "sub", dir, "other") == 0);
	check(mkdirat(dir, "sub", 0700) == 0 && chdir(root) == 0);
	check(!fs_is_at(sub, "sub") && fs_is_at(sub, "other"));
	errno = EDOM;
	fs_close(sub);
	fs_close(-1);
	check(errno == EDOM && fcntl(sub, F_GETFD) == -1);
	fs_close(dir);
}

static void
places(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct buf b = { .max = 64 };

	check(fs_write_at(fd, SPAN("world"), 6) == 0);
	check(fs_write_at(fd, SPAN("hello,"), 0) == 0);
	check(fs_write_at(fd, SPAN(""), 3) == 0);
	check(fs_read(AT_FDCWD, "file", &b) == 0);
	check(span_is(buf_span(&b), "hello,world"));
	buf_free(&b);
	fs_close(fd);
	fd = open("file", O_RDONLY | O_CLOEXEC);
	check(fs_write_at(fd, SPAN("x"), 0) == -1 && errno == EBADF);
	fs_close(fd);
}

int
main(void)
{
	check(mkdtemp(root) != NULL);
	directories();
	places();
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	check(fs_open_dir(root) == -1 && errno == ENOENT);
	return done();
}
