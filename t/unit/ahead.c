/* io/ahead: each file once, as it is, whatever is asked and taken of them. */
#include "io/ahead.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/num.h"
#include "io/fs.h"
#include "test.h"

enum { FILES = 3 * LIMIT_AHEAD, BIG = LIMIT_AHEAD_FRONT + 1000 };

static char root[] = "/tmp/ahead.XXXXXX";
static int dir;

/* Every seventh is missing, every fifth longer than what is read ahead. */
static size_t
size_of(uint32_t i)
{
	return i % 7 == 0 ? 0 : i % 5 == 0 ? BIG : 100 + i;
}

static void
make(uint32_t i)
{
	static char text[BIG];
	char name[16];
	int fd;

	if (size_of(i) == 0)
		return;
	memset(text, 'a' + (char)(i % 26), sizeof(text));
	if (i % 2 == 0)
		memcpy(text + 50, "\n\n", 2);
	snprintf(name, sizeof(name), "%u", i);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	check(fd != -1);
	check(write(fd, text, size_of(i)) == (ssize_t)size_of(i));
	check(close(fd) == 0);
}

/* Ask for every step-th from *next on, as many as there is room for. */
static void
ask(struct ahead *a, uint32_t *next, uint32_t step)
{
	char name[16];

	for (; ahead_room(a) > 0 && *next <= FILES; *next += step) {
		snprintf(name, sizeof(name), "%u", *next);
		ahead_ask(a, *next, name);
	}
	ahead_go(a);
}

/* Where the rest of it is read from, and whether there is one. */
static void
check_rest(const struct ahead_file *f, uint32_t i, enum ahead_want want)
{
	bool headed = want == AHEAD_HEAD && i % 2 == 0;

	check(f->ended == (f->front.n == size_of(i)));
	check(f->size == size_of(i));
	check((f->fd == -1) == (f->ended || headed));
	if (f->fd == -1)
		return;
	check(lseek(f->fd, 0, SEEK_CUR) == (off_t)f->front.n);
	check(close(f->fd) == 0);
}

static void
check_file(struct ahead *a, uint32_t i, enum ahead_want want)
{
	struct ahead_file f;
	size_t most = want == AHEAD_HEAD ? 4096 : LIMIT_AHEAD_FRONT;
	size_t n = size_of(i) < most ? size_of(i) : most;

	if (n == 0) {
		check(!ahead_take(a, i, &f));
		return;
	}
	check(ahead_take(a, i, &f));
	check(f.front.n == n && f.front.p[0] == 'a' + (char)(i % 26) &&
	    f.front.p[n - 1] == f.front.p[0]);
	check_rest(&f, i, want);
}

static void
test_all(enum ahead_want want, uint32_t step)
{
	struct ahead *a = ahead_begin(dir, want);
	uint32_t next = 1;

	check(a != NULL);
	ask(a, &next, step);
	for (uint32_t i = 1; i <= FILES; i += step) {
		check_file(a, i, want);
		ask(a, &next, step);
	}
	check(ahead_room(a) == LIMIT_AHEAD);
	ahead_end(a);
}

/* Some are passed over, some were never asked for, some left at the end. */
static void
test_some(void)
{
	struct ahead *a = ahead_begin(dir, AHEAD_ALL);
	struct ahead_file f;
	uint32_t next = 2;

	check(a != NULL);
	check(!ahead_take(a, 1, &f));
	ask(a, &next, 2);
	check(ahead_room(a) == 0);
	check(!ahead_take(a, 1, &f));
	check_file(a, 2, AHEAD_ALL);
	check(!ahead_take(a, 3, &f));
	check_file(a, 16, AHEAD_ALL);
	check(!ahead_take(a, 4, &f));
	check_file(a, 18, AHEAD_ALL);
	ask(a, &next, 2);
	check_file(a, 2 * LIMIT_AHEAD + 2, AHEAD_ALL);
	ask(a, &next, 2);
	ahead_end(a);
	ahead_end(NULL);
}

/* No descriptor is left open. */
static int
lowest_free(void)
{
	int fd = dup(dir);

	close(fd);
	return fd;
}

/* What others need is not taken from them. */
static void
test_few(void)
{
	struct rlimit had, few;

	check(getrlimit(RLIMIT_NOFILE, &had) == 0);
	few = had;
	few.rlim_cur = 2 * LIMIT_AHEAD;
	check(setrlimit(RLIMIT_NOFILE, &few) == 0);
	check(ahead_begin(dir, AHEAD_ALL) == NULL);
	check(setrlimit(RLIMIT_NOFILE, &had) == 0);
}

int
main(void)
{
	int before;

	check(mkdtemp(root) != NULL);
	dir = fs_open_dir(root);
	for (uint32_t i = 1; i <= FILES; i++)
		make(i);
	before = lowest_free();
	test_few();
	for (uint32_t step = 1; step < 4; step++) {
		test_all(AHEAD_HEAD, step);
		test_all(AHEAD_ALL, step);
	}
	test_some();
	check(lowest_free() == before);
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
