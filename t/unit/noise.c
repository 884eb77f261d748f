/* store/index: every file of it cut, zeroed or filled with noise. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/folder.h"
#include "store/index.h"
#include "test.h"

enum { COUNT = 6, FILES = 4, FILE_MAX_SIZE = 65536, BLOCK = 24 };

static char root[64] = "/tmp/noise.XX"
		       "XX"
		       "XX";

/* The index as it was when it was well. */
static struct saved {
	char name[64];
	char bytes[FILE_MAX_SIZE];
	size_t n;
} saved[FILES];

static uint32_t validity, next; /* before the harm */
static bool lossless; /* what is harmed can't take back what was given */
/* Of the message with this number. */
static uint32_t uid_of[COUNT];
static uint64_t keywords_of[COUNT];

static const char *
path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%.80s", root, name);
	return path;
}

static void
put(unsigned i)
{
	char name[64];
	FILE *f;

	snprintf(name, sizeof(name), "cur/%u.M%u.host:2,%s", 1000 + i, i,
	    i % 2 ? "S" : "");
	f = fopen(path_of(name), "w");
	check(f != NULL);
	if (f == NULL)
		exit(1);
	fprintf(f, "X-Number: %u\nSubject: s\n\nbody\n", i);
	fclose(f);
}

/* The number in the file of message i of the view; COUNT if it has none. */
static unsigned
number(struct folder *f, size_t i)
{
	char buf[64] = "";
	unsigned n = COUNT;
	int fd = folder_open_msg(f, i);

	if (fd == -1)
		return COUNT;
	if (read(fd, buf, sizeof(buf) - 1) < 11 ||
	    strncmp(buf, "X-Number: ", 10) != 0)
		n = COUNT;
	else
		n = (unsigned)(buf[10] - '0');
	close(fd);
	return n;
}

static void
save(struct saved *s, const char *name)
{
	int fd = open(path_of(name), O_RDONLY);
	ssize_t n = fd == -1 ? -1 : read(fd, s->bytes, sizeof(s->bytes));

	check(n > 0 && n < FILE_MAX_SIZE);
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->n = n > 0 ? (size_t)n : 0;
	close(fd);
}

/* Messages with keywords and facts, some in the snapshot, some behind it. */
static void
make(void)
{
	static const size_t all[] = { 0, 1, 2, 3, 4, 5 };
	struct folder *f = NULL;
	struct digest d;
	char journal[64];
	uint64_t k;

	check(mkdir(path_of("cur"), 0700) == 0);
	check(mkdir(path_of("new"), 0700) == 0);
	check(mkdir(path_of("tmp"), 0700) == 0);
	for (unsigned i = 0; i < COUNT / 2; i++)
		put(i);
	check(folder_open(&f, root, true) == 0);
	folder_close(f);
	index_journal_max = 0; /* so that these are in the snapshot */
	check(folder_open(&f, root, true) == 0);
	k = UINT64_C(1) << folder_keyword(f, SPAN("Blue"), true);
	check(folder_store(f, all, 2, FOLDER_ADD, FLAG_FLAGGED, k, UINT64_MAX,
		  NULL) == 0);
	folder_close(f);
	index_journal_max = 65536;
	for (unsigned i = COUNT / 2; i < COUNT; i++)
		put(i);
	check(folder_open(&f, root, true) == 0);
	for (size_t i = 0; i < COUNT; i++)
		check(folder_digest(f, i, DIGEST_HEAD | DIGEST_BODY, &d) == 0);
	check(folder_store(f, all + 3, 2, FOLDER_ADD, FLAG_ANSWERED, k,
		  UINT64_MAX, NULL) == 0);
	folder_close(f);
	check(folder_open(&f, root, true) == 0);
	check(folder_count(f) == COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		unsigned n = number(f, i) % COUNT;

		uid_of[n] = folder_msg(f, i)->uid;
		keywords_of[n] = folder_msg(f, i)->keywords;
	}
	validity = folder_uidvalidity(f);
	snprintf(journal, sizeof(journal), "pneu.journal.%llu",
	    (unsigned long long)((struct index *)f)->gen);
	folder_close(f);
	save(&saved[0], "pneu.snapshot");
	save(&saved[1], journal);
	save(&saved[2], "pneu.cache");
	save(&saved[3], "pneu.uidvalidity");
}

