/*
 * mqueue retry, hold, release, rm - what a person decides about a message
 */
#include "mqueue.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "io/deadline.h"

static const char *reason = "held by hand";

/* Until when the sender wants it kept, if that is to come; else 0. */
static int64_t
sent_for(const char *id, int64_t now)
{
	struct attempt at;
	int64_t t;

	if (attempt_open(&at, id) == -1)
		return 0;
	if (!envelope_hold_until(at.e.args, &t) || t <= now)
		t = 0;
	attempt_close(&at);
	return t;
}

/* Due now or then, unless somebody has it in hand. */
static int
make_due(const char *id, int64_t when)
{
	struct queued m;
	int64_t now = unix_now();
	int r = -1;

	if (queued_open(&queue, id, true, &m) == -1)
		return -1;
	if (m.leased && !m.by_next && m.due > now)
		r = 0; /* run is at it */
	else
		r = queued_put_back(&m, when > now ? when : now);
	queued_close(&m);
	return r;
}

static int
exists(const char *id)
{
	struct queued m;

	return queued_stat(&queue, id, &m);
}

static int
retry_one(const char *id)
{
	char date[DATE_RFC3339_SIZE];
	struct queued m;
	int64_t now = unix_now(), until = sent_for(id, now);

	if (queued_stat(&queue, id, &m) == -1)
		return -1;
	if (until != 0 && m.due >= until) {
		warn("%s: sent for %s: release lets it go now", id,
		    date_rfc3339(until, date));
		return 0;
	}
	return make_due(id, 0);
}

static int
hold_one(const char *id)
{
	return exists(id) == -1 ? -1 : queue_hold(&queue, id, reason);
}

static int
release_one(const char *id)
{
	bool held;

	if (exists(id) == -1)
		return -1;
	held = queue_held(&queue, id, NULL);
	if (queue_release(&queue, id) == -1 && errno != ENOENT)
		return -1;
	return make_due(id, held ? sent_for(id, unix_now()) : 0);
}

static int
rm_one(const char *id)
{
	return exists(id) == -1 ? -1 : queue_remove(&queue, id);
}

static int
run_verb(int argc, char **argv, const char *options, int (*f)(const char *))
{
	int ch;

	while ((ch = getopt(argc, argv, options)) != -1)
		switch (ch) {
		case 'r':
			reason = optarg;
			for (char *p = optarg; *p != '\0'; p++)
				if (!is_print(*p))
					die(EXIT_USAGE, "-r: not one line");
			if (strlen(optarg) > 1000)
				die(EXIT_USAGE, "-r: too long");
			break;
		default:
			usage_of(argv[0]);
		}
	if (argv[optind] == NULL)
		usage_of(argv[0]);
	open_queue(false);
	return each_id(argv[0], argv + optind, f);
}

int
retry_main(int argc, char **argv)
{
	return run_verb(argc, argv, "+", retry_one);
}

int
hold_main(int argc, char **argv)
{
	return run_verb(argc, argv, "+r:", hold_one);
}

int
release_main(int argc, char **argv)
{
	return run_verb(argc, argv, "+", release_one);
}

int
rm_main(int argc, char **argv)
{
	return run_verb(argc, argv, "+", rm_one);
}
