/* store/scan and mdname: the order of names, and which are canonical. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/folder.h"
#include "store/mdname.h"
#include "store/scan.h"
#include "test.h"

static char root[64] = "/tmp/scan.XX"
		       "XX"
		       "XX";
static const char *const names[] = { "5.M1P1.h", "5.M1P2.h", "5.M000001P0.h",
	"17.M5P1.h,S=1,W=2", "1650000000.M999999P1.h", "1650000000.M1P1.h",
	"4294967296.M1P1.h", "999999999999.M999999P1.h", "1650000001.h",
	"no-time", "another", "12x.M1", "1650000000.M1P1.g", "5.M256P1.h" };
enum { NAMES = sizeof(names) / sizeof(names[0]), MORE = 600 };

static void
path_of(char *dst, const char *dir, const char *name)
{
	snprintf(dst, 512, "%s/%s/%s", root, dir, name);
}

static void
make(const char *dir, const char *name)
{
	char p[512];
	int fd;

	path_of(p, dir, name);
	fd = open(p, O_WRONLY | O_CREAT | O_EXCL, 0600);
	check(fd != -1);
	close(fd);
}

static void
test_order(int dir)
{
	struct scan s = { 0 };
	char p[512], name[64];

	for (size_t i = 0; i < NAMES; i++) {
		make(i % 3 == 0 ? "new" : "cur", names[i]);
		snprintf(name, sizeof(name), "%s:2,S", names[i]);
		if (i % 5 == 0)
			make("cur", name);
	}
	for (unsigned i = 0; i < MORE; i++) {
		snprintf(name, sizeof(name), "%u.M%uP7.h",
		    1650000000 + i * 7919 % 1000, i * 104729 % 1000000);
		make("cur", name);
	}
	check(scan_read(&s, dir, SCAN_ALL) == 0);
	check(s.n == NAMES + MORE && s.ntwins == 3);
	for (size_t i = 0; i < s.n; i++) {
		check(i == 0 ||
		    mdname_order(scan_base(&s, i - 1), scan_base(&s, i)) < 0);
		check(scan_find(&s, scan_base(&s, i)) == i);
	}
	for (size_t i = 0; i < s.ntwins; i++) /* the later name is the twin's */
		check(!s.file[s.twin[i].of].in_new || !s.twin[i].file.in_new);
	for (size_t i = 0; i < s.n; i++)
		check(unlinkat(dir, scan_path(&s, &s.file[i], p), 0) == 0);
	for (size_t i = 0; i < s.ntwins; i++)
		check(unlinkat(dir, scan_path(&s, &s.twin[i].file, p), 0) == 0);
	scan_free(&s);
	check(scan_read(&s, dir, SCAN_ALL) == 0 && s.n == 0);
	scan_free(&s);
}

/* A name is canonical when the one that is made of it is the same. */
static void
test_canonical(void)
{
	static const char *const info[] = { "", ":2,", ":2,S", ":2,FS", ":2,SF",
		":2,SS", ":2,DFPRST", ":2,DFPRSTa", ":2,aS", ":2,Sab", ":2,Saa",
		":1,S", ":2", ":2,S:", ":2,AS", ":2,\x80S", ":2,S\x80" };
	char file[512], made[MDNAME_MAX + 1], *end;
	struct mdname m;

	for (size_t i = 0; i < sizeof(info) / sizeof(info[0]); i++) {
		snprintf(file, sizeof(file), "1.M1P1.h,S=3,W=4%s", info[i]);
		m = mdname_parse(span_of(file));
		mdname_make(made, m.base, m.flags, m.passed, m.extra);
		check(m.canonical == (strcmp(made, file) == 0));
		check(mdname_says(span_of(file), m.flags, m.passed) ==
		    m.canonical);
		check(!mdname_says(span_of(file), m.flags ^ 1, m.passed));
		check(!mdname_says(span_of(file), m.flags, !m.passed));
	}
	end = file + snprintf(file, sizeof(file), "1.M1P1.h:2,");
	for (int c = '!'; c < '!' + MDNAME_EXTRA + 12; c++) {
		*end++ = (char)c;
		*end = '\0';
		m = mdname_parse(span_of(file));
		mdname_make(made, m.base, m.flags, m.passed, m.extra);
		check(m.canonical == (strcmp(made, file) == 0));
	}
}

int
main(void)
{
	static const char *const dirs[] = { "new", "cur", "" };
	char p[512];
	int fd;

	check(mkdtemp(root) != NULL);
	for (int i = 0; i < 2; i++) {
		path_of(p, dirs[i], "");
		check(mkdir(p, 0700) == 0);
	}
	fd = open(root, O_RDONLY | O_DIRECTORY);
	check(fd != -1);
	test_order(fd);
	test_canonical();
	close(fd);
	for (int i = 0; i < 3; i++) {
		path_of(p, dirs[i], "");
		check(rmdir(p) == 0);
	}
	return done();
}
