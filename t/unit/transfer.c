/* store/transfer, store/deliver: COPY, MOVE, and what delivery leaves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/deliver.h"
#include "store/folder.h"
#include "store/index.h"
#include "test.h"

static char root[64] = "/tmp/transfer.XX"
		       "XX"
		       "XX";

static const char *
path_of(const char *folder)
{
	static char path[4][256];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, 256, "%s/%s", root, folder);
	return p;
}

static void
make(const char *folder)
{
	struct maildir md;

	check(maildir_open(&md, path_of(folder), true) == 0);
	maildir_close(&md);
}

static void
put(const char *folder, unsigned i, const char *flags)
{
	char p[512];
	FILE *f;

	snprintf(p, sizeof(p), "%s/cur/%u.M%u.h:2,%s", path_of(folder),
	    1000 + i, i, flags);
	f = fopen(p, "w");
	check(f != NULL);
	if (f == NULL)
		return;
	fprintf(f, "Subject: %u\n\nx\n", i);
	fclose(f);
}

static struct folder *
open_folder(const char *folder)
{
	struct folder *f = NULL;

	check(folder_open(&f, path_of(folder), true) == 0);
	if (f == NULL)
		exit(1);
	return f;
}

static size_t
count(const char *folder)
{
	struct folder *f = open_folder(folder);
	size_t n = folder_count(f);

	folder_close(f);
	return n;
}

static void
renew(struct folder *f)
{
	check(folder_refresh(f, true, NULL) == 0);
}

static const size_t all[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

/* Ids, dates, flags, keywords and sizes go along. */
static void
test_kept(bool move)
{
	struct folder *f, *g;
	char id[3][FOLDER_ID], now[FOLDER_ID];
	uint32_t validity, uids[3];
	int64_t date, was;
	uint64_t size;
	int k;

	make("a");
	make("b");
	for (unsigned i = 0; i < 3; i++)
		put("a", i, i == 1 ? "FP" : "S");
	f = open_folder("a");
	k = folder_keyword(f, SPAN("Blue"), true);
	check(k > 0);
	check(folder_store(f, all + 1, 1, FOLDER_ADD, 0, UINT64_C(1) << k,
		  UINT64_MAX, NULL) == 0);
	check(folder_date(f, 0, &was) == 0);
	for (size_t i = 0; i < 3; i++)
		folder_email_id(f, i, id[i]);
	check(strcmp(id[0], id[1]) != 0);
	check(folder_copy(f, all, 3, path_of("b"), move, &validity, uids) == 0);
	check(uids[0] == 1 && uids[1] == 2 && uids[2] == 3);
	g = open_folder("b");
	check(folder_count(g) == 3 && folder_uidvalidity(g) == validity);
	for (size_t i = 0; i < folder_count(g); i++) {
		folder_email_id(g, i, now);
		check(strcmp(now, id[i]) == 0);
	}
	check(folder_msg(g, 1)->keywords == 3);
	check(strcmp(folder_keyword_name(g, 1), "Blue") == 0);
	check((folder_msg(g, 1)->flags & FLAG_ALL) == FLAG_FLAGGED);
	check(folder_date(g, 0, &date) == 0 && date == was);
	check(folder_size(g, 2, &size) == 0 && size == 17);
	folder_close(g);
	renew(f);
	check(folder_count(f) == (move ? 0 : 3));
	folder_close(f);
	/* And what is not remembered is found the same way. */
	check(unlink(path_of("b/pneu.snapshot")) == 0);
	g = open_folder("b");
	check(folder_count(g) == 3 && folder_uidvalidity(g) > validity);
	folder_email_id(g, 2, now);
	check(strcmp(now, id[2]) == 0);
	folder_close(g);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
	check(fs_remove_tree(AT_FDCWD, path_of("b")) == 0);
}

