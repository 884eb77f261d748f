/* store/folder: UIDs, flags and changes by others, on a real Maildir. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/index.h"
#include "test.h"

static char root[64] = "/tmp/folder.XX"
		       "XX"
		       "XX";
static const size_t all[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void
path_of(char dst[512], const char *folder, const char *file)
{
	snprintf(dst, 512, "%s/%s/%s", root, folder, file);
}

static void
make(const char *folder)
{
	char p[512];

	path_of(p, folder, "");
	check(fs_mkdirs(p, 0700) == 0);
	path_of(p, folder, "tmp");
	check(mkdir(p, 0700) == 0);
	path_of(p, folder, "new");
	check(mkdir(p, 0700) == 0);
	path_of(p, folder, "cur");
	check(mkdir(p, 0700) == 0);
}

static void
put(const char *folder, const char *file, const char *text)
{
	char p[512];
	FILE *f;

	path_of(p, folder, file);
	f = fopen(p, "w");
	check(f != NULL);
	if (f == NULL)
		return;
	fputs(text, f);
	fclose(f);
}

static bool
exists(const char *folder, const char *file)
{
	char p[512];

	path_of(p, folder, file);
	return access(p, F_OK) == 0;
}

static void
move(const char *folder, const char *from, const char *to)
{
	char a[512], b[512];

	path_of(a, folder, from);
	path_of(b, folder, to);
	check(rename(a, b) == 0);
}

static void
drop(const char *folder, const char *file)
{
	char p[512];

	path_of(p, folder, file);
	check(unlink(p) == 0);
}

static struct folder *
open_folder(const char *folder, bool rw)
{
	char p[512];
	struct folder *f = NULL;
	int r;

	path_of(p, folder, "");
	p[strlen(p) - 1] = '\0';
	r = folder_open(&f, p, rw);
	if (r == -1)
		printf("# %s: %s\n", p, strerror(errno));
	check(r == 0);
	if (r == -1)
		exit(1);
	return f;
}

struct heard {
	size_t nexpunged, nflags, nexists;
	size_t expunged[16], flags[16], exists;
};

static void
on_expunged(void *ctx, size_t i, uint32_t uid)
{
	struct heard *h = ctx;

	(void)uid;
	h->expunged[h->nexpunged++] = i;
}

static void
on_flags(void *ctx, size_t i)
{
	struct heard *h = ctx;

	h->flags[h->nflags++] = i;
}

static void
on_exists(void *ctx, size_t count)
{
	struct heard *h = ctx;

	h->exists = count;
	h->nexists++;
}

static struct heard
refresh(struct folder *f, bool expunge)
{
	struct heard h = { 0 };
	struct folder_news news = { &h, on_expunged, on_flags, on_exists };

	check(folder_refresh(f, expunge, &news) == 0);
	return h;
}

static uint32_t
uid(struct folder *f, size_t i)
{
	return i < folder_count(f) ? folder_msg(f, i)->uid : 0;
}

/* Order of arrival, \Recent once, new/ to cur/, sizes and dates. */
static void
test_open(void)
{
	struct folder *f;
	uint32_t validity;
	uint64_t size;

	make("a");
	put("a", "new/1000000002.M5P1.h", "two\n");
	put("a", "new/1000000001.M20P1.h", "one\n");
	put("a", "new/1000000001.M3P1.h,S=6,W=8", "a\nb\nc\n");
	put("a", "cur/1000000003.P1.h:2,FSx", "x\n");
	f = open_folder("a", false);
	check(folder_count(f) == 4);
	check((folder_msg(f, 0)->flags & FLAG_RECENT) != 0);
	check(folder_msg(f, 3)->flags == (FLAG_FLAGGED | FLAG_SEEN));
	validity = folder_uidvalidity(f);
	check(validity > 1000000000 && folder_uidnext(f) == 5);
	check(exists("a", "new/1000000002.M5P1.h"));
	folder_close(f);

	f = open_folder("a", true);
	check(folder_uidvalidity(f) == validity);
	check((folder_msg(f, 0)->flags & FLAG_RECENT) != 0);
	check((folder_msg(f, 3)->flags & FLAG_RECENT) == 0);
	check(exists("a", "cur/1000000002.M5P1.h:2,"));
	check(folder_size(f, 0, &size) == 0 && size == 8);
	check(folder_size(f, 1, &size) == 0 && size == 5);
	check(folder_msg(f, 1)->size == 5);
	folder_close(f);

	f = open_folder("a", true);
	check((folder_msg(f, 0)->flags & FLAG_RECENT) == 0);
	check(folder_msg(f, 1)->size == 5);
	folder_close(f);
}

