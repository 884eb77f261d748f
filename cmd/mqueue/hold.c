/*
 * mqueue retry, hold, release, rm - what a person decides about a message
 */
#include "mqueue.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"

static const char *reason = "held by hand";

/* Due now, unless somebody has it in hand. */
static int
make_due(const char *id)
{
	struct queued m;
	int64_t now = unix_now();
	int r = -1;

	if (queued_open(&queue, id, true, &m) == -1)
		return -1;
	if (m.leased && !m.by_next && m.due > now)
		r = 0; /* run is at it */
	else
		r = queued_put_back(&m, now);
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
	return exists(id) == -1 ? -1 : make_due(id);
}

static int
hold_one(const char *id)
{
	return exists(id) == -1 ? -1 : queue_hold(&queue, id, reason);
}

static int
release_one(const char *id)
{
	if (exists(id) == -1)
		return -1;
	if (queue_release(&queue, id) == -1 && errno != ENOENT)
		return -1;
	return make_due(id);
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