/* Into the mailbox itself. */
static void
test_same(void)
{
	struct folder *f;
	uint32_t validity, uids[2];

	make("a");
	put("a", 1, "S");
	put("a", 2, "F");
	f = open_folder("a");
	check(
	    folder_copy(f, all, 2, path_of("a"), false, &validity, uids) == 0);
	check(uids[0] == 3 && uids[1] == 4 && folder_count(f) == 2);
	renew(f);
	check(folder_count(f) == 4 && folder_msg(f, 3)->uid == 4);
	check(folder_copy(f, all, 2, path_of("a"), true, &validity, uids) == 0);
	check(uids[0] == 5 && uids[1] == 6 && folder_msg(f, 0)->gone);
	renew(f);
	check(folder_count(f) == 4 && folder_msg(f, 0)->uid == 3);
	check((folder_msg(f, 3)->flags & FLAG_ALL) == FLAG_FLAGGED);
	folder_close(f);
	check(count("a") == 4);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
}

/* One has gone, or was renamed, by another program. */
static void
test_all_or_none(bool move)
{
	struct folder *f, *g;
	uint32_t validity, uids[3];
	char a[512], b[512];

	make("a");
	make("b");
	for (unsigned i = 0; i < 3; i++)
		put("a", i, "");
	f = open_folder("a");
	snprintf(a, sizeof(a), "%s/cur/1001.M1.h:2,", path_of("a"));
	snprintf(b, sizeof(b), "%s/cur/1001.M1.h:2,R", path_of("a"));
	check(rename(a, b) == 0);
	check(
	    folder_copy(f, all, 3, path_of("b"), false, &validity, uids) == 0);
	check(count("b") == 3);
	check(unlink(b) == 0);
	check(
	    folder_copy(f, all, 3, path_of("b"), move, &validity, uids) == -1);
	check(errno == ENOENT);
	g = open_folder("b");
	check(folder_count(g) == 3 && folder_uidnext(g) == 4);
	folder_close(g);
	renew(f);
	check(folder_count(f) == 2);
	folder_close(f);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
	check(fs_remove_tree(AT_FDCWD, path_of("b")) == 0);
}

/* "text N" of some length, as a fact. */
static struct span
fact_of(unsigned i, int kind)
{
	static char text[600];

	memset(text, 'x', sizeof(text));
	snprintf(text, sizeof(text), "%u %d", i, kind);
	return (struct span){ text, 100 + i % 400 };
}

static bool
has_fact(struct folder *f, size_t i, int kind, unsigned of)
{
	struct span text;

	return folder_fact_get(f, i, (enum folder_fact)kind, &text) &&
	    span_eq(text, fact_of(of, kind));
}

static void
put_facts(struct folder *f, size_t i, unsigned of)
{
	folder_fact_put(f, i, FACT_HEAD, fact_of(of, FACT_HEAD));
	folder_fact_put(f, i, FACT_BODY, fact_of(of, FACT_BODY));
	if (of % 2 == 0)
		folder_fact_put(
		    f, i, FACT_SIGNATURE, fact_of(of, FACT_SIGNATURE));
}

/* Facts that are there go along: more of them than one write takes. */
static void
test_facts(const char *to, bool move)
{
	enum { N = 600, KNOWN = N - 2 };
	static size_t idx[N];
	static uint32_t uids[N];
	struct folder *f, *g;
	uint32_t validity;
	struct span text;
	size_t bad = 0, lower;

	make("a");
	make("b");
	for (unsigned i = 0; i < N; i++)
		put("a", i, "S");
	f = open_folder("a");
	for (size_t i = 0; i < N; i++)
		idx[i] = N - 1 - i;
	/* the last of them are not written when the copy begins */
	for (unsigned i = 0; i < KNOWN; i++)
		put_facts(f, i, i);
	check(f != NULL && folder_count(f) == N);
	check(folder_copy(f, idx, N, path_of(to), move, &validity, uids) == 0);
	g = open_folder(to);
	lower = folder_lower(g, uids[0]);
	check(folder_count(g) - lower == N);
	for (unsigned k = 0; k < N; k++) {
		size_t i = lower + k;
		unsigned of = N - 1 - k;

		if (of >= KNOWN) {
			check(!folder_fact_get(g, i, FACT_HEAD, &text));
			check(!folder_fact_get(g, i, FACT_BODY, &text));
			continue;
		}
		bad += !has_fact(g, i, FACT_HEAD, of);
		bad += !has_fact(g, i, FACT_BODY, of);
		bad += has_fact(g, i, FACT_SIGNATURE, of) != (of % 2 == 0);
	}
	check(bad == 0);
	folder_close(g);
	/* and those of the source are what they were */
	for (unsigned i = 0; !move && i < KNOWN; i++)
		bad += !has_fact(f, i, FACT_BODY, i);
	check(bad == 0);
	folder_close(f);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
	check(fs_remove_tree(AT_FDCWD, path_of("b")) == 0);
}

