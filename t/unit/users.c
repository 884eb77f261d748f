/* users: lines good and bad, and what a bad one does to a "no". */
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "auth/users.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "test.h"

static char dir[] = "/tmp/pneu-unit-XXXXXX";

static void
put(const char *name, const char *text, int64_t age)
{
	char path[LIMIT_PATH];
	struct utimbuf t;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		die_sys(EXIT_TEMP, "%s", path);
	t.actime = t.modtime = (time_t)(unix_now() - age);
	if (utime(path, &t) == -1)
		die_sys(EXIT_TEMP, "%s", path);
}

static enum verdict
find(const char *address, struct user *u)
{
	return users_find(span_of(address), u);
}

static const char *const bad[] = {
	/* clang-format off */
	"x", ":", "::::", "x@y.test", "x@y.test:1:1:/h", "x:1:1:/h:",
	"@y.test:1:1:/h:", "x@:1:1:/h:", "x@y.test::1:/h:", "x@y.test:1::/h:",
	"x@y.test:-1:1:/h:", "x@y.test:1:4294967296:/h:", "x@y.test:1:1:h:",
	"x@y.test:1:1::", "x@y.test: 1:1:/h:", "x y@y.test:1:1:/h:",
	"x@y.test:1:1:/h:maildir=", "x@y.test:1:1:/h:separator=ab",
	"x@y.test:1:1:/h:quota=", "x@y.test:1:1:/h:quota=1,",
	"x@y.test:1:1:/h:quota=1X", "x@y.test:1:1:/h:quota=G",
	"x@y.test:1:1:/h:quota=1,-1",
	"x@y.test:1:1:/h:quota=99999999999T",
	"x@y.test:1:1:/h:sessions=", "x@y.test:1:1:/h:sessions=-1",
	"x@y.test:1:1:/h:sessions=100001",
	"x@y.test:1:1:/h:separator=-", "x@y.test:1:1:/h:disabled=1",
	"x@y.test:1:1:/h:unknown", "x@[1:1:/h:", "x@y..test:1:1:/h:",
	"\"x@y.test:1:1:/h:", "x@y.test:0x1:1:/h:",
	/* clang-format on */
};

static void
test_bad(void)
{
	struct user u;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[300];

		snprintf(
		    text, sizeof(text), "%s\nbob@y.test:7:8:/b:\n", bad[i]);
		put("users", text, 60);
		check(find("bob@y.test", &u) == OK && u.uid == 7);
		check(find("x@y.test", &u) == TEMP);
		check(find("", &u) == PERM);
	}
}

static void
test_good(void)
{
	struct user u;

	put("users",
	    "# comment\n\n"
	    "ann@Y.test:1000:1001:/home/ann:\r\n"
	    "Ann@y.test:1:2:/A:maildir=/m/A\n"
	    "bob@y.test:3:4:/b:maildir=mail send=a@x.test,@z.test "
	    "separator=. prefix=INBOX. quota=2G,500 sessions=9 disabled\n"
	    "cy@[IPv6:2001:db8::1]:5:6:/c:\n"
	    "\"d d\"@y.test:7:8:/d:\n",
	    60);
	check(find("ann@y.test", &u) == OK && u.uid == 1000 && u.gid == 1001);
	check(strcmp(u.maildir, "/home/ann/Maildir") == 0);
	check(u.separator == '\0' && !u.has_prefix && !u.disabled);
	check(u.quota_bytes == 0 && u.quota_messages == 0);
	check(!u.has_sessions);
	check(find("Ann@Y.TEST", &u) == OK && u.uid == 1);
	check(strcmp(u.maildir, "/m/A") == 0);
	check(find("ANN@y.test", &u) == OK && u.uid == 1000);
	check(find("bob@y.test", &u) == OK && u.disabled);
	check(strcmp(u.maildir, "/b/mail") == 0 && u.separator == '.');
	check(u.has_prefix && strcmp(u.prefix, "INBOX.") == 0);
	check(u.quota_bytes == UINT64_C(2) << 30 && u.quota_messages == 500);
	check(u.has_sessions && u.sessions == 9);
	check(users_may_send(&u, SPAN("q@Z.test")) == OK);
	check(users_may_send(&u, SPAN("a@x.test")) == OK);
	check(find("cy@[IPv6:2001:db8::1]", &u) == OK && u.gid == 6);
	check(find("\"d d\"@y.test", &u) == OK && u.uid == 7);
	check(find("nobody@y.test", &u) == PERM);
	check(find("ann@y.tes", &u) == PERM && find("nn@y.test", &u) == PERM);
	check(users_find_uid(3, &u) == OK && u.gid == 4);
	check(users_find_uid(99, &u) == PERM);
	check(users_first(&u) == OK && u.uid == 1000);
}

/* A file that is not beyond doubt says no to nobody. */
static void
test_doubt(void)
{
	char path[LIMIT_PATH];
	struct user u;
	int64_t start = deadline_now();

	put("users", "", 60);
	check(find("a@y.test", &u) == TEMP);
	put("users", "# only a comment\n", 60);
	check(find("a@y.test", &u) == TEMP);
	put("users", "bob@y.test:1:1:/b:", 60); /* no end */
	check(find("a@y.test", &u) == TEMP);
	check(find("bob@y.test", &u) == TEMP);
	put("users", "off@y.test:1:1:/b:disabled\n", 60);
	check(users_first(&u) == PERM);
	snprintf(path, sizeof(path), "%s/users", dir);
	check(unlink(path) == 0 && find("a@y.test", &u) == TEMP);
	check(deadline_now() - start < 1000); /* none of it is waited for */
	put("users", "bob@y.test:1:1:/b:\n", 0);
	check(users_find_now(SPAN("a@y.test"), &u) == TEMP);
	check(find("a@y.test", &u) == PERM); /* once it has stood */
}

/* Each cut of a file: a user is there, or it can't be said. */
static void
test_cuts(void)
{
	static const char whole[] = "ann@y.test:1:1:/a:\nbob@y.test:2:3:/b:\n";
	struct user u;

	for (size_t n = 0; n < sizeof(whole); n++) {
		char text[sizeof(whole)];
		enum verdict v;

		snprintf(text, sizeof(text), "%.*s", (int)n, whole);
		put("users", text, 60);
		v = find("bob@y.test", &u);
		check(v == OK
			? u.uid == 2 && u.gid == 3 && strcmp(u.home, "/b") == 0
			/* bob's line is not there at all */
			: v == TEMP || n == 19);
	}
}

static void
test_speed(void)
{
	static char text[1000000];
	size_t n = 0;
	struct user u;
	int64_t start;

	for (int i = 0; i < 10000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "user%d@example.test:1000:1000:/home/user%d:\n", i, i);
	put("users", text, 60);
	start = deadline_now();
	for (int i = 0; i < 20; i++)
		check(find("user9999@example.test", &u) == OK);
	printf("# 10,000 lines in %lld us\n",
	    (long long)(deadline_now() - start) * 50);
}

int
main(void)
{
	char path[LIMIT_PATH];

	progname = "users";
	if (mkdtemp(dir) == NULL)
		die_sys(EXIT_TEMP, "%s", dir);
	conf_set_dir(dir);
	fclose(stderr); /* bad lines are told there */
	test_bad();
	test_good();
	test_doubt();
	test_cuts();
	test_speed();
	snprintf(path, sizeof(path), "%s/users", dir);
	unlink(path);
	rmdir(dir);
	return done();
}
