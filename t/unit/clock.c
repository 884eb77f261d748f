/* store/scan, reconcile: what a clock that jumps must not hide. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"
#include "io/fs.h"
#include "store/view.h"
#include "test.h"

static char root[64] = "/tmp/clock.XX"
		       "XX"
		       "XX";
static const int64_t second = INT64_C(1000000000);

static void
put(const char *file)
{
	char p[512];
	int fd;

	snprintf(p, sizeof(p), "%s/box/%s", root, file);
	fd = open(p, O_WRONLY | O_CREAT | O_EXCL, 0600);
	check(fd != -1 && write(fd, "x\n", 2) == 2);
	close(fd);
}

/* Both directories, as if their last change had been then. */
static void
set_mtimes(int64_t ns)
{
	struct timespec t = { (time_t)(ns / second), (long)(ns % second) };
	struct timespec both[2] = { t, t };
	char p[512];

	for (int i = 0; i < 2; i++) {
		snprintf(p, sizeof(p), "%s/box/%s", root, i ? "cur" : "new");
		check(utimensat(AT_FDCWD, p, both, 0) == 0);
	}
}

static struct folder *
open_box(void)
{
	struct folder *f = NULL;
	char p[512];

	snprintf(p, sizeof(p), "%s/box", root);
	check(folder_open(&f, p, true) == 0);
	return f;
}

static size_t
count(void)
{
	struct folder *f = open_box();
	size_t n = folder_count(f);

	folder_close(f);
	return n;
}

/* What the index says of both directories, as it was written earlier. */
static void
record(int64_t ns, unsigned trusted)
{
	struct trust t = { ns, ns, trusted };
	struct folder *f = open_box();

	check(index_lock(&f->ix) == 0);
	index_put_trust(&f->ix, &t);
	check(index_commit(&f->ix) == 0);
	index_unlock(&f->ix);
	folder_close(f);
}

/*
 * A directory was read at a time that is yet to come again; in the tick of
 * its mtime another program delivers.
 */
static void
test_set_back(int64_t ahead, const char *file)
{
	int64_t then = fs_clock_ns(-1) + ahead;
	size_t n = count();

	record(then, SCAN_ALL);
	put(file);
	set_mtimes(then);
	check(count() == n + 1);
}

/* The same under a session that goes on. */
static void
test_live(int64_t ahead, unsigned trusted, const char *file)
{
	int64_t then = fs_clock_ns(-1) + ahead;
	struct folder *f = open_box();
	size_t n = folder_count(f);

	f->ix.trust = (struct trust){ then, then, trusted };
	put(file);
	set_mtimes(then);
	check(folder_refresh(f, true, NULL) == 0);
	check(folder_count(f) == n + 1);
	folder_close(f);
}

/* Such an mtime would never be believed: it is brought to the present. */
static void
test_brought_to_now(void)
{
	char p[512];

	set_mtimes(fs_clock_ns(-1) + 3600 * second);
	count();
	for (int i = 0; i < 2; i++) {
		snprintf(p, sizeof(p), "%s/box/%s", root, i ? "cur" : "new");
		check(fs_mtime_ns(AT_FDCWD, p) <= fs_clock_ns(-1));
	}
}

/* An mtime that is old enough is believed, and no directory is read. */
static void
test_believed(void)
{
	int64_t then = fs_clock_ns(-1) - 10 * second;
	size_t n;

	set_mtimes(then);
	n = count();
	put("cur/9.unseen:2,");
	set_mtimes(then);
	check(count() == n);
	set_mtimes(then + 1);
	check(count() == n + 1);
}

int
main(void)
{
	static const char *const dirs[] = { "tmp", "new", "cur" };
	char p[512];

	if (mkdtemp(root) == NULL)
		return 1;
	for (int i = 0; i < 3; i++) {
		snprintf(p, sizeof(p), "%s/box/%s", root, dirs[i]);
		check(fs_mkdirs(p, 0700) == 0);
	}
	put("cur/1.a:2,");
	check(count() == 1);
	test_set_back(3600 * second, "cur/2.b:2,S");
	test_set_back(second / 2, "new/3.c");
	test_set_back(-second / 2, "cur/4.d:2,");
	test_live(3600 * second, SCAN_ALL, "cur/5.e:2,");
	test_live(3600 * second, 0, "cur/6.f:2,");
	test_live(-second / 2 * 5, 0, "new/7.g");
	test_brought_to_now();
	test_believed();
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
