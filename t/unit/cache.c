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
has(struct cache *c, uint32_t validity, uint32_t uid, const char *what,
    const char *text)
{
	struct span s;

	return cache_get(c, dir, validity, uid, what, &s) && span_is(s, text);
}

static off_t
size(void)
{
	struct stat st;

	return fstatat(dir, "pneu.cache", &st, 0) == -1 ? 0 : st.st_size;
}

static void
test_plain(void)
{
	struct cache c = { .fd = -1 }, d = { .fd = -1 };

	check(!has(&c, 5, 1, "env", ""));
	cache_put(&c, 1, "env", SPAN("one"));
	cache_put(&c, 1, "body", SPAN("(body)"));
	cache_put(&c, 7, "env", SPAN(""));
	check(has(&c, 5, 1, "env", "one"));
	cache_flush(&c, dir, 5);
	check(has(&c, 5, 1, "body", "(body)") && has(&c, 5, 7, "env", ""));
	check(!has(&c, 5, 7, "body", "") && !has(&c, 5, 2, "env", ""));
	check(has(&d, 5, 1, "env", "one"));
	/* What another appends is found after the next flush at least. */
	cache_put(&d, 2, "env", SPAN("two"));
	cache_flush(&d, dir, 5);
	cache_put(&c, 3, "env", SPAN("three"));
	cache_flush(&c, dir, 5);
	check(has(&c, 5, 2, "env", "two") && has(&c, 5, 3, "env", "three"));
	cache_close(&c);
	cache_close(&d);
}

/* Texts of another UIDVALIDITY are never shown. */
static void
test_validity(void)
{
	struct cache c = { .fd = -1 };

	check(!has(&c, 6, 1, "env", "one"));
	cache_put(&c, 1, "env", SPAN("other"));
	cache_flush(&c, dir, 6);
	cache_close(&c);
	check(has(&c, 6, 1, "env", "other") && !has(&c, 6, 2, "env", "two"));
	cache_close(&c);
}

/* Every byte damaged, every length: a text is right or missing. */
static void
test_damage(void)
{
	struct cache c = { .fd = -1 };
	struct span s;
	struct buf whole;
	int fd;

	cache_put(&c, 2, "body", SPAN("second"));
	cache_flush(&c, dir, 6);
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
		if (cache_get(&c, dir, 6, 1, "env", &s))
			check(span_is(s, "other"));
		if (cache_get(&c, dir, 6, 2, "body", &s))
			check(span_is(s, "second"));
		cache_put(&c, 9, "env", SPAN("nine"));
		cache_flush(&c, dir, 6);
		cache_close(&c);
		if (i >= 13 || i == 0) /* else a later release's format */
			check(i == 12 || has(&c, 6, 9, "env", "nine"));
		cache_close(&c);
	}
	buf_free(&whole);
}

static bool
above(const void *ctx, uint32_t uid)
{
	return uid > *(const uint32_t *)ctx;
}

static void
test_trim(void)
{
	static char text[2000];
	struct cache c = { .fd = -1 };
	uint32_t limit = 900;
	off_t before;

	memset(text, 'x', sizeof(text) - 1);
	for (uint32_t uid = 1; uid <= 1000; uid++)
		if (cache_put(&c, uid, "env", span_of(text)))
			cache_flush(&c, dir, 7);
	cache_flush(&c, dir, 7);
	before = size();
	cache_trim(&c, dir, 7, above, &(uint32_t){ 400 });
	check(size() == before);
	cache_trim(&c, dir, 7, above, &limit);
	check(size() < before / 5);
	check(has(&c, 7, 901, "env", text) && has(&c, 7, 1000, "env", text));
	check(!has(&c, 7, 900, "env", text));
	cache_close(&c);
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
	test_trim();
	close(dir);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
