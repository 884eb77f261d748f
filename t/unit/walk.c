/* store/reader: a walk through a mailbox tells what single looks tell. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "store/view.h"
#include "test.h"

enum { MESSAGES = 4 * LIMIT_AHEAD };

static char root[] = "/tmp/walk.XXXXXX";
static uint64_t size_of_large;

static void
path_of(char *to, size_t size, uint32_t uid, const char *flags)
{
	snprintf(to, size, "%s/cur/%u.of.walk:2,%s", root, 1000 + uid, flags);
}

/* What stands where a front ends looks like the beginning of a gzip file. */
static void
put_magic(FILE *f)
{
	uint64_t lines = 2;

	while (ftell(f) < LIMIT_AHEAD_FRONT - 1)
		if (ftell(f) % 64 == 63) {
			fputc('\n', f);
			lines++;
		} else {
			fputc('x', f);
		}
	fputs("\n\x1f\x8b\x08\n", f);
	size_of_large = (uint64_t)ftell(f) + lines + 2;
}

/*
 * Every ninth has a header longer than a page, every fifth a large text, and
 * every eleventh one that is gzip's in the middle.
 */
static void
make(uint32_t uid)
{
	char p[128];
	FILE *f;

	path_of(p, sizeof(p), uid, "");
	f = fopen(p, "w");
	check(f != NULL);
	for (int i = 0; uid % 9 == 0 && i < 100; i++)
		fprintf(f, "Received: from a by b; a line of a long header\n");
	fprintf(f, "Subject: number %u\n\n", uid);
	if (uid % 11 == 0 && uid % 9 != 0) {
		put_magic(f);
		check(fclose(f) == 0);
		return;
	}
	for (int i = 0; uid % 5 == 0 && i < 500; i++)
		fprintf(f, "A line of a text that is longer than most.\n");
	fprintf(f, "%u\n", uid);
	check(fclose(f) == 0);
}

static void
forget(const char *file)
{
	char p[128];

	snprintf(p, sizeof(p), "%s/%s", root, file);
	unlink(p);
}

/* What is told of message i; want without a fact, so the file is read. */
static void
look(struct folder *f, size_t i, unsigned want)
{
	char subject[32];
	struct digest g;
	uint32_t uid = folder_msg(f, i)->uid;
	struct span s;

	snprintf(subject, sizeof(subject), "\"number %u\"", uid);
	check(folder_digest(f, i, want, &g) == 0);
	if ((want & DIGEST_HEAD) != 0) {
		s = span_of(subject);
		check(span_find(g.envelope, s) < g.envelope.n);
	}
	if ((want & DIGEST_BODY) != 0) {
		check(
		    span_find(g.structure, SPAN("\"text\"")) < g.structure.n ||
		    span_find(g.structure, SPAN("\"TEXT\"")) < g.structure.n);
		check(g.preview.n > 0);
	}
	if ((want & FOLDER_SIZE) != 0)
		check(uid % 11 == 0 && uid % 9 != 0 ? g.size == size_of_large
						    : g.size > 20);
}

static struct folder *
open_fresh(void)
{
	struct folder *f = NULL;

	forget("pneu.snapshot");
	forget("pneu.cache");
	check(folder_open(&f, root, true) == 0);
	check(folder_count(f) == MESSAGES);
	return f;
}

static void
test_walk(unsigned want, size_t step)
{
	struct folder *f = open_fresh();

	for (size_t i = 0; i < MESSAGES - 5; i += step)
		look(f, i, want);
	check((f->walk.ahead != NULL) == (step < 5));
	if (step == 1)
		for (size_t i = MESSAGES - 5; i < MESSAGES; i++)
			look(f, i, want);
	check(f->walk.ahead == NULL || step > 1);
	check(folder_refresh(f, true, NULL) == 0);
	check(f->walk.ahead == NULL);
	for (size_t i = MESSAGES; i-- > 0;)
		look(f, i, want);
	check(f->walk.ahead == NULL);
	folder_close(f);
}

/* Others take away and rename what was asked for. */
static void
test_others(void)
{
	struct folder *f = open_fresh();
	char from[128], to[128];
	struct digest g;

	for (size_t i = 0; i < 20; i++)
		look(f, i, DIGEST_HEAD);
	for (uint32_t uid = 21; uid < MESSAGES; uid += 2) {
		path_of(from, sizeof(from), uid, "");
		path_of(to, sizeof(to), uid, "S");
		check(rename(from, to) == 0);
	}
	path_of(from, sizeof(from), MESSAGES, "");
	check(unlink(from) == 0);
	for (size_t i = 20; i < MESSAGES - 1; i++)
		look(f, i, DIGEST_HEAD);
	/* it may have been read before it was removed */
	if (folder_digest(f, MESSAGES - 1, DIGEST_HEAD, &g) == -1)
		check(folder_msg(f, MESSAGES - 1)->gone);
	folder_close(f);
}

int
main(void)
{
	static const char *const dirs[] = { "tmp", "new", "cur" };
	char p[128];

	check(mkdtemp(root) != NULL);
	for (size_t i = 0; i < 3; i++) {
		snprintf(p, sizeof(p), "%s/%s", root, dirs[i]);
		check(fs_mkdirs(p, 0700) == 0);
	}
	for (uint32_t uid = 1; uid <= MESSAGES; uid++)
		make(uid);
	for (size_t step = 1; step < 6; step++) {
		test_walk(DIGEST_HEAD, step);
		test_walk(DIGEST_BODY, step);
		test_walk(DIGEST_HEAD | FOLDER_SIZE, step);
		test_walk(DIGEST_HEAD | DIGEST_BODY | FOLDER_SIZE, step);
	}
	test_others();
	check(fs_remove_tree(AT_FDCWD, root) == 0);
	return done();
}
