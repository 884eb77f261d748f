/* greylist: who comes again in time is known, and so is the network. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/greylist.h"
#include "io/conf.h"
#include "test.h"

enum { DAY = 86400 };

static const int64_t now = 1800000000;
static const struct greylist_times times = { 300, DAY, 36 * DAY };

static struct slots s;
static uint32_t wait;

static enum greylist_result
ask(const char *net, const char *from, const char *to, int64_t after)
{
	return greylist_ask(&s, span_of(net), span_of(from), span_of(to),
	    &times, now + after, &wait);
}

int
main(void)
{
	char dir[] = "/tmp/pneu-grey.XX"
		     "XX"
		     "XX",
	     path[64], paths[64];
	FILE *f;

	if (mkdtemp(dir) == NULL)
		return 1;
	conf_set_dir(dir);
	snprintf(paths, sizeof(paths), "%s/paths", dir);
	f = fopen(paths, "w");
	fputs("state .\n", f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/greylist", dir);
	check(slots_open(&s, "greylist", GREYLIST_FORMAT, GREYLIST_BUCKETS,
		  false) == 0);
	check(ask("n1", "a@b", "c@d", 0) == GREYLIST_NEW && wait == 300);
	check(ask("n1", "a@b", "c@d", 100) == GREYLIST_EARLY && wait == 200);
	check(ask("n1", "x@b", "c@d", 100) == GREYLIST_NEW);
	check(ask("n2", "a@b", "c@d", 100) == GREYLIST_NEW);
	check(ask("n1", "", "c@d", 100) == GREYLIST_NEW);
	check(ask("n1", "", "c@d", 200) == GREYLIST_EARLY);
	check(ask("n1", "A@B", "C@d", 299) == GREYLIST_EARLY && wait == 1);
	check(ask("n1", "a@b", "c@d", 300) == GREYLIST_PASSED);
	/* now the network is known, for whatever it sends */
	check(ask("n1", "other@b", "c@d", 301) == GREYLIST_KNOWN);
	check(ask("n2", "other@b", "c@d", 301) == GREYLIST_NEW);
	/* it lasts as long as it is used */
	check(ask("n1", "z@b", "c@d", 35 * DAY) == GREYLIST_KNOWN);
	check(ask("n1", "y@b", "c@d", 70 * DAY) == GREYLIST_KNOWN);
	check(ask("n1", "x@b", "c@d", 107 * DAY) == GREYLIST_NEW);
	/* too late is the first time */
	check(ask("n2", "a@b", "c@d", 101 + DAY) == GREYLIST_NEW);
	/* a clock that went backwards */
	check(ask("n2", "a@b", "c@d", -DAY) == GREYLIST_NEW);
	close(s.fd);
	s.fd = -1; /* nothing can be remembered: nobody is put off */
	check(ask("n9", "a@b", "c@d", 0) == GREYLIST_KNOWN);
	/* a copy: what it learns is its own */
	check(slots_open(&s, "greylist", GREYLIST_FORMAT, GREYLIST_BUCKETS,
		  true) == 0);
	check(ask("n9", "a@b", "c@d", 0) == GREYLIST_NEW);
	check(ask("n9", "a@b", "c@d", 1) == GREYLIST_EARLY);
	close(s.fd);
	check(slots_open(&s, "greylist", GREYLIST_FORMAT, GREYLIST_BUCKETS,
		  false) == 0);
	check(ask("n9", "a@b", "c@d", 2) == GREYLIST_NEW);
	close(s.fd);
	unlink(path);
	check(slots_open(&s, "greylist", GREYLIST_FORMAT, GREYLIST_BUCKETS,
		  true) == 0);
	check(ask("n9", "a@b", "c@d", 0) == GREYLIST_NEW);
	check(access(path, F_OK) == -1);
	close(s.fd);
	unlink(paths);
	rmdir(dir);
	return done();
}