static void
restore(void)
{
	struct folder *f = NULL;

	for (size_t i = 0; i < FILES; i++) {
		int fd = open(path_of(saved[i].name), O_WRONLY | O_CREAT, 0600);

		check(fd != -1 && ftruncate(fd, (off_t)saved[i].n) == 0);
		check(pwrite(fd, saved[i].bytes, saved[i].n, 0) ==
		    (ssize_t)saved[i].n);
		close(fd);
	}
	/* It is noticed that these are other files; from now on all is well. */
	check(folder_open(&f, root, true) == 0);
	check(folder_uidvalidity(f) == validity);
	next = folder_uidnext(f);
	folder_close(f);
}

/* As another session sees it; what it says of message i stays. */
static void
look(uint32_t seen[COUNT])
{
	struct folder *f = NULL;
	unsigned bits = 0;
	int r = folder_open(&f, root, true);
	struct digest d;

	check(r == 0);
	if (r == -1) {
		printf("# %s\n", strerror(errno));
		return;
	}
	check(folder_count(f) == COUNT);
	for (size_t i = 0; i < folder_count(f); i++) {
		uint32_t uid = folder_msg(f, i)->uid;
		unsigned n = number(f, i);

		check(n < COUNT);
		if (n == COUNT)
			continue;
		bits |= 1u << n;
		check(uid < folder_uidnext(f));
		if (folder_uidvalidity(f) == validity && uid != uid_of[n])
			check(!lossless && uid >= next);
		if (folder_uidvalidity(f) == validity && lossless)
			check(folder_msg(f, i)->keywords == keywords_of[n]);
		check(seen[n] == 0 || seen[n] == uid);
		seen[n] = uid;
		check(folder_digest(f, i, DIGEST_HEAD, &d) == 0);
		check(span_find(d.envelope, SPAN("\"s\"")) < d.envelope.n);
	}
	check(bits == (1u << COUNT) - 1);
	check(folder_uidvalidity(f) >= validity);
	folder_close(f);
}

enum harm { CUT, ZEROS, NOISE, HARMS };

static void
harm(const struct saved *s, size_t size, size_t at, enum harm h)
{
	static uint32_t random = 12345;
	char block[BLOCK] = { 0 };
	size_t n = size - at < BLOCK ? size - at : BLOCK;
	int fd = open(path_of(s->name), O_WRONLY);

	check(fd != -1);
	for (size_t i = 0; h == NOISE && i < n; i++) {
		random = random * 1103515245 + 12345;
		block[i] = (char)(random >> 16);
	}
	if (h == CUT)
		check(ftruncate(fd, (off_t)at) == 0);
	else
		check(pwrite(fd, block, n, (off_t)at) == (ssize_t)n);
	close(fd);
}

/* Lost records are UIDs that nobody has again. */
static void
test_harm(size_t file, size_t step, size_t from, size_t to)
{
	const struct saved *s = &saved[file];
	struct stat st;

	lossless = file != 1;
	restore();
	check(stat(path_of(s->name), &st) == 0);
	for (size_t at = from; at < to && at < (size_t)st.st_size; at += step)
		for (enum harm h = CUT; h < HARMS; h++) {
			uint32_t seen[COUNT] = { 0 };

			restore();
			harm(s, (size_t)st.st_size, at, h);
			look(seen);
			look(seen); /* it was repaired */
		}
}

/* Nothing at all is left of any of them. */
static void
test_empty(void)
{
	for (size_t file = 0; file < FILES; file++) {
		uint32_t seen[COUNT] = { 0 };

		lossless = file != 1;
		restore();
		check(unlink(path_of(saved[file].name)) == 0);
		look(seen);
		look(seen);
	}
}

int
main(void)
{
	check(mkdtemp(root) != NULL);
	make();
	test_empty();
	test_harm(0, 7, 0, 200);
	test_harm(0, 997, 200, 4080);
	test_harm(0, 7, 4080, SIZE_MAX);
	test_harm(1, 11, 0, SIZE_MAX);
	test_harm(2, 53, 0, SIZE_MAX);
	test_harm(3, 5, 0, SIZE_MAX);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
