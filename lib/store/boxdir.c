#include "store/boxdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "io/log.h"
#include "store/boxname.h"
#include "store/mdname.h"

const char boxdir_note_name[] = "maildirfolder";

bool
boxdir_exists(struct boxes *b, const char *dir)
{
	char path[BOXNAME_DIR + 8];
	struct stat st;

	if (dir[0] == '\0')
		return true;
	snprintf(path, sizeof(path), "%s/cur", dir);
	return fstatat(b->fd, path, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

int
boxdir_list(struct boxes *b, const char *below, struct buf *dirs)
{
	DIR *dir = fs_list_dir(b->fd, ".");
	struct dirent *d;
	int err;

	if (dir == NULL)
		return -1;
	while (errno = 0, (d = readdir(dir)) != NULL) {
		if (d->d_name[0] != '.' || d->d_name[1] == '.' ||
		    d->d_name[1] == '\0')
			continue;
		if (below != NULL && !boxname_below(d->d_name, below))
			continue;
		if (boxdir_exists(b, d->d_name)) {
			buf_puts(dirs, d->d_name);
			buf_putc(dirs, '\n');
		}
	}
	err = errno;
	closedir(dir);
	errno = err;
	return err == 0 ? 0 : -1;
}

void
boxdir_unmake(struct boxes *b, const char *dir)
{
	int err = errno;

	if (fs_remove_tree(b->fd, dir) == -1 && errno != ENOENT)
		log_error(dir, NULL);
	errno = err;
}

/*
 * Made whole under a name that is no mailbox's, then renamed: a folder
 * without cur/ is never seen.
 */
enum box_result
boxdir_make(struct boxes *b, const char *dir, struct span note)
{
	static const char *const parts[] = { "", "/tmp", "/new", "/cur" };
	char unique[128], tmp[160], path[192];
	int fd, r;

	mdname_unique(unique, sizeof(unique));
	snprintf(tmp, sizeof(tmp), "..pneu-new.%s", unique);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", tmp, parts[i]);
		if (mkdirat(b->fd, path, 0700) == -1)
			goto fail;
	}
	snprintf(path, sizeof(path), "%s/%s", tmp, boxdir_note_name);
	fd = openat(b->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		goto fail;
	r = fs_write_at(fd, note, 0);
	fs_close(fd);
	if (r == -1)
		goto fail;
	if (fs_sync_dir(b->fd, tmp) == -1 ||
	    renameat(b->fd, tmp, b->fd, dir) == -1 ||
	    fs_sync_dir(b->fd, ".") == -1)
		goto fail;
	return BOX_OK;
fail:
	boxdir_unmake(b, tmp);
	/* A folder of that name came between. */
	return errno == ENOTEMPTY || errno == EEXIST ? BOX_EXISTS : BOX_FAILED;
}