static void
test_store(void)
{
	struct folder *f = open_folder("a", true), *g = open_folder("a", true);
	struct heard h;
	uint64_t modseq = folder_modseq(f);
	bool failed[10] = { false };
	int k;

	check(folder_store(f, all, 2, FOLDER_ADD, FLAG_SEEN | FLAG_DRAFT, 0,
		  UINT64_MAX, NULL) == 0);
	check(exists("a", "cur/1000000001.M20P1.h:2,DS"));
	check(folder_msg(f, 1)->flags == (FLAG_SEEN | FLAG_DRAFT));
	check(folder_msg(f, 1)->modseq > modseq);
	h = refresh(f, true);
	check(h.nflags == 0 && h.nexists == 0);
	h = refresh(g, true);
	check(h.nflags == 2 && h.flags[0] == 0);
	check(folder_msg(g, 1)->flags == (FLAG_SEEN | FLAG_DRAFT));

	k = folder_keyword(f, SPAN("Work"), true);
	check(k > 0 && folder_keyword(f, SPAN("wORK"), false) == k);
	check(folder_keyword(f, SPAN("a b"), true) == -1);
	check(folder_store(f, all, 1, FOLDER_ADD, 0, UINT64_C(1) << k,
		  UINT64_MAX, NULL) == 0);
	h = refresh(g, true);
	check(h.nflags == 1 && folder_keyword(g, SPAN("Work"), false) == k);
	check(folder_msg(g, 0)->keywords == UINT64_C(1) << k);

	check(folder_store(g, all + 3, 1, FOLDER_REPLACE, FLAG_ANSWERED, 1,
		  UINT64_MAX, NULL) == 0);
	check(exists("a", "cur/1000000003.P1.h:2,PRx"));
	check(folder_store(g, all, 4, FOLDER_ADD, FLAG_DELETED, 0,
		  folder_msg(g, 1)->modseq, failed) == 0);
	check(failed[0] && !failed[1] && failed[3]);
	check((folder_msg(g, 1)->flags & FLAG_DELETED) != 0);
	check((folder_msg(g, 3)->flags & FLAG_DELETED) == 0);
	folder_close(f);
	folder_close(g);

	f = open_folder("a", true);
	check(folder_msg(f, 0)->keywords == UINT64_C(1) << k);
	check(strcmp(folder_keyword_name(f, k), "Work") == 0);
	check(folder_msg(f, 3)->keywords == 1);
	folder_close(f);
}

/* mutt, mbsync or rm at work while a session is open. */
static void
test_others(void)
{
	struct folder *f = open_folder("a", true);
	struct heard h;
	int fd;

	move("a", "cur/1000000003.P1.h:2,PRx", "cur/1000000003.P1.h:2,Sx");
	fd = folder_open_msg(f, 3);
	check(fd != -1);
	close(fd);
	h = refresh(f, false);
	check(h.nflags == 1 && h.flags[0] == 3);
	check(folder_msg(f, 3)->flags == FLAG_SEEN);

	drop("a", "cur/1000000002.M5P1.h:2,T");
	put("a", "new/1000000009.P1.h", "nine\n");
	check(folder_open_msg(f, 2) == -1 && errno == ENOENT);
	h = refresh(f, false);
	check(h.nexpunged == 0 && h.nexists == 1 && h.exists == 5);
	check(folder_msg(f, 2)->gone && uid(f, 4) == 5);
	h = refresh(f, true);
	check(h.nexpunged == 1 && h.expunged[0] == 2 && folder_count(f) == 4);
	check(uid(f, 3) == 5 && folder_lower(f, 3) == 2);

	/* STORE on a file that was renamed meanwhile finds it. */
	move("a", "cur/1000000009.P1.h:2,", "cur/1000000009.P1.h:2,F");
	check(folder_store(f, all + 3, 1, FOLDER_ADD, FLAG_SEEN, 0, UINT64_MAX,
		  NULL) == 0);
	check(exists("a", "cur/1000000009.P1.h:2,FS"));
	move("a", "cur/1000000009.P1.h:2,FS", "cur/1000000009.P1.h:2,S");
	check(folder_expunge(f, all + 3, 1) == 0);
	check(!exists("a", "cur/1000000009.P1.h:2,S"));
	check(folder_msg(f, 3)->gone && folder_count(f) == 4);
	h = refresh(f, true);
	check(h.nexpunged == 1 && folder_count(f) == 3);
	folder_close(f);
}

