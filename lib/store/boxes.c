#include "store/boxes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "store/boxdir.h"
#include "store/boxfile.h"
#include "store/boxname.h"

static int
make_dirs(int fd)
{
	static const char *const dirs[] = { "tmp", "new", "cur" };

	for (size_t i = 0; i < 3; i++)
		if (mkdirat(fd, dirs[i], 0700) == -1 && errno != EEXIST)
			return -1;
	return 0;
}

int
boxes_open(struct boxes *b, const char *root, char separator)
{
	size_t n = strlen(root);

	while (n > 1 && root[n - 1] == '/')
		n--;
	b->separator = separator == '\0' ? '/' : separator;
	b->prefix[0] = '\0';
	b->fd = -1;
	if (n + BOXNAME_DIR + 2 > sizeof(b->root) ||
	    !span_cstr((struct span){ root, n }, b->root, sizeof(b->root))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fs_mkdirs(b->root, 0700) == -1)
		return -1;
	b->fd = fs_open_dir(b->root);
	if (b->fd == -1)
		return -1;
	if (make_dirs(b->fd) == -1) {
		boxes_close(b);
		return -1;
	}
	return 0;
}

bool
boxes_set_prefix(struct boxes *b, const char *prefix)
{
	struct span s = span_of(prefix);
	char dir[BOXNAME_DIR];

	b->prefix[0] = '\0';
	if (s.n == 0)
		return true;
	if (s.p[s.n - 1] != b->separator)
		return false;
	s.n--;
	return boxname_dir(s, b->separator, dir) &&
	    span_cstr(span_of(prefix), b->prefix, sizeof(b->prefix));
}

void
boxes_close(struct boxes *b)
{
	fs_close(b->fd);
	b->fd = -1;
}

enum box_result
boxes_path(struct boxes *b, struct span name, char *path, size_t size)
{
	char dir[BOXNAME_DIR];

	if (!boxname_dir_in(b, name, dir))
		return BOX_BADNAME;
	if (snprintf(path, size, "%s%s%s", b->root, dir[0] == '\0' ? "" : "/",
		dir) >= (int)size)
		return BOX_BADNAME;
	return BOX_OK;
}

enum box_result
boxes_find(struct boxes *b, struct span name, char *path, size_t size)
{
	char dir[BOXNAME_DIR];
	enum box_result r = boxes_path(b, name, path, size);

	if (r != BOX_OK || !boxname_dir_in(b, name, dir))
		return r;
	return boxdir_exists(b, dir) ? BOX_OK : BOX_NONE;
}
