/*
 * store: several processes at work on the same folders, killed at any
 * time.  Afterwards no UID that was shown names another message, and no
 * message is lost that nobody removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "io/fs.h"
#include "io/out.h"
#include "store/append.h"
#include "store/index.h"
#include "test.h"

enum { ROUNDS = 25, WORKERS = 3, ID = 24, SHOWN_MAX = 200000 };

static char root[64] = "/tmp/storekill.XX"
		       "XX"
		       "XX";
static const char *const folders[] = { "", "/.b", "/.b.c" };
static int shown_fd, kept_fd, removed_fd;
static unsigned seed;

static unsigned
dice(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void
note(int fd, const char *line)
{
	if (write_all(fd, line, strlen(line), INT64_MAX) == -1)
		_exit(3);
}

static void
make_folder(const char *folder)
{
	static const char *const parts[] = { "", "/tmp", "/new", "/cur" };
	char p[256];

	for (size_t i = 0; i < 4; i++) {
		snprintf(p, sizeof(p), "%s%s%s", root, folder, parts[i]);
		if (mkdir(p, 0700) == -1 && errno != EEXIST)
			exit(3);
	}
}

static void
new_id(char id[ID + 2])
{
	static unsigned n;
	char text[64];

	snprintf(text, sizeof(text), "%010ld.%06u.%06u", (long)getpid(),
	    n++ % 1000000, dice(1000000));
	memcpy(id, text, ID);
	memcpy(id + ID, "\n", 2);
}

/* As a delivery agent does it, without our library. */
static void
deliver(const char *folder)
{
	char id[ID + 2], tmp[256], to[256];
	int fd;

	new_id(id);
	snprintf(tmp, sizeof(tmp), "%s%s/tmp/%.*s", root, folder, ID, id);
	snprintf(to, sizeof(to), "%s%s/new/1%.*s.h", root, folder, ID, id);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		_exit(3);
	note(fd, id);
	close(fd);
	if (rename(tmp, to) == -1)
		_exit(3);
	note(kept_fd, id);
}

static bool
id_of(struct folder *f, size_t i, char id[ID + 2])
{
	int fd = folder_open_msg(f, i);
	ssize_t n;

	if (fd == -1)
		return false;
	n = read(fd, id, ID + 1);
	close(fd);
	id[n < 0 ? 0 : n] = '\0';
	return n == ID + 1;
}

/* What a client would see, for the check of all that was ever seen. */
static void
show(struct folder *f, unsigned where, size_t from)
{
	char id[ID + 2], line[128];

	for (size_t i = from; i < folder_count(f); i++) {
		if (!id_of(f, i, id))
			continue;
		snprintf(line, sizeof(line), "%u %010u %010u %s", where,
		    folder_uidvalidity(f), folder_msg(f, i)->uid, id);
		note(shown_fd, line);
	}
}

static void
append(const char *folder)
{
	static struct folder_append a;
	char id[ID + 2], path[256];
	uint32_t v, uid;

	new_id(id);
	snprintf(path, sizeof(path), "%s%s", root, folder);
	if (folder_append_begin(&a, path, NULL) == -1 ||
	    folder_append_create(&a) == -1)
		return;
	maildir_write(&a.file, span_of(id));
	if (folder_append_done(&a, FLAG_SEEN, SPAN("Blue"), 0) == 0 &&
	    folder_append_commit(&a, &v, &uid) == 0)
		note(kept_fd, id);
}

static void
remove_some(struct folder *f)
{
	char id[ID + 2];
	size_t idx[2], n = 0;

	for (size_t k = 0; k < 2; k++) {
		idx[n] = k == 0 ? folder_count(f) - 1
				: dice((unsigned)folder_count(f));
		if (!id_of(f, idx[n], id) || (n == 1 && idx[0] == idx[1]))
			continue;
		note(removed_fd, id);
		n++;
	}
	if (folder_expunge(f, idx, n) == -1)
		printf("# expunge: %s\n", strerror(errno));
}

static void
session(unsigned where)
{
	char path[256];
	struct folder *f;
	uint32_t v, uids[3];
	size_t idx[3], seen = 0;

	snprintf(path, sizeof(path), "%s%s", root, folders[where]);
	if (folder_open(&f, path, dice(4) > 0) == -1) {
		printf("# open %s: %s\n", path, strerror(errno));
		return;
	}
	for (int step = 0; step < 6; step++) {
		show(f, where, seen);
		seen = folder_count(f);
		if (seen == 0)
			break;
		for (size_t k = 0; k < 3; k++)
			idx[k] = dice((unsigned)seen);
		snprintf(path, sizeof(path), "%s%s", root, folders[dice(3)]);
		if (step == 1 && idx[0] < idx[1] && seen < 60 &&
		    folder_copy(f, idx, 2, path, dice(2) == 0, &v, uids) ==
			-1 &&
		    errno != ENOENT && errno != EROFS)
			printf("# copy: %s\n", strerror(errno));
		if (step == 2 && dice(4) == 0)
			remove_some(f);
		if (step == 3 &&
		    folder_store(f, idx, 3, FOLDER_REPLACE, (uint16_t)dice(32),
			dice(2), UINT64_MAX, NULL) == -1 &&
		    errno != EROFS)
			printf("# store: %s\n", strerror(errno));
		if (folder_refresh(f, true, NULL) == -1) {
			printf("# refresh: %s\n", strerror(errno));
			break;
		}
		seen = folder_count(f) < seen ? folder_count(f) : seen;
	}
	folder_close(f);
}