static void
test_copy(void)
{
	struct folder *f = open_folder("a", true), *g;
	uint32_t validity, uids[4] = { 0 };
	char to[512];
	size_t gone[] = { 0, 2 };

	make(".b");
	snprintf(to, sizeof(to), "%s/.b", root);
	check(folder_copy(f, gone, 2, to, false, &validity, uids) == 0);
	check(uids[0] == 1 && uids[1] == 2 && folder_count(f) == 3);
	g = open_folder(".b", true);
	check(folder_uidvalidity(g) == validity && folder_count(g) == 2);
	check(folder_msg(g, 0)->date == folder_msg(f, 0)->date);
	check((folder_msg(g, 1)->flags & FLAG_ALL) == FLAG_SEEN);
	check(folder_msg(g, 0)->keywords != 0);
	check(strcmp(folder_keyword_name(g, 1), "Work") == 0);
	folder_close(g);

	check(folder_copy(f, all, 1, to, true, &validity, uids) == 0);
	check(uids[0] == 3 && folder_msg(f, 0)->gone);
	check(folder_copy(f, all, 2, to, false, &validity, uids) == -1 &&
	    errno == ENOENT);
	g = open_folder(".b", true);
	check(folder_count(g) == 3);
	folder_close(g);
	refresh(f, true);
	check(folder_count(f) == 2);
	folder_close(f);
}

static bool
poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static bool
ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 60000) == 1;
}

/* The watch tells of deliveries, and of flags that another session sets. */
static void
test_watch(void)
{
	struct folder *f = open_folder("a", true), *g = open_folder("a", true);
	struct heard h;
	int fd = folder_watch(f);

	if (fd == -1) { /* there is none here */
		folder_close(f);
		folder_close(g);
		return;
	}
	refresh(f, true);
	refresh(f, true);
	refresh(f, true);
	put("a", "new/3000000000.w", "w\n");
	check(ready(fd));
	h = refresh(f, true);
	check(h.nexists == 1);
	for (int i = 0; i < 5; i++) {
		refresh(f, true);
		refresh(g, true);
		check(folder_store(g, all, 1, FOLDER_ADD, 0, UINT64_C(1) << i,
			  UINT64_MAX, NULL) == 0);
		check(ready(folder_watch(f)));
		h = refresh(f, true);
		check(h.nflags == 1);
		index_journal_max = i == 2 ? 0 : 65536;
	}
	refresh(f, true);
	for (int i = 0; i < 4; i++)
		refresh(f, true);
	check(folder_watch(f) == fd);
	check(!poll_now(fd));
	folder_close(f);
	folder_close(g);
}

/* Take n bytes off the end of the journal, as a power cut might. */
static void
cut_journal(const char *folder, int n)
{
	char p[512];
	struct dirent *d;
	struct stat st;
	DIR *dir;

	path_of(p, folder, "");
	dir = opendir(p);
	check(dir != NULL);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strncmp(d->d_name, "pneu.journal.", 13) != 0)
			continue;
		path_of(p, folder, d->d_name);
		check(stat(p, &st) == 0);
		check(truncate(p, st.st_size > n ? st.st_size - n : 0) == 0);
	}
	closedir(dir);
}

/* Two files of one base are two messages, whatever their flags. */
static void
test_twins(void)
{
	struct folder *f;
	struct heard h;

	make("twins");
	put("twins", "cur/1.a:2,S", "one\n");
	put("twins", "cur/1.a:2,", "another\n");
	put("twins", "new/1.a", "a third\n");
	f = open_folder("twins", true);
	h = refresh(f, true);
	check(folder_count(f) == 3 && h.nexists <= 1);
	check(uid(f, 0) == 1 && uid(f, 2) == 3);
	h = refresh(f, true);
	check(h.nexists == 0 && h.nexpunged == 0);
	folder_close(f);
}

/* An index that is lost, cut or older never gives a UID twice. */
static void
set_back(const char *folder, const char *dir, const struct stat *was)
{
	struct timespec t[2] = { was->st_atim, was->st_mtim };
	char p[512];

	path_of(p, folder, dir);
	check(utimensat(AT_FDCWD, p, t, 0) == 0);
}

