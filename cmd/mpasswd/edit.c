#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"
#include "mpasswd.h"

enum { FILE_MAX = 1 << 28, PATIENCE = 30, FORMAT = 1 };

/* One lock for all files of the folder, held until we end. */
static void
lock(void)
{
	static bool locked;
	char path[LIMIT_PATH];
	int fd;

	if (locked)
		return;
	if (!conf_file(path, sizeof(path), ".lock"))
		die(EXIT_TEMP, "%s: path too long", conf_dir());
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || fs_lock(fd, true, deadline_in(PATIENCE)) == -1)
		die_sys(EXIT_TEMP, "lock %s", path);
	locked = true;
}

/* "# pneu-NAME FORMAT", if it is there, is the first line. */
static void
check_format(struct edit *e)
{
	struct span text = buf_span(&e->old), line, number;
	char mark[64];
	uint32_t n;

	snprintf(mark, sizeof(mark), "# pneu-%s ", e->name);
	if (text.n == 0)
		return;
	if (text.p[text.n - 1] != '\n')
		die(EXIT_TEMP, "%s: its last line has no end", e->path);
	line = span_cut(&text, '\n');
	if (!span_starts(line, mark))
		return;
	number = (struct span){ line.p + strlen(mark), line.n - strlen(mark) };
	if (!num_u32(number, &n) || n > FORMAT)
		die(EXIT_TEMP, "%s: of a newer format, left alone", e->path);
}

void
edit_open(struct edit *e, const char *name, mode_t mode)
{
	char path[LIMIT_PATH];

	*e = (struct edit){ .name = name, .mode = mode };
	lock();
	buf_init(&e->old, FILE_MAX);
	buf_init(&e->new, FILE_MAX);
	if (!conf_file(path, sizeof(path), name))
		die(EXIT_TEMP, "%s: path too long", name);
	/* behind links, which stay */
	if (!fs_real(path, e->path, sizeof(e->path)))
		memcpy(e->path, path, sizeof(e->path));
	if (fs_read(AT_FDCWD, e->path, &e->old) == -1 && errno != ENOENT)
		die_sys(EXIT_TEMP, "%s", e->path);
	check_format(e);
	e->rest = buf_span(&e->old);
	if (e->rest.n == 0)
		buf_printf(&e->new, "# pneu-%s %d\n", name, FORMAT);
}

bool
edit_next(struct edit *e, struct span *line)
{
	if (e->rest.n == 0)
		return false;
	*line = span_cut(&e->rest, '\n');
	e->line++;
	return true;
}

void
edit_put(struct edit *e, struct span line)
{
	buf_put(&e->new, line);
	buf_putc(&e->new, '\n');
}

bool
edit_is_record(struct span line)
{
	return line.n > 0 && *line.p != '#' && span_trim(line).n > 0;
}

bool
edit_is_of(struct span line, const char *address)
{
	return edit_is_record(line) && span_iis(span_cut(&line, ':'), address);
}

/* Owner and mode stay; a new file is its folder's owner's. */
static int
write_new(const struct edit *e, const char *tmp)
{
	char dir[LIMIT_PATH];
	struct stat st, was;
	int fd, r = -1, err;

	snprintf(dir, sizeof(dir), "%s", e->path);
	*strrchr(dir, '/') = '\0';
	if (stat(dir[0] == '\0' ? "/" : dir, &st) == -1)
		return -1;
	if (stat(e->path, &was) == 0)
		st = was;
	else
		st.st_mode = e->mode;
	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if ((geteuid() != 0 || fchown(fd, st.st_uid, st.st_gid) == 0) &&
	    fchmod(fd, e->mode & (st.st_mode | 0600)) == 0 &&
	    write_all(fd, e->new.p, e->new.n, DEADLINE_NEVER) == 0 &&
	    fsync(fd) == 0 && rename(tmp, e->path) == 0)
		r = fs_sync_dir(AT_FDCWD, dir);
	err = errno;
	close(fd);
	if (r == -1)
		unlink(tmp);
	errno = err;
	return r;
}

void
edit_commit(struct edit *e)
{
	char tmp[LIMIT_PATH + 16];

	if (e->new.over)
		die(EXIT_TEMP, "%s: too large", e->path);
	snprintf(tmp, sizeof(tmp), "%s.new", e->path);
	if (write_new(e, tmp) == -1)
		die_sys(EXIT_TEMP, "%s", e->path);
}

void
edit_free(struct edit *e)
{
	wipe(e->old.p, e->old.n);
	wipe(e->new.p, e->new.n);
	buf_free(&e->old);
	buf_free(&e->new);
}
