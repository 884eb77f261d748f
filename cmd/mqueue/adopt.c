/*
 * mqueue adopt - take over the queue of a node that is dead
 *
 * Its lock must be free, and is ours until the end.  What lies beside a
 * message is copied first, then the message moved; done again after a
 * crash it goes on.
 */
#include "mqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"

enum { BESIDE_MAX = 16777216 };

static struct {
	struct queue from;
	unsigned taken;
	int status;
} adopt;

static char piece[65536];

static void
lock_or_die(void)
{
	int fd = openat(adopt.from.fd, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1 || (fs_lock(fd, true, 0) == -1 && errno != EAGAIN))
		die_sys(EXIT_TEMP, "%s/lock", adopt.from.path);
	if (fs_lock(fd, true, 0) == -1)
		die(EXIT_TEMP, "%s: a run is at work there", adopt.from.path);
}

static int
copy_beside(const char *id, const char *suffix)
{
	char name[MAIL_ID_LEN + 8];
	struct buf b = { .max = BESIDE_MAX };
	int r;

	snprintf(name, sizeof(name), "%s%s", id, suffix);
	r = fs_read(adopt.from.fd, name, &b);
	if (r == -1 && errno == ENOENT)
		r = 0;
	else if (r == 0 || errno == EFBIG)
		r = fs_replace(queue.fd, name, buf_span(&b), 0600);
	buf_free(&b);
	return r;
}

/* On another file system: a copy, synced, with its time. */
static int
move_by_copy(struct queued *m)
{
	struct queued to = { .fd = -1 };
	off_t at = 0;
	ssize_t n;
	int r = -1;

	unlinkat(queue.tmp_fd, m->id, 0);
	to.fd = openat(queue.tmp_fd, m->id,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to.fd == -1)
		return -1;
	while ((n = pread(m->fd, piece, sizeof(piece), at)) > 0) {
		if (write_all(to.fd, piece, (size_t)n, DEADLINE_NEVER) == -1)
			break;
		at += n;
	}
	if (n == 0 && queued_put_back(&to, m->due) == 0 && fsync(to.fd) == 0 &&
	    renameat(queue.tmp_fd, m->id, queue.fd, m->id) == 0 &&
	    fs_sync_dir(queue.fd, "") == 0)
		r = unlinkat(adopt.from.fd, m->id, 0);
	queued_close(&to);
	return r;
}

static int
move(const char *id)
{
	struct queued m;
	struct stat st;
	int r = -1;

	if (queued_open(&adopt.from, id, true, &m) == -1)
		return -1;
	if (fstatat(queue.fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* copied before a crash; ids of two nodes never collide */
		r = (uint64_t)st.st_size == m.bytes ? 0 : -1;
		errno = EEXIST;
	} else if (errno == ENOENT && copy_beside(id, ".log") == 0 &&
	    copy_beside(id, ".hold") == 0 &&
	    /* a lease of the dead ended with them */
	    queued_put_back(&m, m.leased ? unix_now() : m.due) == 0) {
		r = renameat(adopt.from.fd, id, queue.fd, id);
		if (r == -1 && errno == EXDEV)
			r = move_by_copy(&m);
	}
	queued_close(&m);
	return r;
}

static bool
adopt_one(void *ctx, const char *id)
{
	(void)ctx;
	if (move(id) == -1) {
		warn_sys("%s/%s", adopt.from.path, id);
		adopt.status = EXIT_TEMP;
		return true;
	}
	if (queue_remove(&adopt.from, id) == -1)
		warn_sys("%s/%s", adopt.from.path, id);
	adopt.taken++;
	puts(id);
	return true;
}

int
adopt_main(int argc, char **argv)
{
	struct stat a, b;

	if (getopt(argc, argv, "+") != -1 || argc != optind + 1)
		usage_of("adopt");
	open_queue(true);
	if (queue_open(&adopt.from, argv[optind], false) == -1)
		die_sys(EXIT_TEMP, "queue %s", argv[optind]);
	if (fstat(queue.fd, &a) == -1 || fstat(adopt.from.fd, &b) == -1)
		die_sys(EXIT_TEMP, "queue %s", argv[optind]);
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		die(EXIT_USAGE, "%s: this is our own queue", argv[optind]);
	lock_or_die();
	if (queue_list(&adopt.from, "", adopt_one, NULL) == -1)
		die_sys(EXIT_TEMP, "queue %s", argv[optind]);
	if (fs_sync_dir(queue.fd, "") == -1 ||
	    fs_sync_dir(adopt.from.fd, "") == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	return fflush(stdout) == 0 ? adopt.status : EXIT_TEMP;
}
