/* penalty: failures are counted by address and by name, for an hour. */
#include <sys/stat.h>
#include <unistd.h>

#include "auth/penalty.h"
#include "io/conf.h"
#include "test.h"

static const int64_t now = 1800000000;

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

	penalty_forget("alice@b");
	snprintf(path, sizeof(path), "%s/logins", dir);
	check(stat(path, &st) == -1);
	check(penalty_add("192.0.2.1", "alice@b", now) == 1);
	check(penalty_add("192.0.2.1", "bob@b", now) == 2);
	check(penalty_add("192.0.2.2", "Bob@B", now + 1) == 2);
	check(penalty_add("192.0.2.2", "carol@b", now + 2) == 2);
	check(penalty_add("2001:db8::1", "", now) == 1);
	check(penalty_add("2001:db8::ffff:2", "", now) == 2);
	check(penalty_add("2001:db8:0:1::1", "", now) == 1);
	penalty_forget("bob@b");
	check(penalty_add("192.0.2.3", "bob@b", now + 3) == 1);
	for (int i = 0; i < 30; i++)
		check(penalty_add("192.0.2.9", "x", now) <= PENALTY_MAX);
	check(penalty_add("192.0.2.9", "y", now + 3599) == PENALTY_MAX);
	check(penalty_add("192.0.2.9", "z", now + 3599 + 3600) == 1);
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	check(st.st_size <= 16 + 8192 * 8);

	f = fopen(path, "w");
	fputs("pneu-logins 2\n\n\n", f);
	fclose(f);
	check(penalty_add("192.0.2.9", "x", now) == 0);
	check(stat(path, &st) == 0 && st.st_size == 16);
	unlink(path);
	snprintf(path, sizeof(path), "%s/paths", dir);
	unlink(path);
	rmdir(dir);
	check(penalty_add("192.0.2.9", "x", now) == 0);
	return done();
}
