/* penalty: failures are counted by address and by name, for an hour. */
#include <sys/stat.h>
#include <unistd.h>

#include "auth/penalty.h"
#include "io/conf.h"
#include "test.h"

static const int64_t now = 1800000000;

static unsigned
add(const char *ip, const char *user, int64_t t)
{
	return penalty_add(ip, user, NULL, t);
}

/* From where somebody logged in, only its own failures count. */
static void
test_known(void)
{
	const int64_t t = now + 10000, month = 30 * 86400;

	for (int i = 0; i < 5; i++) {
		check(add("192.0.2.50", "x1@b", t) > 0);
		check(add("192.0.2.51", "owner@b", t) > 0);
	}
	check(add("192.0.2.50", "owner@b", t) == 6);
	penalty_good("192.0.2.50", "Owner@b", t);
	check(add("192.0.2.50", "OWNER@b", t + 1) == 1);
	check(add("192.0.2.50", "owner@b", t + 2) == 2);
	check(add("192.0.2.50", "x1@b", t + 3) == 7);
	check(add("192.0.2.52", "owner@b", t + 3) == 7);
	check(add("192.0.2.50", "owner@b", t + month - 1) == 1);
	check(add("192.0.2.50", "x1@b", t + month - 1) == 1);
	check(add("192.0.2.50", "owner@b", t + month) == 2);
}

static void
test_again(void)
{
	const int64_t t = now + 200000;
	unsigned char one[SHA256_LEN], two[SHA256_LEN];

	penalty_mark("phone@b", SPAN("old"), one);
	penalty_mark("Phone@B", SPAN("old"), two);
	check(memcmp(one, two, SHA256_LEN) == 0);
	penalty_mark("phone@b", SPAN("older"), two);
	check(memcmp(one, two, SHA256_LEN) != 0);
	for (int i = 0; i < 5; i++)
		check(penalty_add("192.0.2.60", "phone@b", one, t + i) == 1);
	check(penalty_add("192.0.2.60", "phone@b", two, t + 5) == 2);
	check(penalty_add("192.0.2.60", "phone@b", two, t + 6) == 2);
	check(penalty_add("192.0.2.60", "phone@b", NULL, t + 7) == 3);
	check(penalty_add("192.0.2.60", "phone@b", one, t + 7 + 3600) == 1);
}

int
main(void)
{
	char dir[] = "/tmp/pneu-penalty.XX"
		     "XX"
		     "XX",
	     path[64];
	struct stat st;
	FILE *f;

	if (mkdtemp(dir) == NULL || freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	conf_set_dir(dir);
	snprintf(path, sizeof(path), "%s/paths", dir);
	f = fopen(path, "w");
	fputs("state .\n", f);
	fclose(f);

	snprintf(path, sizeof(path), "%s/logins", dir);
	check(stat(path, &st) == -1);
	check(add("192.0.2.1", "alice@b", now) == 1);
	check(add("192.0.2.1", "bob@b", now) == 2);
	check(add("192.0.2.2", "Bob@B", now + 1) == 2);
	check(add("192.0.2.2", "carol@b", now + 2) == 2);
	check(add("2001:db8::1", "", now) == 1);
	check(add("2001:db8::ffff:2", "", now) == 2);
	check(add("2001:db8:0:1::1", "", now) == 1);
	for (int i = 0; i < 30; i++)
		check(add("192.0.2.9", "x", now) <= PENALTY_MAX);
	check(add("192.0.2.9", "y", now + 3599) == PENALTY_MAX);
	check(add("192.0.2.9", "z", now + 3599 + 3600) == 1);
	test_known();
	test_again();
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	check(st.st_size <= 16 + 3 * 8192 * 8);

	f = fopen(path, "w");
	fputs("pneu-logins 2\n\n\n", f);
	fclose(f);
	check(add("192.0.2.9", "x", now) == 0);
	check(stat(path, &st) == 0 && st.st_size == 16);
	unlink(path);
	snprintf(path, sizeof(path), "%s/login-key", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/paths", dir);
	unlink(path);
	rmdir(dir);
	check(add("192.0.2.9", "x", now) == 0);
	return done();
}