static void
work(unsigned s)
{
	seed = s;
	for (;;) {
		deliver(folders[dice(3)]);
		if (dice(3) == 0)
			append(folders[dice(3)]);
		session(dice(3));
	}
}

static void
round_of(unsigned s)
{
	struct timespec nap = { 0, 3000000 + (long)dice(60) * 1000000 };
	pid_t pid[WORKERS];

	fflush(stdout);
	for (unsigned i = 0; i < WORKERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			work(s * 17 + i);
	}
	nanosleep(&nap, NULL);
	for (unsigned i = 0; i < WORKERS; i++)
		kill(pid[i], SIGKILL);
	for (unsigned i = 0; i < WORKERS; i++) {
		int status;

		check(waitpid(pid[i], &status, 0) == pid[i]);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}

static int
open_note(const char *name)
{
	char p[128];
	int fd;

	snprintf(p, sizeof(p), "%s/%s", root, name);
	fd = open(p, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		exit(3);
	return fd;
}

static int
by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The whole lines of a file, sorted; the killed may have left a torn one. */
static size_t
sorted(const char *name, size_t len, char **line)
{
	static struct buf b[3];
	static int used;
	struct buf *text = &b[used++];
	struct span s, l;
	size_t n = 0;
	int dir = open(root, O_RDONLY | O_DIRECTORY);

	buf_init(text, 100000000);
	check(fs_read(dir, name, text) == 0);
	close(dir);
	s = buf_span(text);
	while (s.n > 0 && n < SHOWN_MAX) {
		l = span_cut(&s, '\n');
		if (l.n != len)
			continue;
		line[n] = text->p + (l.p - text->p);
		line[n++][l.n] = '\0';
	}
	qsort(line, n, sizeof(line[0]), by_line);
	return n;
}

/* "WHERE UIDVALIDITY UID " is 24 characters, then the message. */
static void
check_shown(void)
{
	static char *line[SHOWN_MAX];
	size_t n = sorted("shown", 24 + ID, line), wrong = 0;

	for (size_t i = 1; i < n; i++)
		if (strncmp(line[i - 1], line[i], 24) == 0 &&
		    strcmp(line[i - 1], line[i]) != 0) {
			printf("# %s\n# %s\n", line[i - 1], line[i]);
			wrong++;
		}
	printf("# %zu lines were shown\n", n);
	check(n > 100);
	check(wrong == 0);
}

static bool
among(char *const *line, size_t n, char *id)
{
	return bsearch(&id, line, n, sizeof(line[0]), by_line) != NULL;
}

static void
check_kept(void)
{
	static char *kept[SHOWN_MAX], *removed[SHOWN_MAX], *have[SHOWN_MAX];
	static char ids[SHOWN_MAX][ID + 2];
	size_t nkept = sorted("kept", ID, kept);
	size_t nremoved = sorted("removed", ID, removed), n = 0, lost = 0;

	for (unsigned where = 0; where < 3; where++) {
		char path[256];
		struct folder *f;

		snprintf(path, sizeof(path), "%s%s", root, folders[where]);
		check(folder_open(&f, path, true) == 0);
		for (size_t i = 0; i < folder_count(f) && n < SHOWN_MAX; i++) {
			check(id_of(f, i, ids[n]));
			ids[n][ID] = '\0';
			have[n] = ids[n];
			n++;
		}
		show(f, where, 0);
		folder_close(f);
	}
	qsort(have, n, sizeof(have[0]), by_line);
	for (size_t i = 0; i < nkept; i++)
		if (!among(have, n, kept[i]) &&
		    !among(removed, nremoved, kept[i])) {
			printf("# lost: %s\n", kept[i]);
			lost++;
		}
	printf("# %zu delivered, %zu removed, %zu there\n", nkept, nremoved, n);
	check(nkept > 20);
	check(lost == 0);
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	for (size_t i = 0; i < 3; i++)
		make_folder(folders[i]);
	shown_fd = open_note("shown");
	kept_fd = open_note("kept");
	removed_fd = open_note("removed");
	seed = 1;
	index_journal_max = 1500;
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of(i + 1);
	check_kept();
	check_shown();
	if (test_failures > 0)
		printf("# %s is left\n", root);
	else if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s can't be removed\n", root);
	return done();
}
