/*
 * mqueue fsck - find what a crash left, and put it right
 *
 * Never deletes a message: what can't be right is held.
 */
#include "mqueue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"

enum { TMP_AGE = 7200 };

static struct {
	unsigned found;
	bool run; /* a run is at work */
} fsck;

static void
report(const char *id, const char *what)
{
	fsck.found++;
	printf("%s\t%s\n", id, what);
}

static void
check_size(struct attempt *at)
{
	uint64_t size;

	if (queued_measure(&at->m, at->e.message_at, &size) == -1)
		report(at->m.id, "can't be read");
	else if (size != at->e.size) {
		report(at->m.id, "the size disagrees: held");
		if (!dry_run)
			attempt_hold(at->m.id, "the size disagrees");
	}
}

static bool
check_message(void *ctx, const char *id)
{
	struct attempt at;

	(void)ctx;
	if (queue_held(&queue, id, NULL))
		return true;
	if (attempt_open(&at, id) == -1) {
		if (errno == ENOENT)
			return true;
		report(id,
		    errno == EPROTO        ? "a newer format"
			: errno == EBADMSG ? "not a queue file: held"
					   : "can't be opened");
		if (errno == EBADMSG && !dry_run)
			attempt_hold(id, "not a queue file of format 1");
		return true;
	}
	check_size(&at);
	if (at.m.leased &&
	    (at.m.due <= unix_now() || (!at.m.by_next && !fsck.run))) {
		report(id, "a lease that ended: freed");
		if (!dry_run && queued_put_back(&at.m, unix_now()) == -1)
			warn_sys("%s", id);
	}
	attempt_close(&at);
	return true;
}

static bool
check_beside(void *ctx, const char *id)
{
	const char *suffix = ctx;
	char name[MAIL_ID_LEN + 8];
	struct stat st;

	snprintf(name, sizeof(name), "%.16s%s", id, suffix);
	if (fstatat(queue.fd, id, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    errno != ENOENT)
		return true;
	/* mqueue add may be about to rename the message to its place */
	if (fstatat(queue.fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (int64_t)st.st_mtim.tv_sec > unix_now() - TMP_AGE)
		return true;
	report(name, "its message is gone: removed");
	if (!dry_run)
		unlinkat(queue.fd, name, 0);
	return true;
}

static bool
check_tmp(void *ctx, const char *id)
{
	const char *suffix = ctx;
	char name[MAIL_ID_LEN + 8];
	struct stat st;

	snprintf(name, sizeof(name), "%.16s%s", id, suffix);
	if (fstatat(queue.tmp_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    (int64_t)st.st_mtim.tv_sec > unix_now() - TMP_AGE)
		return true;
	printf("tmp/%s\tnever accepted: removed\n", name);
	fsck.found++;
	if (!dry_run)
		unlinkat(queue.tmp_fd, name, 0);
	return true;
}

static bool
run_is_there(void)
{
	int fd = openat(queue.fd, "lock", O_RDWR | O_CLOEXEC);
	bool there;

	if (fd == -1)
		return false;
	there = fs_lock(fd, true, 0) == -1;
	close(fd);
	return there;
}

int
fsck_main(int argc, char **argv)
{
	static char log[] = ".log", hold[] = ".hold", edit[] = ".edit";
	static char none[] = "";
	struct queue tmp;
	int ch;

	while ((ch = getopt(argc, argv, "+n")) != -1)
		if (ch == 'n')
			dry_run = true;
		else
			usage_of("fsck");
	if (argc != optind)
		usage_of("fsck");
	open_queue(false);
	fsck.run = run_is_there();
	tmp = queue;
	tmp.fd = queue.tmp_fd;
	if (queue_list(&queue, "", check_message, NULL) == -1 ||
	    queue_list(&queue, log, check_beside, log) == -1 ||
	    queue_list(&queue, hold, check_beside, hold) == -1 ||
	    queue_list(&tmp, none, check_tmp, none) == -1 ||
	    queue_list(&tmp, edit, check_tmp, edit) == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_TEMP;
}
