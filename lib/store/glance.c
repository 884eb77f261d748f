#include "store/glance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/fs.h"
#include "store/index.h"
#include "store/le.h"

static bool
journal_size(const char *path, uint64_t gen, uint64_t *size)
{
	char name[64], whole[LIMIT_PATH + 64];
	struct stat st;

	if (gen == 0)
		return false;
	index_journal_name(name, sizeof(name), gen);
	snprintf(whole, sizeof(whole), "%s/%s", path, name);
	if (stat(whole, &st) == -1)
		return false;
	*size = (uint64_t)st.st_size;
	return true;
}

/* The generation that the snapshot names; 0: none. */
static uint64_t
named_gen(const char *path)
{
	char whole[LIMIT_PATH + 16], head[24];
	ssize_t n;
	int fd;

	snprintf(whole, sizeof(whole), "%s/%s", path, snapshot_name);
	fd = open(whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return 0;
	n = pread(fd, head, sizeof(head), 0);
	fs_close(fd);
	return n == (ssize_t)sizeof(head) ? le_get(head + 16, 8) : 0;
}

static int64_t
mtime(const char *path, const char *part)
{
	char whole[LIMIT_PATH + 8];

	snprintf(whole, sizeof(whole), "%s%s", path, part);
	return fs_mtime_ns(AT_FDCWD, whole);
}

bool
glance_renew(struct glance *g, const char *path)
{
	struct glance was = *g;

	g->new_ns = mtime(path, "/new");
	g->cur_ns = mtime(path, "/cur");
	if (!journal_size(path, g->gen, &g->size)) {
		g->gen = named_gen(path);
		if (!journal_size(path, g->gen, &g->size))
			*g = (struct glance){ g->new_ns, g->cur_ns, 0, 0 };
	}
	return g->new_ns != was.new_ns || g->cur_ns != was.cur_ns ||
	    g->gen != was.gen || g->size != was.size;
}
