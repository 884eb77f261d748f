/* What is on disk: the journal, or the files of a first index. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/index.h"

void
index_distrust(int journal_fd)
{
	int err = errno;

	if (fs_write_at(journal_fd, span_of(journal_lost), JOURNAL_STATE) ==
	    -1) {
		/* nor can anybody put a record behind it */
	}
	errno = err;
}

/* By another process, before or while we synced it with success. */
static bool
is_distrusted(const struct index *ix)
{
	char head[JOURNAL_HEADER];
	ssize_t n = pread(ix->journal_fd, head, sizeof(head), 0);

	return n > 0 && journal_is_lost((struct span){ head, (size_t)n });
}

static int
sync_files(const struct index *ix)
{
	int fd, r;

	if (!ix->loose)
		return fdatasync(ix->journal_fd);
	fd = openat(ix->fd, snapshot_name, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	r = fsync(fd);
	fs_close(fd);
	return r == -1 || fsync(ix->journal_fd) == -1 ? -1
						      : fs_sync_dir(ix->fd, "");
}

static int
try_sync(struct index *ix)
{
	if (ix->lost) {
		errno = EIO;
		return -1;
	}
	if (sync_files(ix) == -1) {
		index_distrust(ix->journal_fd);
		ix->lost = true;
		return -1;
	}
	if (is_distrusted(ix)) {
		ix->lost = true;
		errno = EIO;
		return -1;
	}
	ix->synced = ix->applied;
	ix->unsynced = false;
	if (ix->loose) {
		ix->loose = false;
		index_note_checked(ix);
	}
	return 0;
}

/*
 * All of it once more, in files that no sync has failed on.  What memory
 * alone knows (ix->ahead) is for no file.
 */
static int
renew(struct index *ix)
{
	bool loose = ix->loose;
	int err = errno;

	if (ix->gen != 0 && !ix->ahead) {
		ix->loose = false;
		if (index_compact(ix) == 0)
			return 0;
		ix->loose = loose;
	}
	errno = err;
	return -1;
}

static int
sync_locked(struct index *ix)
{
	return try_sync(ix) == 0 ? 0 : renew(ix);
}

int
index_sync(struct index *ix)
{
	int r;

	if (ix->unkept)
		return 0;
	if (!ix->lost && !ix->loose &&
	    (ix->synced == ix->applied || !ix->unsynced))
		return 0;
	if (ix->locked)
		return sync_locked(ix);
	if (try_sync(ix) == 0)
		return 0;
	if (index_lock(ix) == -1)
		return -1;
	r = sync_locked(ix);
	ix->compact = false;
	index_unlock(ix);
	return r;
}

int
index_sync_numbers(struct index *ix)
{
	return ix->loose && !ix->unsynced && ix->mem.fd != -1
	    ? uidmem_promise(&ix->mem, ix->uidvalidity)
	    : index_sync(ix);
}

int
index_sync_shown(struct index *ix)
{
	return ix->made ? index_sync_numbers(ix) : index_sync(ix);
}

int
index_settle(struct index *ix)
{
	return ix->gen != 0 && ix->loose ? index_sync(ix) : 0;
}