static void
shuttle(const char *from, const char *to)
{
	uint32_t validity, uids[1];

	alarm(240);
	for (int i = 0; i < 150; i++) {
		struct folder *f = open_folder(from);

		if (folder_count(f) > 0 &&
		    folder_copy(
			f, all, 1, path_of(to), true, &validity, uids) == -1 &&
		    errno != ENOENT)
			_exit(1);
		folder_close(f);
	}
	_exit(0);
}

/* Two ways at once: no wait for each other, nothing lost or doubled. */
static void
test_crossing(void)
{
	pid_t pid[4];
	int status;

	make("a");
	make("b");
	for (unsigned i = 0; i < 5; i++) {
		put("a", i, "");
		put("b", 10 + i, "");
	}
	index_journal_max = 400; /* with new snapshots on the way */
	for (int i = 0; i < 4; i++)
		if ((pid[i] = fork()) == 0)
			shuttle(i % 2 ? "a" : "b", i % 2 ? "b" : "a");
	for (int i = 0; i < 4; i++)
		check(waitpid(pid[i], &status, 0) == pid[i] && status == 0);
	index_journal_max = 65536;
	check(count("a") + count("b") == 10);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
	check(fs_remove_tree(AT_FDCWD, path_of("b")) == 0);
}

static void
deliver(const char *folder, const char *text, bool with_index)
{
	static struct maildir_file f;
	static struct digester digester;
	struct delivery *d;
	struct maildir md;

	check(maildir_open(&md, path_of(folder), true) == 0);
	check(maildir_create(&md, &f) == 0);
	maildir_digest(&f, &digester);
	maildir_write(&f, span_of(text));
	check(maildir_sync(&f) == 0);
	d = with_index ? delivery_begin(path_of(folder), 0) : NULL;
	check((d != NULL) == with_index);
	check(maildir_place(&f, NULL, 0) == 0);
	if (d != NULL)
		delivery_add(d, &f);
	delivery_end(d);
	maildir_done(&f);
	maildir_close(&md);
}

/* What was delivered is known without a look at a file. */
static void
test_deliver(void)
{
	struct folder *f, *g;
	struct digest d;
	struct span text;
	struct index ix;

	deliver("a", "Subject: one\n\nbody\n", true);
	f = open_folder("a");
	check(folder_count(f) == 1 && folder_msg(f, 0)->uid == 1);
	check(folder_msg(f, 0)->size == 22 && folder_msg(f, 0)->date > 0);
	check((folder_msg(f, 0)->flags & FLAG_RECENT) != 0);
	check(folder_fact_get(f, 0, FACT_HEAD, &text));
	check(folder_fact_get(f, 0, FACT_BODY, &text));
	check(folder_digest(f, 0, DIGEST_HEAD, &d) == 0);
	check(span_find(d.envelope, SPAN("\"one\"")) < d.envelope.n);
	deliver("a", "Subject: two\n\nbody\n", true);
	renew(f);
	check(folder_count(f) == 2);
	check((folder_msg(f, 1)->flags & FLAG_RECENT) != 0);
	check(folder_fact_get(f, 1, FACT_HEAD, &text));
	/* While somebody holds the lock it goes on without. */
	check(index_open(&ix, path_of("a")) == 0 && index_lock(&ix) == 0);
	check(delivery_begin(path_of("a"), 20) == NULL);
	deliver("a", "Subject: three\n\nbody\n", false);
	index_unlock(&ix);
	index_close(&ix);
	deliver("a", "Subject: four\n\nbody\n", true);
	renew(f);
	g = open_folder("a");
	check(folder_count(f) == 4 && folder_count(g) == 4);
	check(!folder_fact_get(f, 2, FACT_HEAD, &text));
	check(folder_fact_get(f, 3, FACT_HEAD, &text));
	for (size_t i = 0; i < folder_count(f) && i < folder_count(g); i++)
		check(folder_msg(f, i)->uid == folder_msg(g, i)->uid);
	folder_close(g);
	folder_close(f);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
}

