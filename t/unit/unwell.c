/* The index on a disk that fails: nothing is forgotten, nothing has gone. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/folder.h"
#include "store/index.h"
#include "store/maildir.h"
#include "store/mdname.h"
#include "test.h"

static char root[64] = "/tmp/unwell.XX"
		       "XX"
		       "XX";

static int failing; /* so many of the next ones */

int
fsync(int fd)
{
	if (failing > 0) {
		failing--;
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static void
put(struct index *ix, uint32_t uid, uint64_t keywords)
{
	char name[MDNAME_MAX];
	struct index_new new = { .uid = uid, .keywords = keywords };

	snprintf(name, sizeof(name), "%u.M%u.%0180u:2,S", 1000 + uid, uid, uid);
	new.file = span_of(name);
	new.modseq = ix->modseq + 1;
	index_put_new(ix, &new);
}

/* Of that many that a snapshot is made, into a first index not on disk. */
static void
test_many(void)
{
	enum { MANY = 6000 };
	struct index ix;

	check(index_open_locked(&ix, root) == 0);
	check(index_scan(&ix, false) == 0 && ix.loose);
	for (uint32_t uid = 1; uid <= MANY; uid++)
		put(&ix, uid, 6);
	failing = 1;
	check(index_commit(&ix) == 0 && failing == 0);
	check(ix.n == MANY && ix.uidnext == MANY + 1 && !ix.loose);
	check(index_sync(&ix) == 0);
	index_unlock_close(&ix);

	check(index_open_locked(&ix, root) == 0);
	check(ix.n == MANY && ix.uidnext == MANY + 1);
	check(ix.n == MANY && ix.entry[MANY - 1].msg.keywords == 6);
	index_unlock_close(&ix);
}

static unsigned expunged;

static void
on_expunged(void *ctx, size_t i, uint32_t uid)
{
	(void)ctx;
	(void)i;
	(void)uid;
	expunged++;
}

static void
put_file(const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cur/%s", root, name);
	f = fopen(path, "w");
	check(
	    f != NULL && fputs("Subject: x\n\nx\n", f) >= 0 && fclose(f) == 0);
}

static bool
move(const char *from, const char *to)
{
	char a[128], b[128];

	snprintf(a, sizeof(a), "%s/%s", root, from);
	snprintf(b, sizeof(b), "%s/%s", root, to);
	return rename(a, b) == 0;
}

/* A folder can be opened, but neither mapped nor read. */
static bool
in_the_way(bool put)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/pneu.snapshot", root);
	return (put ? mkdir(path, 0700) : rmdir(path)) == 0;
}

/* An index that can't be read is no word of what has gone. */
static void
test_unread(void)
{
	struct folder_news news = { .expunged = on_expunged };
	struct folder *f = NULL;

	put_file("1.M1.h:2,S");
	put_file("2.M2.h:2,S");
	check(folder_open(&f, root, true) == 0 && folder_count(f) == 2);
	check(move("pneu.snapshot", "away") && in_the_way(true));
	check(move("cur/1.M1.h:2,S", "cur/1.M1.h:2,FS"));
	check(folder_open_msg(f, 0) == -1 && folder_gone(f) == 2);
	folder_drop_gone(f, &news);
	check(expunged == 0 && folder_count(f) == 2);
	check(in_the_way(false) && move("away", "pneu.snapshot"));
	put_file("3.M3.h:2,S");
	check(folder_refresh(f, true, &news) == 0 && expunged == 0);
	check(folder_count(f) == 3 && folder_msg(f, 0)->uid == 1);
	check(folder_count(f) == 3 && folder_msg(f, 1)->uid == 2);
	folder_close(f);
}

static void
in_folder(void (*test)(void))
{
	struct maildir md;

	check(maildir_open(&md, root, true) == 0);
	maildir_close(&md);
	test();
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	check(mkdir(root, 0700) == 0);
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	in_folder(test_many);
	in_folder(test_unread);
	check(rmdir(root) == 0);
	return done();
}
