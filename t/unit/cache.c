/* store/cache: texts come back, also after damage, or not at all. */
#include "store/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"
#include "test.h"

static char root[64] = "/tmp/cache.XX"
		       "XX"
		       "XX";
static int dir;

static bool
has(struct cache *c, uint32_t validity, struct cache_ref r, const char *text)
{
	struct span s;

	return cache_get(c, dir, validity, r, &s) && span_is(s, text);
}

static off_t
size(void)
{
	struct stat st;

	return fstatat(dir, "pneu.cache", &st, 0) == -1 ? 0 : st.st_size;
}

static void
cut(off_t to)
{
	int fd = openat(dir, "pneu.cache", O_WRONLY);

	check(ftruncate(fd, to) == 0);
	close(fd);
}

/* Put, flush, and say where it is. */
static struct cache_ref
keep(struct cache *c, uint32_t validity, uint32_t uid, uint32_t kind,
    const char *text)
{
	struct cache_ref r = { uid, kind, 0 };

	cache_put(c, uid, kind, span_of(text));
	cache_flush(c, dir, validity);
	if (c->n > 0)
		r = c->ref[c->n - 1];
	cache_clear(c);
	return r;
}

static void
test_plain(void)
{
	struct cache c = { .fd = -1 }, d = { .fd = -1 };
	struct cache_ref one = { 1, 0, 0 }, body = { 1, 1, 0 }, empty, two;

	check(!has(&c, 5, one, ""));
	cache_put(&c, 1, 0, SPAN("one"));
	cache_put(&c, 1, 1, SPAN("(body)"));
	cache_put(&c, 7, 0, SPAN(""));
	check(has(&c, 5, one, "one") && has(&c, 5, body, "(body)"));
	check(!has(&c, 5, (struct cache_ref){ 1, 2, 0 }, ""));
	check(!has(&c, 5, (struct cache_ref){ 8, 0, 0 }, ""));
	cache_flush(&c, dir, 5);
	check(c.n == 3);
	one = c.ref[0];
	body = c.ref[1];
	empty = c.ref[2];
	cache_clear(&c);
	check(one.at == 4 && empty.at == 7 && body.at == 9); /* by kind */
	check(has(&c, 5, body, "(body)") && has(&c, 5, empty, ""));
	check(has(&d, 5, one, "one"));
	one.uid = 2; /* what stands there is about another */
	check(!has(&d, 5, one, "one"));
	/* What another appends is there at once. */
	two = keep(&d, 5, 2, 0, "two");
	check(has(&c, 5, two, "two") && two.at > empty.at);
	two.at = 1000;
	check(!has(&c, 5, two, "two"));
	cache_close(&c);
	cache_close(&d);
}

/* Texts of another UIDVALIDITY are never shown. */
static void
test_validity(void)
{
	struct cache c = { .fd = -1 }, d = { .fd = -1 };
	struct cache_ref one = { 1, 0, 4 }, other;

	check(has(&d, 5, one, "one"));
	check(!has(&c, 6, one, "one"));
	other = keep(&c, 6, 1, 0, "other");
	check(other.at == 4 && has(&c, 6, other, "other"));
	/* The file that a session has mapped stays what it was. */
	check(has(&d, 5, one, "one"));
	other.at = 5;
	check(!has(&d, 5, other, "other"));
	cache_close(&c);
	cache_close(&d);
}

/* Every byte damaged, every length: a text is right or missing. */
static void
test_damage(void)
{
	struct cache c = { .fd = -1 };
	struct cache_ref one = { 1, 0, 4 }, two, nine;
	struct buf whole;
	struct span s;
	int fd;

	two = keep(&c, 6, 2, 1, "second");
	cache_close(&c);
	buf_init(&whole, 10000);
	check(fs_read(dir, "pneu.cache", &whole) == 0);
	for (size_t i = 0; i < 2 * whole.n; i++) {
		fd = openat(dir, "pneu.cache", O_WRONLY | O_TRUNC);
		if (i < whole.n) {
			whole.p[i] ^= 4;
			check(write(fd, whole.p, whole.n) > 0);
			whole.p[i] ^= 4;
		} else {
			check(write(fd, whole.p, i - whole.n) >= 0);
		}
		close(fd);
		if (cache_get(&c, dir, 6, one, &s))
			check(span_is(s, "other"));
		if (cache_get(&c, dir, 6, two, &s))
			check(span_is(s, "second"));
		nine = keep(&c, 6, 9, 0, "nine");
		cache_close(&c);
		if (i >= 13 || i == 0) /* else a later release's format */
			check(i == 12 || has(&c, 6, nine, "nine"));
		cache_close(&c);
	}
	buf_free(&whole);
}

