/* store/index on a disk whose syncs fail: nothing of a commit is forgotten. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io/fs.h"
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

int
main(void)
{
	struct maildir md;

	check(mkdtemp(root) != NULL);
	check(maildir_open(&md, root, true) == 0);
	maildir_close(&md);
	test_many();
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