static void
rename_file(const char *from, const char *to)
{
	check(rename(path_of(from), path_of(to)) == 0);
}

/* What was \Deleted when we looked, and is not any more, stays. */
static void
test_undeleted(void)
{
	struct folder *f, *g;

	make("a");
	for (unsigned i = 0; i < 3; i++)
		put("a", i, "T");
	f = open_folder("a");
	g = open_folder("a");
	check(folder_store(g, all, 1, FOLDER_REMOVE, FLAG_DELETED, 0,
		  UINT64_MAX, NULL) == 0);
	rename_file("a/cur/1001.M1.h:2,T", "a/cur/1001.M1.h:2,S");
	check(folder_expunge_deleted(f, all, 3) == 0);
	renew(f);
	check(folder_count(f) == 2 && folder_msg(f, 1)->uid == 2);
	check(folder_msg(f, 0)->flags == 0);
	check(folder_msg(f, 1)->flags == FLAG_SEEN);
	folder_close(g);
	folder_close(f);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
}

/* What another session has set is copied, though we were not told of it. */
static void
test_keyword_of_another(void)
{
	struct folder *f, *g;
	uint32_t validity, uid;
	int k;

	make("a");
	make("b");
	put("a", 0, "S");
	f = open_folder("a");
	g = open_folder("a");
	k = folder_keyword(g, SPAN("Blue"), true);
	check(k > 0);
	check(folder_store(g, all, 1, FOLDER_ADD, 0, UINT64_C(1) << k,
		  UINT64_MAX, NULL) == 0);
	folder_close(g);
	check(
	    folder_copy(f, all, 1, path_of("b"), false, &validity, &uid) == 0);
	folder_close(f);
	g = open_folder("b");
	k = folder_keyword(g, SPAN("Blue"), false);
	check(k > 0 && folder_msg(g, 0)->keywords == UINT64_C(1) << k);
	folder_close(g);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
	check(fs_remove_tree(AT_FDCWD, path_of("b")) == 0);
}

/*
 * Into the folder itself, and another program renames a file where no mtime
 * tells: each message is there once, under its new UID.
 */
static void
test_renamed_same(void)
{
	uint32_t validity, uids[4];
	struct timespec t[2];
	struct folder *f;
	struct stat st;

	make("a");
	for (unsigned i = 0; i < 4; i++)
		put("a", i, "S");
	f = open_folder("a");
	check(stat(path_of("a/cur"), &st) == 0);
	t[0] = st.st_atim;
	t[1] = st.st_mtim;
	rename_file("a/cur/1002.M2.h:2,S", "a/cur/1002.M2.h:2,FS");
	check(utimensat(AT_FDCWD, path_of("a/cur"), t, 0) == 0);
	check(folder_copy(f, all, 4, path_of("a"), true, &validity, uids) == 0);
	renew(f);
	check(folder_count(f) == 4);
	for (size_t i = 0; i < 4 && i < folder_count(f); i++)
		check(folder_msg(f, i)->uid == uids[i]);
	check(folder_expunge(f, all, 1) == 0);
	renew(f);
	check(folder_count(f) == 3);
	folder_close(f);
	check(count("a") == 3);
	check(fs_remove_tree(AT_FDCWD, path_of("a")) == 0);
}

int
main(void)
{
	check(mkdtemp(root) != NULL);
	test_kept(false);
	test_kept(true);
	test_same();
	test_all_or_none(false);
	test_all_or_none(true);
	test_facts("b", false);
	test_facts("b", true);
	test_facts("a", false);
	test_facts("a", true);
	test_crossing();
	test_deliver();
	test_undeleted();
	test_keyword_of_another();
	test_renamed_same();
	check(rmdir(root) == 0 || unlink(path_of("pneu.uidvalidity")) == 0);
	rmdir(root);
	return done();
}
