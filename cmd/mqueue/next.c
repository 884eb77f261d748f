/*
 * mqueue next, done - jobs out and results in, by hand
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/out.h"

static struct {
	struct routes routes;
	int64_t lease;
	struct out out;
	bool forced; /* ids were given */
	int status;
} next;

static char output[LIMIT_JOB_LINE];

/* The jobs of one route, LIMIT_JOB_RCPTS recipients each. */
static void
print_jobs(struct attempt *at, int route, const int *routes)
{
	struct span rcpts[LIMIT_JOB_RCPTS];
	char file[LIMIT_PATH + MAIL_ID_LEN + 2];
	struct job j = {
		.file = file, .route = next.routes.v[route].text, .rcpts = rcpts
	};
	struct buf b = { .max = LIMIT_JOB_LINE };

	snprintf(j.id, sizeof(j.id), "%s", at->m.id);
	snprintf(file, sizeof(file), "%s/%s", queue.path, at->m.id);
	for (size_t i = 0; i <= at->e.nrcpts; i++) {
		if (i < at->e.nrcpts && routes[i] == route)
			rcpts[j.nrcpts++] = at->e.rcpts[i].address;
		if (j.nrcpts == 0 ||
		    (i < at->e.nrcpts && j.nrcpts < LIMIT_JOB_RCPTS))
			continue;
		buf_clear(&b);
		if (job_put(&b, &j))
			out_put(&next.out, buf_span(&b));
		j.nrcpts = 0;
	}
	buf_free(&b);
}

static bool
print_message(struct attempt *at)
{
	int *routes =
	    arena_alloc(&at->arena, (at->e.nrcpts + 1) * sizeof(routes[0]));
	bool any = false;

	for (size_t i = 0; i < at->e.nrcpts; i++) {
		struct pattern_facts f =
		    facts_of(&at->e, at->e.rcpts[i].address);

		routes[i] = -1;
		if (at->e.rcpts[i].mark == MARK_TO)
			routes[i] = routes_find(&next.routes, &f);
		if (routes[i] != -1 && next.routes.v[routes[i]].argv == NULL)
			routes[i] = -1;
		any |= routes[i] != -1;
	}
	for (size_t r = 0; any && r < next.routes.n; r++)
		print_jobs(at, (int)r, routes);
	return any;
}

/* Its time is over: that is its result. */
static void
give_back(struct attempt *at)
{
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (at->e.rcpts[i].mark == MARK_TO)
			attempt_return(at, i);
	attempt_finish(at, 0);
}

/* 0 also for one that is not to be had now. */
static int
take(const char *id)
{
	int64_t now = unix_now(), ahead = schedule_horizon(&retry), until;
	struct attempt at;
	struct queued look;

	if (queued_stat(&queue, id, &look) == -1)
		return -1;
	if (look.due > now && look.due <= now + ahead &&
	    (look.leased || !next.forced))
		return 0;
	if (queue_held(&queue, id, NULL))
		return 0;
	if (attempt_open(&at, id) == -1) {
		if (errno == EBADMSG && !dry_run)
			attempt_hold(id, "not a queue file of format 1");
		return errno == ENOENT ? -1 : 0;
	}
	if (!next.forced && look.due > now &&
	    envelope_hold_until(at.e.args, &until) && until > now) {
		attempt_close(&at);
		return 0;
	}
	if (!dry_run &&
	    queued_lease(
		&at.m, now, now + next.lease, ahead, true, next.forced) == -1) {
		attempt_close(&at);
		return 0;
	}
	if (attempt_overdue(&at, now)) {
		if (!dry_run)
			give_back(&at);
	} else if (!print_message(&at) && !dry_run) {
		attempt_finish(&at, now + retry.first);
	}
	attempt_close(&at);
	return 0;
}

static bool
take_due(void *ctx, const char *id)
{
	(void)ctx;
	if (take(id) == -1 && errno != ENOENT)
		warn_sys("%s", id);
	return next.out.err == 0;
}

