/*
 * mqueue run - deliver what is due, for as long as it lives
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/spawn.h"
#include "io/user.h"
#include "io/watch.h"
#include "spawner.h"

enum { NAP = 30000, GRACE = 10, LOOK_EVERY = 2, CLOCK_JUMP = 60 };

struct run run;

static int wake[2];

static void
on_signal(int sig)
{
	int err = errno;

	(void)sig;
	if (write(wake[1], "", 1) == -1)
		errno = err; /* full: that wakes, too */
	errno = err;
}

static void
take_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	if (spawn_pipe(wake) == -1)
		die_sys(EXIT_TEMP, "pipe");
	fs_nonblock(wake[0], true);
	fs_nonblock(wake[1], true);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void
lock_queue(void)
{
	int fd = openat(
	    queue.fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd == -1 || (fs_lock(fd, true, 0) == -1 && errno != EAGAIN))
		die_sys(EXIT_TEMP, "%s/lock", queue.path);
	if (fs_lock(fd, true, 0) == -1)
		die(EXIT_TEMP, "%s: another run is at work", queue.path);
}

/* A lease of a run that died ends with it. */
static void
free_lease(const char *id)
{
	struct queued m;

	if (queued_open(&queue, id, true, &m) == -1)
		return;
	if (queued_put_back(&m, unix_now()) == -1)
		log_error(id, NULL);
	queued_close(&m);
}

static bool
scan_one(void *ctx, const char *id)
{
	bool first = *(bool *)ctx;
	int64_t now = unix_now(), due = now;
	struct queued m;

	if (queued_stat(&queue, id, &m) == -1) {
		if (errno == EINVAL)
			log_error(id, "not a file of one name");
		return true;
	}
	if (m.leased && !m.by_next && first)
		free_lease(id);
	else if (m.due <= now + schedule_horizon(&retry))
		due = m.due;
	schedule_push(&run.schedule, due, id);
	return true;
}

static void
scan(bool first)
{
	run.schedule.n = 0;
	run.schedule.lost = false;
	if (queue_list(&queue, "", scan_one, &first) == -1)
		log_error(queue.path, NULL);
}

static void
changed(void *ctx, const char *name, bool came)
{
	int64_t now = unix_now();
	struct queued m;

	(void)ctx;
	if (!ident_is_mail(span_of(name)) ||
	    queued_stat(&queue, name, &m) == -1 || (m.ours && m.due > now))
		return;
	if (!came && m.due <= now && !m.leased && !m.ours)
		dests_forgive(); /* somebody wants it tried */
	schedule_push(&run.schedule, m.due < now ? now : m.due, name);
}

/* New mail, or what another process did. */
static void
look_around(void)
{
	if (run.watch == -1) {
		static int64_t seen;
		int64_t t = fs_mtime_ns(queue.fd, ".");

		if (t != seen || unix_now() % NAP == 0)
			scan(false);
		seen = t;
	} else if (!watch_names(run.watch, changed, NULL)) {
		scan(false);
	}
}

/* Routes are read anew when they are another file than they were. */
static void
look_at_routes(void)
{
	static struct stat was;
	char path[LIMIT_PATH];
	struct stat st;

	if (!conf_file(path, sizeof(path), "routes") || stat(path, &st) == -1)
		st = (struct stat){ .st_ino = 0 };
	if (run.table != NULL && st.st_ino == was.st_ino &&
	    st.st_size == was.st_size &&
	    st.st_mtim.tv_sec == was.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == was.st_mtim.tv_nsec)
		return;
	was = st;
	link_table();
}

static void
hand_out(void)
{
	char id[MAIL_ID_LEN + 1];

	while (!run.stopping && run.nactive < ACTIVE_MAX &&
	    schedule_pop(&run.schedule, unix_now(), id)) {
		look_at_routes();
		take_message(id);
	}
	if (run.schedule.lost && run.schedule.n < run.schedule.max / 2)
		scan(false);
}

static int
how_long(void)
{
	int64_t ms = NAP, due;

	if (run.nworkers > 0)
		ms = 500;
	if (run.watch == -1 && ms > LOOK_EVERY * 500)
		ms = LOOK_EVERY * 500;
	due = schedule_first(&run.schedule);
	if (run.nactive < ACTIVE_MAX && due != INT64_MAX) {
		due = (due - unix_now()) * 1000;
		if (due < ms)
			ms = due < 0 ? 0 : due;
	}
	return (int)ms;
}

/* The wall clock went back, or far ahead: what is due is another list. */
static void
check_clock(void)
{
	static int64_t offset;
	int64_t now = unix_now() - deadline_now() / 1000;

	if (offset != 0 &&
	    (now < offset - CLOCK_JUMP || now > offset + CLOCK_JUMP))
		scan(false);
	offset = now;
}

static void
wait_and_serve(void)
{
	static struct pollfd p[3 + 2 * WORKERS_MAX];
	size_t n = 3;
	char drop[16];

	p[0] = (struct pollfd){ .fd = wake[0], .events = POLLIN };
	p[1] = (struct pollfd){ .fd = run.sock, .events = POLLIN };
	p[2] = (struct pollfd){ .fd = run.watch, .events = POLLIN };
	workers_poll(p, &n);
	if (poll(p, (nfds_t)n, how_long()) == -1) {
		if (errno != EINTR)
			die_sys(EXIT_TEMP, "poll");
		return;
	}
	workers_serve(p + 3);
	if (p[1].revents != 0)
		link_serve();
	while (read(wake[0], drop, sizeof(drop)) > 0)
		run.stopping = true;
	if (run.watch == -1 || p[2].revents != 0)
		look_around();
	workers_check();
	dests_clean();
}

static void
serve(void)
{
	int64_t end = DEADLINE_NEVER;

	for (;;) {
		check_clock();
		hand_out();
		if (run.stopping && end == DEADLINE_NEVER) {
			end = deadline_in(GRACE);
			workers_close_idle();
		}
		if (run.stopping &&
		    (run.nactive == 0 || deadline_left(end) == 0))
			return;
		wait_and_serve();
	}
}

static void
read_limits(void)
{
	run.limit.job_time =
	    conf_limit("time-job", LEASE_RUN - 60, TIME_SMTP_SESSION);
	run.limit.command_time =
	    conf_limit("time-command", LEASE_RUN - 60, TIME_COMMAND);
	run.limit.dest_workers =
	    conf_limit("workers-destination", 100, LIMIT_WORKERS_DESTINATION);
	run.limit.route_workers =
	    conf_limit("workers-route", 150, LIMIT_WORKERS_ROUTE);
	run.limit.idle = conf_limit("time-idle-worker", 3600, TIME_IDLE_WORKER);
}

int
run_main(int argc, char **argv)
{
	if (getopt(argc, argv, "+") != -1 || argc != optind)
		usage_of("run");
	run.as_root = user_is_root();
	run.sock = spawner_leave();
	become_owner(true);
	open_queue(true);
	lock_queue();
	log_open(NULL);
	take_signals();
	read_limits();
	queued_stamp();
	run.started = unix_now();
	run.schedule.max = WAITING_MAX;
	run.watch = watch_open();
	if (run.watch != -1 && watch_dir_attrs(run.watch, queue.path) == -1) {
		close(run.watch);
		run.watch = -1;
	}
	look_at_routes();
	scan(true);
	serve();
	return EXIT_OK;
}
