/* rate: an hour that slides, and many processes that count together. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/rate.h"
#include "base/die.h"
#include "io/conf.h"
#include "test.h"

static const int64_t now = 1800000000; /* the beginning of an hour */

static struct slots s;

static enum rate_result
count(const char *key, uint64_t messages, uint64_t rcpts, int64_t t)
{
	struct rate_limit l = { messages, rcpts };

	return rate_count(&s, span_of(key), &l, 1, 1, t);
}

static void
hour(void)
{
	for (int i = 0; i < 10; i++)
		check(count("a", 10, 0, now + 3599) == RATE_OK);
	check(count("a", 10, 0, now + 3599) == RATE_MESSAGES);
	check(count("b", 10, 0, now + 3599) == RATE_OK);
	/* a new hour is not a new start: the old one slides away */
	check(count("a", 10, 0, now + 3600) == RATE_MESSAGES);
	check(count("a", 10, 0, now + 3600 + 361) == RATE_OK);
	check(count("a", 10, 0, now + 3600 + 362) == RATE_MESSAGES);
	check(count("a", 10, 0, now + 3600 + 1800) == RATE_OK);
	check(count("a", 10, 0, now + 3 * 3600) == RATE_OK);
	for (int i = 0; i < 9; i++)
		check(count("a", 10, 0, now + 3 * 3600) == RATE_OK);
	check(count("a", 10, 0, now + 3 * 3600) == RATE_MESSAGES);
	check(count("a", 0, 0, now + 3 * 3600) == RATE_OK);
	check(rate_sliding(100, 7, 0) == 107);
	check(rate_sliding(100, 7, 3599) == 8);
	check(rate_sliding(UINT32_MAX, UINT32_MAX, 0) == 8589934590);
}

static void
recipients(void)
{
	struct rate_limit l = { 2, 5 };

	check(rate_count(&s, SPAN("c"), &l, 1, 1, now) == RATE_OK);
	for (int i = 0; i < 4; i++)
		check(rate_count(&s, SPAN("c"), &l, 0, 1, now) == RATE_OK);
	check(rate_count(&s, SPAN("c"), &l, 0, 1, now) == RATE_RCPTS);
	rate_undo(&s, SPAN("c"), 1, 1, now);
	check(rate_count(&s, SPAN("c"), &l, 1, 1, now) == RATE_OK);
	check(rate_count(&s, SPAN("c"), &l, 0, 1, now) == RATE_RCPTS);
	rate_undo(&s, SPAN("nobody"), 1, 1, now);
}

static void
crowd(void)
{
	int status, bad = 0;

	for (int k = 0; k < 8; k++)
		if (fork() == 0) {
			if (slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS,
				false) == -1)
				_exit(1);
			for (int i = 0; i < 50; i++)
				if (count("d", 1000, 0, now) != RATE_OK)
					_exit(1);
			_exit(0);
		}
	while (wait(&status) > 0)
		bad += status != 0;
	check(bad == 0);
	check(count("d", 401, 0, now) == RATE_OK);
	check(count("d", 401, 0, now) == RATE_MESSAGES);
}

/* More keys than places: the file stays as it is, and the newest work. */
static void
flood(const char *path)
{
	struct stat st;
	char key[16];

	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		check(count(key, 1, 0, now) == RATE_OK);
	}
	check(count("k19999", 1, 0, now) == RATE_MESSAGES);
	check(stat(path, &st) == 0 && st.st_size <= 128 + 8192 * 128);
	check((st.st_mode & 0777) == 0600);
}

/* A file that is somebody else's, under our name. */
static void
another(const char *path)
{
	char conf[80], theirs[80];
	struct stat st;
	FILE *f;

	snprintf(conf, sizeof(conf), "%.60s", path);
	snprintf(strrchr(conf, '/') + 1, 5, "uids");
	f = fopen(conf, "w");
	fputs("pneu 62001 62001\n", f);
	fclose(f);
	snprintf(theirs, sizeof(theirs), "%.60s.theirs", path);
	f = fopen(theirs, "w");
	fclose(f);
	check(link(theirs, path) == 0);
	check(slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS, false) == -1);
	check(stat(theirs, &st) == 0 && st.st_uid == geteuid() &&
	    st.st_size == 0);
	unlink(path);
	unlink(theirs);
	check(slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS, false) == 0);
	check(fstat(s.fd, &st) == 0 &&
	    st.st_uid == (geteuid() == 0 ? 62001 : geteuid()));
	close(s.fd);
	unlink(path);
	unlink(conf);
}

static void
broken(const char *path)
{
	FILE *f;

	close(s.fd);
	f = fopen(path, "w");
	fputs("pneu-rates 2\n", f);
	fclose(f);
	check(slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS, false) == -1);
	check(s.fd == -1);
	for (int i = 0; i < 5; i++)
		check(count("a", 1, 0, now) == RATE_OK);
	unlink(path);
	another(path);
	check(slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS, true) == 0);
	check(access(path, F_OK) == -1);
	close(s.fd);
}

static void
networks(void)
{
	char net[RATE_NETWORK_SIZE];

	rate_network("192.0.2.77", net);
	check(strcmp(net, "192.0.2.0/24") == 0);
	rate_network("2001:db8:1:2:3::1", net);
	check(strcmp(net, "2001:0db8:0001:0002::/64") == 0);
	rate_network("", net);
	check(net[0] == '\0');
}

int
main(void)
{
	char dir[] = "/tmp/pneu-rate.XX"
		     "XX"
		     "XX",
	     path[64], paths[64];
	FILE *f;

	if (mkdtemp(dir) == NULL || freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	conf_set_dir(dir);
	snprintf(paths, sizeof(paths), "%s/paths", dir);
	f = fopen(paths, "w");
	fputs("state .\n", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/rates", dir);
	check(slots_open(&s, "rates", RATE_FORMAT, RATE_BUCKETS, false) == 0);
	hour();
	recipients();
	crowd();
	flood(path);
	networks();
	broken(path);
	unlink(paths);
	rmdir(dir);
	return done();
}
