/* append: several messages at once, or none; the target is kept in mind. */
#include "store/append.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/fs.h"
#include "store/index.h"
#include "store/view.h"
#include "test.h"

static char root[] = "/tmp/pneu-append.XXXXXX";
static struct folder_append a;

static void
path_of(const char *name, char path[LIMIT_PATH])
{
	snprintf(path, LIMIT_PATH, "%s/%s", root, name);
}

static void
make(const char *name)
{
	struct maildir md;
	char path[LIMIT_PATH];

	path_of(name, path);
	check(maildir_open(&md, path, true) == 0);
	maildir_close(&md);
}

static size_t
files(const char *name, const char *dir)
{
	char path[LIMIT_PATH + 8];
	struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s/%s", root, name, dir);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		n += *e->d_name != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

static bool
begin(const char *name, struct folder *own)
{
	char path[LIMIT_PATH];

	path_of(name, path);
	return folder_append_begin(&a, path, own) == 0;
}

static bool
put(const char *text, const char *keywords)
{
	if (folder_append_create(&a) == -1)
		return false;
	maildir_write(&a.file, span_of(text));
	return folder_append_done(
		   &a, FLAG_SEEN, span_of(keywords), 1000000000) == 0;
}

/* Append n; the first UID, 0 when it fails. */
static uint32_t
append(const char *name, struct folder *own, size_t n)
{
	uint32_t validity, uid;

	if (!begin(name, own))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!put("Subject: x\n\nbody", i % 2 == 0 ? "A b" : ""))
			return 0;
	return folder_append_commit(&a, &validity, &uid) == 0 ? uid : 0;
}

static void
test_several(void)
{
	struct folder *f;
	struct span words;
	uint16_t flags;
	char path[LIMIT_PATH];

	make("A");
	check(append("A", NULL, 3) == 1);
	folder_append_flags(&a, 2, &flags, &words);
	check(a.n == 3 && flags == FLAG_SEEN && span_is(words, "A b"));
	check(append("A", NULL, 1) == 4);
	check(files("A", "cur") == 4 && files("A", "tmp") == 0);
	path_of("A", path);
	check(folder_open(&f, path, true) == 0);
	check(folder_count(f) == 4 && folder_msg(f, 3)->uid == 4);
	check(folder_msg(f, 0)->size == 20);
	check(folder_msg(f, 0)->keywords != 0);
	check(folder_msg(f, 1)->keywords == 0);
	/* the session's own folder shows it with the next look */
	check(append("A", f, 2) == 5);
	check(folder_count(f) == 4);
	check(folder_refresh(f, true, NULL) == 0 && folder_count(f) == 6);
	check(append("A", NULL, 1) == 7);
	check(folder_refresh(f, true, NULL) == 0 && folder_count(f) == 7);
	folder_close(f);
}

static void
test_none(void)
{
	size_t had = files("A", "cur");
	size_t n = 0;

	check(begin("A", NULL) && put("x", "") && put("y", ""));
	check(files("A", "tmp") == 2);
	check(folder_append_create(&a) == 0);
	folder_append_abort(&a);
	check(files("A", "tmp") == 0 && files("A", "cur") == had);
	check(begin("A", NULL) && put("x", ""));
	check(folder_append_create(&a) == 0);
	maildir_write(&a.file, SPAN("y"));
	folder_append_drop(&a);
	check(a.n == 1 && files("A", "tmp") == 1);
	while (put("x", ""))
		n++;
	check(errno == E2BIG);
	check(n > 900 && n < 2000);
	folder_append_abort(&a);
	check(files("A", "tmp") == 0 && files("A", "cur") == had);
	check(!begin("none", NULL) && errno == ENOENT);
	check(append("A", NULL, 1) == 8);
}

/* Snapshots are made on the way, by us and by others. */
static void
test_kept(void)
{
	static struct folder_append other;
	uint32_t validity, uid, last = 8;
	char path[LIMIT_PATH];

	path_of("A", path);
	for (int i = 0; i < 200; i++) {
		uid = append("A", NULL, 1);
		check(uid == last + 1);
		check(folder_append_begin(&other, path, NULL) == 0 &&
		    folder_append_create(&other) == 0);
		maildir_write(&other.file, SPAN("x: y\n"));
		check(folder_append_done(&other, 0, SPAN(""), 0) == 0);
		check(folder_append_commit(&other, &validity, &uid) == 0);
		check(uid == last + 2);
		last = uid;
	}
	folder_append_close(&other);
	/* another folder of that name */
	check(fs_remove_tree(AT_FDCWD, path) == 0);
	check(!begin("A", NULL));
	make("A");
	check(append("A", NULL, 2) == 1 && files("A", "cur") == 2);
}

/* The disk is full for a record, and not for the next: all or nothing. */
static void
test_full(void)
{
	struct rlimit old, small;
	struct index ix;
	struct index_new new = { .fresh = true };
	char path[LIMIT_PATH];

	make("F");
	path_of("F", path);
	check(append("F", NULL, 2) == 1);
	check(index_open(&ix, path) == 0 && index_lock(&ix) == 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = (rlim_t)ix.applied;
	setrlimit(RLIMIT_FSIZE, &small);
	check(view_keyword(&ix, SPAN("other")) == -1);
	setrlimit(RLIMIT_FSIZE, &old);
	new.uid = ix.uidnext;
	new.file = SPAN("1000000000.M1P1.x:2,");
	index_put_new(&ix, &new);
	check(index_commit(&ix) == -1);
	index_unlock(&ix);
	index_close(&ix);
	check(append("F", NULL, 1) == 3);
}

int
main(void)
{
	check(mkdtemp(root) != NULL);
	index_journal_max = 2000;
	test_several();
	test_none();
	test_kept();
	test_full();
	folder_append_close(&a);
	folder_append_close(&a);
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