int
next_main(int argc, char **argv)
{
	struct arena a;
	uint64_t sec;
	int ch, status = EXIT_OK;

	next.lease = LEASE_NEXT;
	while ((ch = getopt(argc, argv, "+nt:")) != -1)
		switch (ch) {
		case 'n':
			dry_run = true;
			break;
		case 't':
			if (!num_u64(span_of(optarg), &sec) || sec == 0 ||
			    sec > LEASE_MAX)
				die(EXIT_USAGE,
				    "-t: not a number of seconds, 1 to %d",
				    LEASE_MAX);
			next.lease = (int64_t)sec;
			break;
		default:
			usage_of("next");
		}
	open_queue(false);
	arena_init(&a, ROUTES_ARENA);
	load_routes(&a, &next.routes);
	out_init(&next.out, STDOUT_FILENO, output, sizeof(output));
	next.forced = argv[optind] != NULL;
	if (next.forced)
		status = each_id("next", argv + optind, take);
	else if (queue_list(&queue, "", take_due, NULL) == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	if (out_flush(&next.out) == -1)
		die_sys(EXIT_TEMP, "standard output");
	arena_free(&a);
	return status;
}

/* What `done` has in hand: every message stays open to the end. */
struct taken {
	struct taken *older;
	struct attempt at;
};

static struct taken *taken;

static struct attempt *
find_taken(const char *id)
{
	struct taken *t;

	for (t = taken; t != NULL; t = t->older)
		if (strcmp(t->at.m.id, id) == 0)
			return &t->at;
	t = die_calloc(1, sizeof(*t));
	if (attempt_open(&t->at, id) == -1) {
		free(t);
		return NULL;
	}
	if (!t->at.m.by_next) {
		attempt_close(&t->at);
		free(t);
		errno = EPERM;
		return NULL;
	}
	t->older = taken;
	taken = t;
	return &t->at;
}

static const struct route *
route_of(const struct attempt *at, size_t i)
{
	struct pattern_facts f = facts_of(&at->e, at->e.rcpts[i].address);
	int r = routes_find(&next.routes, &f);

	return r == -1 || next.routes.v[r].argv == NULL ? NULL
							: &next.routes.v[r];
}

static int
take_result(struct arena *a, struct span line)
{
	struct attempt *at;
	const struct route *route;
	struct result r;
	int i;

	if (!result_parse(a, line, &r)) {
		warn("not a result: %.*s", line.n > 200 ? 200 : (int)line.n,
		    line.p);
		return EXIT_DATAERR;
	}
	at = find_taken(r.id);
	if (at == NULL) {
		warn("%s: %s", r.id,
		    errno == EPERM        ? "not leased by next"
			: errno == ENOENT ? "no such message"
					  : strerror(errno));
		return EXIT_NOINPUT;
	}
	if (r.remark) {
		attempt_remark(at, r.text);
		return EXIT_OK;
	}
	i = attempt_find(at, r.rcpt);
	if (i == -1) {
		warn("%s: no such open recipient: %.*s", r.id,
		    r.rcpt.n > 200 ? 200 : (int)r.rcpt.n, r.rcpt.p);
		return EXIT_NOINPUT;
	}
	route = route_of(at, (size_t)i);
	attempt_result(at, (size_t)i, route != NULL ? route->text : "-",
	    route != NULL && !route->send, r.code, r.text);
	return EXIT_OK;
}

int
done_main(int argc, char **argv)
{
	static char buf[LIMIT_JOB_LINE];
	int r, status = EXIT_OK;
	struct arena routes, a;
	struct span line;
	struct in in;

	if (getopt(argc, argv, "+") != -1 || argc != optind)
		usage_of("done");
	open_queue(false);
	arena_init(&routes, ROUTES_ARENA);
	arena_init(&a, 4 * LIMIT_JOB_LINE);
	load_routes(&routes, &next.routes);
	in_init(&in, STDIN_FILENO, buf, sizeof(buf));
	while ((r = in_line(&in, &line)) == 1) {
		struct arena_mark mark = arena_mark(&a);
		int s = take_result(&a, line);

		if (status == EXIT_OK)
			status = s;
		arena_release(&a, mark);
	}
	if (r == -1) {
		warn_sys("standard input");
		status = EXIT_TEMP;
	}
	while (taken != NULL) {
		struct taken *t = taken;

		taken = t->older;
		attempt_finish(&t->at, t->at.tried ? 0 : unix_now());
		attempt_close(&t->at);
		free(t);
	}
	arena_free(&routes);
	arena_free(&a);
	return status;
}