/* Where it can't be mapped, it is read. */
static void
test_unmapped(void)
{
	struct cache c = { .fd = -1 };
	struct cache_ref a, b;
	struct span s, t;

	a = keep(&c, 8, 1, 0, "read one");
	b = keep(&c, 8, 1, 1, "read two");
	c.unmapped = true;
	check(cache_get(&c, dir, 8, a, &s) && cache_get(&c, dir, 8, b, &t));
	check(span_is(s, "read one") && span_is(t, "read two"));
	b.at += 100;
	check(!cache_get(&c, dir, 8, b, &t));
	cache_close(&c);
}

/* Somebody cuts the file short, under one that has it mapped. */
static void
test_cut(bool unmapped)
{
	static char text[6000];
	struct cache c = { .fd = -1 }, d = { .fd = -1 };
	struct cache_ref ref[9];

	memset(text, 'x', sizeof(text) - 1);
	for (uint32_t i = 0; i < 9; i++)
		ref[i] = keep(&c, 6, i + 1, 0, text);
	c.unmapped = d.unmapped = unmapped;
	check(has(&c, 6, ref[8], text) && has(&d, 6, ref[0], text));
	cut(20000);
	check(has(&c, 6, ref[0], text) && !has(&c, 6, ref[8], text));
	check(!has(&c, 6, ref[4], text));
	ref[8] = keep(&c, 6, 9, 0, text);
	check(has(&c, 6, ref[8], text) && has(&d, 6, ref[8], text));
	cut(0);
	check(!has(&d, 6, ref[1], text) && !has(&c, 6, ref[1], text));
	ref[1] = keep(&d, 6, 2, 0, text);
	check(has(&c, 6, ref[1], text) && has(&d, 6, ref[1], text));
	cache_close(&c);
	cache_close(&d);
}

static void
test_trim(void)
{
	static char text[2000];
	static struct cache_ref ref[1000];
	struct cache c = { .fd = -1 }, d = { .fd = -1 };
	off_t before;
	bool grown = false;

	memset(text, 'x', sizeof(text) - 1);
	for (uint32_t i = 0; i < 1000; i++) {
		ref[i] = keep(&c, 7, i + 1, 0, text);
		grown = grown || c.grown;
	}
	check(grown);
	check(has(&d, 7, ref[0], text));
	before = size();
	check(!cache_is_old(&c, ref + 400, 600));
	check(cache_is_old(&c, ref + 900, 100));
	check(cache_trim(&c, dir, 7, ref + 900, 100));
	check(size() < before / 5);
	check(has(&c, 7, ref[900], text) && has(&c, 7, ref[999], text));
	check(!has(&c, 7, ref[500], text));
	/* Another process finds the new file when it misses something. */
	check(has(&d, 7, ref[999], text) && has(&d, 7, ref[900], text));
	ref[0] = keep(&d, 7, 1, 0, "again");
	check(has(&c, 7, ref[0], "again"));
	check(cache_trim(&c, dir, 7, ref, 0));
	check(size() == 32);
	cache_close(&c);
	cache_close(&d);
}

static void
test_bounds(void)
{
	struct cache c = { .fd = -1 };
	char *text = calloc(1, CACHE_TEXT_MAX + 1);
	struct span s = { text, CACHE_TEXT_MAX + 1 };

	check(!cache_put(&c, 1, 0, s) && c.n == 0);
	s.n--;
	check(!cache_put(&c, 1, 0, s) && c.n == 1);
	check(cache_put(&c, 2, 0, s)); /* write it now */
	check(cache_put(&c, 3, 0, s) && c.n == 2);
	check(c.pending[0].n + c.pending[1].n <
	    CACHE_PENDING_MAX + 2 * CACHE_TEXT_MAX);
	cache_close(&c);
	free(text);
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	dir = open(root, O_RDONLY | O_DIRECTORY);
	test_plain();
	test_validity();
	test_damage();
	test_unmapped();
	test_cut(false);
	test_cut(true);
	test_trim();
	test_bounds();
	close(dir);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
