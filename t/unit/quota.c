/* store/quota: maildirsize, counted, kept up, lost and mended. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "store/boxes.h"
#include "store/quota.h"
#include "test.h"

static char root[64] = "/tmp/quota.XX"
		       "XX"
		       "XX";
static struct boxes b;

static void
put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if ((f = fopen(path, "w")) == NULL)
		abort();
	fputs(text, f);
	fclose(f);
}

static const char *
content(void)
{
	static struct buf text;

	buf_free(&text);
	buf_init(&text, 10000);
	return fs_read(b.fd, "maildirsize", &text) == 0 ? buf_cstr(&text) : "";
}

static bool
uses(struct quota *q, uint64_t bytes, uint64_t messages)
{
	struct quota_use u;

	if (quota_get(q, &u) == -1)
		return false;
	if (u.bytes != bytes || u.messages != messages)
		printf("# %llu %llu\n", (unsigned long long)u.bytes,
		    (unsigned long long)u.messages);
	return u.bytes == bytes && u.messages == messages;
}

static void
test_counted(void)
{
	struct quota none, q;

	put("cur/a,S=1000,W=1010:2,S", "x");
	put("new/b", "12345");
	put(".Work/cur/c,S=100:2,ST", "");
	quota_init(&none, root, 0, 0);
	check(uses(&none, 0, 0));
	check(content()[0] == '\0');
	quota_init(&q, root, 2000, 10);
	check(uses(&q, 1105, 3));
	check(strcmp(content(), "2000S,10C\n1105 3\n") == 0);
	/* now the file tells */
	check(uses(&none, 1105, 3));
	quota_init(&q, root, 0, 10);
	check(uses(&q, 1105, 3));
	check(strcmp(content(), "10C\n1105 3\n") == 0);
	quota_init(&q, root, 2000, 10);
	check(uses(&q, 1105, 3));
}

static void
test_add(void)
{
	char path[128];
	struct quota q;

	quota_init(&q, root, 2000, 10);
	snprintf(path, sizeof(path), "%s/.Work", root);
	quota_add(path, 200, 1);
	check(strcmp(content(), "2000S,10C\n1105 3\n200 1\n") == 0);
	quota_add(root, -5, -1);
	check(uses(&q, 1300, 3));
	check(quota_room(&q, 700, 7));
	check(!quota_room(&q, 896, 1)); /* after a count: 1105 */
	check(strcmp(content(), "2000S,10C\n1105 3\n") == 0);
	check(quota_room(&q, 895, 1));
	check(!quota_room(&q, 1, 8) && !quota_room(&q, UINT64_MAX, 1));
	check(!quota_room(&q, 0, UINT64_MAX));
}

/* What these add up to is more than there are numbers for. */
#define NINTH "2305843009213693951 2305843009213693951\n"
static const char runs_over[] =
    "2000S,10C\n" NINTH NINTH NINTH NINTH NINTH NINTH NINTH NINTH NINTH;

static void
test_damage(void)
{
	static const char *const bad[] = { "", "x", "2000S,10C\n",
		"2000S,10C\n1 1", "2000S,10C\n1 1\nx\n", "2000S,10C\n1\n",
		"2000S,10C\n-1 1\n", "2000S,10C\n1 -1\n", "1S\n1 1\n",
		"2000S,10C\n1 1 1\n", "2000S,10C\n99999999999999999999 1\n",
		"2000,10\n1 1\n", runs_over };
	struct quota q;

	quota_init(&q, root, 2000, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("maildirsize", bad[i]);
		check(uses(&q, 1105, 3));
		check(strcmp(content(), "2000S,10C\n1105 3\n") == 0);
	}
	for (int i = 0; i < 1100; i++)
		quota_add(root, i % 2 == 0 ? 7 : -7, i % 2 == 0 ? 1 : -1);
	check(uses(&q, 1105, 3));
	check(strcmp(content(), "2000S,10C\n1105 3\n") == 0);
}

static void
test_two(void)
{
	struct quota q;
	int status;
	pid_t pid = fork();

	quota_init(&q, root, 2000, 10);
	for (int i = 0; i < 200; i++)
		quota_add(root, 3, 1);
	if (pid == 0)
		_exit(0);
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check(uses(&q, 1105 + 1200, 3 + 400));
}

static void
test_delete(void)
{
	struct quota q;

	quota_init(&q, root, 2000, 10);
	put("maildirsize", "");
	check(uses(&q, 1105, 3));
	check(boxes_delete(&b, SPAN("Work")) == BOX_OK);
	check(uses(&q, 1005, 2));
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	conf_set_dir("/nonexistent");
	check(boxes_open(&b, root, '/') == 0);
	check(boxes_create(&b, SPAN("Work"), 0) == BOX_OK);
	test_counted();
	test_add();
	test_damage();
	test_two();
	test_delete();
	boxes_close(&b);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