/* Only the directory that has changed is read; when that tells all. */
static void
test_one_directory(void)
{
	struct timespec old[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	struct folder *f;
	struct stat was;
	char p[512];

	make("one");
	put("one", "cur/1.a:2,S", "x\n");
	put("one", "new/2.b", "x\n");
	path_of(p, "one", "cur");
	check(utimensat(AT_FDCWD, p, old, 0) == 0);
	path_of(p, "one", "new");
	check(utimensat(AT_FDCWD, p, old, 0) == 0);
	f = open_folder("one", false);
	check(folder_count(f) == 2);
	folder_close(f);
	/* Behind its back, with the mtime that it has trusted. */
	path_of(p, "one", "cur");
	check(stat(p, &was) == 0);
	put("one", "cur/3.c:2,", "x\n");
	set_back("one", "cur", &was);
	put("one", "new/4.d", "x\n");
	f = open_folder("one", false);
	check(folder_count(f) == 3 && uid(f, 2) == 3);
	folder_close(f);
	/* From cur/ back into new/: it is no other message. */
	move("one", "cur/1.a:2,S", "new/1.a");
	set_back("one", "cur", &was);
	f = open_folder("one", false);
	check(folder_count(f) == 4 && uid(f, 0) == 1 && uid(f, 3) == 4);
	check((folder_msg(f, 0)->flags & FLAG_SEEN) == 0);
	folder_close(f);
	/* And from new/ into cur/: it has not gone. */
	path_of(p, "one", "cur");
	check(stat(p, &was) == 0);
	move("one", "new/2.b", "cur/2.b:2,F");
	set_back("one", "cur", &was);
	f = open_folder("one", false);
	check(folder_count(f) == 4 && uid(f, 1) == 2);
	check((folder_msg(f, 1)->flags & FLAG_FLAGGED) != 0);
	folder_close(f);
}

static void
test_lost(void)
{
	struct folder *f = open_folder(".b", true);
	uint32_t validity = folder_uidvalidity(f), next = folder_uidnext(f);
	struct folder_status st;
	char p[512];

	folder_close(f);
	snprintf(p, sizeof(p), "%s/.b", root);
	check(folder_status(p, &st, true) == 0);
	check(st.messages == 3 && st.uidnext == next && st.size > 0);

	for (int cut = 0; cut < 120; cut += 7) {
		f = open_folder(".b", true);
		put(".b", "new/2000000000.x", "x\n");
		refresh(f, true);
		next = folder_uidnext(f);
		validity = folder_uidvalidity(f);
		folder_close(f);
		drop(".b", "cur/2000000000.x:2,");
		cut_journal(".b", cut);
		f = open_folder(".b", true);
		check(folder_uidvalidity(f) != validity ||
		    folder_uidnext(f) >= next);
		check(folder_count(f) == 3);
		folder_close(f);
	}

	drop(".b", "pneu.snapshot");
	f = open_folder(".b", true);
	check(folder_uidvalidity(f) > validity && folder_count(f) == 3);
	folder_close(f);
}

/* As many renames as a session may see: old names do not stay in memory. */
static void
test_names(void)
{
	enum { MANY = 300, TIMES = 100 };
	struct index ix;
	char name[64], p[512];
	size_t least = 0, right = 0;

	make("names");
	path_of(p, "names", "");
	check(index_open_locked(&ix, p) == 0);
	for (unsigned t = 0; t < TIMES; t++) {
		for (uint32_t i = 1; i <= MANY; i++) {
			struct index_new new = { .uid = i, .file.p = name };
			int n = snprintf(name, sizeof(name),
			    "170000%04u.M%uP%u.host.example:2,%s", i, i, t,
			    t % 2 == 0 ? "S" : "");

			new.file.n = (size_t)n;
			if (t == 0)
				index_put_new(&ix, &new);
			else
				index_put_moved(
				    &ix, i, new.file, false, t * MANY + i);
		}
		check(index_replay(&ix, buf_span(&ix.out)) == ix.out.n);
		buf_clear(&ix.out);
		if (t == 0)
			least = ix.names.n;
	}
	check(ix.n == MANY && ix.names.n < 3 * least + 220000);
	for (uint32_t i = 1; i <= MANY; i++) {
		snprintf(name, sizeof(name),
		    "170000%04u.M%uP%u.host.example:2,", i, i, TIMES - 1);
		right += span_is(index_name(&ix, &ix.entry[i - 1]), name);
	}
	check(right == MANY);
	index_unlock_close(&ix);
}

/* The first message of a folder has this file, as the index says. */
static void
check_file(const char *folder, const char *file)
{
	char p[512], has[512];
	struct index ix;

	path_of(p, folder, "");
	check(index_open_locked(&ix, p) == 0);
	check(
	    ix.n > 0 && strcmp(index_file(&ix, &ix.entry[0], has), file) == 0);
	index_unlock_close(&ix);
}

/* Flags that come and go leave the name that is made of them. */
static void
test_sorted(void)
{
	struct folder *f;
	size_t one = 0;
	bool no;

	make("sorted");
	put("sorted", "cur/1.M1P1.h:2,SF", "Subject: one\n\n");
	f = open_folder("sorted", true);
	check(folder_store(f, &one, 1, FOLDER_ADD, FLAG_DELETED, 0, UINT64_MAX,
		  &no) == 0);
	check(folder_store(f, &one, 1, FOLDER_REMOVE, FLAG_DELETED, 0,
		  UINT64_MAX, &no) == 0);
	folder_close(f);
	check(exists("sorted", "cur/1.M1P1.h:2,FS"));
	check_file("sorted", "cur/1.M1P1.h:2,FS");
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	test_open();
	test_store();
	test_others();
	test_copy();
	test_twins();
	test_watch();
	test_lost();
	test_names();
	test_sorted();
	test_one_directory();
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
