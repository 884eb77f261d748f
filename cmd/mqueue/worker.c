/*
 * The processes that deliver.  One with -J gets job lines and is kept for
 * many; any other command gets one message and ends.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/pass.h"
#include "io/spawn.h"

enum { FEW = 4, LINES_MAX = 131072 };

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static struct task *
next_task(struct dest *d)
{
	struct task *t = d->first;

	d->first = t->next;
	if (d->first == NULL)
		d->last = &d->first;
	return t;
}

static struct worker *
new_worker(struct dest *d, bool jobs)
{
	struct worker *w = die_calloc(1, sizeof(*w));

	w->table = d->table;
	w->table->users++;
	w->number = d->number;
	w->jobs = jobs;
	w->in = w->out = w->commit = -1;
	w->feed = -1;
	w->to.max = (LIMIT_JOBS_OUT + 1) * LIMIT_JOB_LINE;
	w->from.max = LINES_MAX;
	w->deadline = DEADLINE_NEVER;
	return w;
}

static void
drop_worker(struct worker *w)
{
	for (size_t i = 0; i < run.nworkers; i++)
		if (run.workers[i] == w) {
			run.workers[i] = run.workers[--run.nworkers];
			break;
		}
	if (w->dest != NULL)
		w->dest->workers--;
	link_leave_table(w->table);
	close_fd(&w->in);
	close_fd(&w->out);
	close_fd(&w->commit);
	buf_free(&w->to);
	buf_free(&w->from);
	free(w);
}

/* Its descriptors; in may be given (a message).  0, or -1 and errno. */
static int
start(struct worker *w, int message, struct span text, int *err)
{
	int in[2] = { message, -1 }, out[2] = { -1, -1 }, go[2] = { -1, -1 };
	int fds[4];

	*err = 0;
	if ((message == -1 && spawn_pipe(in) == -1) || spawn_pipe(out) == -1 ||
	    (!w->jobs && spawn_pipe(go) == -1))
		*err = errno;
	fds[0] = in[0];
	fds[1] = out[1];
	fds[2] = w->jobs ? STDERR_FILENO : out[1];
	fds[3] = go[0];
	w->in = in[1];
	w->out = out[0];
	w->commit = go[1];
	if (*err == 0)
		w->pid = link_start(w, text, fds, err);
	if (message == -1)
		close_fd(&in[0]);
	close_fd(&out[1]);
	close_fd(&go[0]);
	if (w->in != -1)
		fs_nonblock(w->in, true);
	if (w->out != -1)
		fs_nonblock(w->out, true);
	return *err == 0 ? 0 : -1;
}

static void
could_not_start(struct task *t, int err)
{
	struct dest *d = t->dest;
	char why[300];

	if (err == ESTALE) {
		snprintf(why, sizeof(why), "routes changed");
	} else {
		snprintf(why, sizeof(why), "%.200s: %s", d->route->argv[0],
		    strerror(err));
		log_error(d->route->argv[0], strerror(err));
	}
	task_end(t, "4.3.5", why);
}

static void
give_job(struct worker *w, struct task *t)
{
	struct attempt *at = &t->active->at;
	struct span rcpts[LIMIT_JOB_RCPTS];
	char file[LIMIT_PATH + MAIL_ID_LEN + 2];
	struct job j = { .file = file,
		.route = t->dest->route->text,
		.rcpts = rcpts,
		.nrcpts = t->nrcpts };

	snprintf(j.id, sizeof(j.id), "%s", at->m.id);
	snprintf(file, sizeof(file), "%s/%s", queue.path, at->m.id);
	for (size_t i = 0; i < t->nrcpts; i++)
		rcpts[i] = at->e.rcpts[t->rcpts[i]].address;
	job_put(&w->to, &j);
	if (w->ntasks == 0)
		w->deadline = deadline_in((int64_t)run.limit.job_time);
	w->tasks[w->ntasks++] = t;
}

/* NAME=value and a NUL, for what stands in the envelope. */
static void
put_var(struct buf *b, const char *name, struct span v)
{
	if (v.n == 0 || span_chr(v, '\0') < v.n)
		return;
	buf_puts(b, name);
	buf_putc(b, '=');
	buf_put(b, v);
	buf_putc(b, '\0');
}

static void
put_arg_var(struct buf *b, const char *name, struct span args, const char *arg)
{
	struct span v;

	if (envelope_arg(args, arg, &v))
		put_var(b, name, v.n > 0 ? v : SPAN("1"));
}

static void
put_words(struct buf *b, const struct task *t)
{
	const struct attempt *at = &t->active->at;
	struct buf args = { .max = LIMIT_MAIL_RCPTS };

	put_var(b, "MAIL_ID", span_of(at->m.id));
	put_var(b, "MAIL_CONN", (struct span){ at->m.id, CONN_LEN });
	put_var(b, "MAIL_HELO", at->e.helo);
	put_var(b, "MAIL_AUTH", at->e.auth);
	put_var(b, "MAIL_WITH", at->e.with);
	put_arg_var(b, "MAIL_BODY", at->e.args, "BODY");
	put_arg_var(b, "MAIL_SMTPUTF8", at->e.args, "SMTPUTF8");
	put_arg_var(b, "MAIL_RET", at->e.args, "RET");
	put_arg_var(b, "MAIL_ENVID", at->e.args, "ENVID");
	put_arg_var(b, "MAIL_REQUIRETLS", at->e.args, "REQUIRETLS");
	put_arg_var(b, "MAIL_BY", at->e.args, "BY");
	for (size_t i = 0; i < t->nrcpts; i++) {
		if (i > 0)
			buf_putc(&args, '\n');
		buf_put(&args, at->e.rcpts[t->rcpts[i]].args);
	}
	put_var(b, "MAIL_RCPT_ARGS", buf_span(&args));
	buf_free(&args);
	buf_putc(b, '\0');
	buf_put(b, at->e.sender);
	buf_putc(b, '\0');
	for (size_t i = 0; i < t->nrcpts; i++) {
		buf_put(b, at->e.rcpts[t->rcpts[i]].address);
		buf_putc(b, '\0');
	}
}

/* The queue file itself, when the command may see all of it. */
static int
open_message(const struct task *t)
{
	const struct attempt *at = &t->active->at;
	int fd;

	if (run.as_root && t->dest->route->user != NULL)
		return -1;
	fd = openat(queue.fd, at->m.id, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1 && lseek(fd, (off_t)at->e.message_at, SEEK_SET) == -1)
		close_fd(&fd);
	return fd;
}

static bool
start_message(struct dest *d)
{
	struct worker *w = new_worker(d, false);
	struct task *t = next_task(d);
	struct buf words = { .max = PASS_MAX - 1024 };
	int message = open_message(t), err;

	put_words(&words, t);
	if (words.over) {
		err = E2BIG;
		drop_worker(w);
	} else if (start(w, message, buf_span(&words), &err) == -1) {
		drop_worker(w);
	} else {
		w->dest = d;
		d->workers++;
		w->tasks[w->ntasks++] = t;
		w->deadline = deadline_in((int64_t)run.limit.command_time);
		run.workers[run.nworkers++] = w;
		if (message == -1)
			w->feed = (off_t)t->active->at.e.message_at;
		else if (write(w->commit, "y", 1) == 1)
			close_fd(&w->commit);
	}
	close_fd(&message);
	buf_free(&words);
	if (err != 0)
		could_not_start(t, err);
	return true;
}

static size_t
route_workers(const struct dest *d)
{
	size_t n = 0;

	for (size_t i = 0; i < run.nworkers; i++)
		n += run.workers[i]->table == d->table &&
		    run.workers[i]->number == d->number;
	return n;
}

static bool
usable(const struct worker *w, const struct dest *d)
{
	return w->jobs && !w->closed && !w->ended && !w->killed &&
	    w->in != -1 && w->table == d->table && w->number == d->number &&
	    w->ntasks < LIMIT_JOBS_OUT;
}

/* A worker of this destination with room, or an idle one: the best. */
static struct worker *
find_worker(const struct dest *d)
{
	struct worker *best = NULL;

	for (size_t i = 0; i < run.nworkers; i++) {
		struct worker *w = run.workers[i];

		if (!usable(w, d) || (w->dest != NULL && w->dest != d))
			continue;
		if (best == NULL || w->ntasks < best->ntasks)
			best = w;
	}
	if (best != NULL && best->dest == NULL &&
	    d->workers >= run.limit.dest_workers)
		return NULL;
	return best;
}

static bool
may_start(const struct dest *d)
{
	return d->workers < run.limit.dest_workers &&
	    run.nworkers < WORKERS_MAX &&
	    route_workers(d) < run.limit.route_workers;
}

static bool
give_to_jobs(struct dest *d)
{
	struct worker *w = find_worker(d);
	int err = 0;

	if ((w == NULL || w->ntasks >= FEW) && may_start(d)) {
		w = new_worker(d, true);
		if (start(w, -1, SPAN(""), &err) == -1) {
			drop_worker(w);
			could_not_start(next_task(d), err);
			return true;
		}
		run.workers[run.nworkers++] = w;
	}
	if (w == NULL)
		return false;
	if (w->dest == NULL) {
		w->dest = d;
		d->workers++;
	}
	give_job(w, next_task(d));
	return true;
}

void
dest_dispatch(struct dest *d)
{
	const struct route *r = d->route;
	bool jobs = (r->deliver || r->send) &&
	    (!run.as_root || r->user == NULL ||
		(r->deliver && strcmp(r->user, "root") == 0));

	while (d->first != NULL)
		if (jobs ? !give_to_jobs(d)
			 : !may_start(d) || !start_message(d))
			return;
}

static void
result_line(struct worker *w, struct span line)
{
	struct result r;
	struct arena a;

	arena_init(&a, 16 * LIMIT_RESULT_LINE);
	if (!result_parse(&a, line, &r)) {
		log_error("not a result", NULL);
		arena_free(&a);
		return;
	}
	for (size_t i = 0; i < w->ntasks; i++) {
		struct task *t = w->tasks[i];

		if (strcmp(t->active->at.m.id, r.id) != 0)
			continue;
		task_result(t, &r);
		if (t->answered == t->nrcpts) {
			w->tasks[i] = w->tasks[--w->ntasks];
			task_end(t, "4.3.0", "");
		}
		w->deadline = w->ntasks == 0
		    ? DEADLINE_NEVER
		    : deadline_in((int64_t)run.limit.job_time);
		break;
	}
	arena_free(&a);
}

/* RCPT <tab> CODE <tab> TEXT of a recipient of ours, or any words. */
static void
message_line(struct worker *w, struct span line)
{
	struct result r = { .remark = false };
	struct span rest = line;

	if (w->ntasks == 0)
		return;
	snprintf(r.id, sizeof(r.id), "%s", w->tasks[0]->active->at.m.id);
	r.rcpt = span_cut(&rest, '\t');
	r.code = span_cut(&rest, '\t');
	r.text = rest;
	if (result_code_ok(r.code)) {
		task_result(w->tasks[0], &r);
		return;
	}
	r.remark = true;
	r.text = line;
	task_result(w->tasks[0], &r);
	if (line.n >= sizeof(w->last))
		line.n = sizeof(w->last) - 1;
	if (line.n > 0 && !span_cstr(line, w->last, sizeof(w->last)))
		w->last[0] = '\0';
}

static void
take_lines(struct worker *w, bool rest)
{
	while (w->from.n > 0) {
		struct span all = buf_span(&w->from);
		size_t at = span_chr(all, '\n');

		if (at == all.n && !rest && w->from.n < LINES_MAX / 2)
			return;
		all.n = at;
		if (w->jobs)
			result_line(w, all);
		else
			message_line(w, all);
		buf_drop(&w->from, at < w->from.n ? at + 1 : at);
	}
}

static void
read_worker(struct worker *w)
{
	char *room = buf_room(&w->from, 16384);
	ssize_t n = room == NULL ? -1 : read(w->out, room, 16384);

	if (n > 0) {
		w->from.n += (size_t)n;
		take_lines(w, false);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		take_lines(w, true);
		w->closed = true;
		close_fd(&w->out);
	}
}

static void
write_jobs(struct worker *w)
{
	ssize_t n = write(w->in, w->to.p, w->to.n);

	if (n > 0)
		buf_drop(&w->to, (size_t)n);
	else if (n == -1 && errno != EAGAIN && errno != EINTR)
		close_fd(&w->in);
}

static void
feed_message(struct worker *w)
{
	static char piece[65536];
	int fd = w->tasks[0]->active->at.m.fd;
	ssize_t n = pread(fd, piece, sizeof(piece), w->feed);

	if (n > 0)
		n = write(w->in, piece, (size_t)n);
	else if (n == 0) {
		close_fd(&w->in);
		if (write(w->commit, "y", 1) == 1)
			close_fd(&w->commit);
		w->feed = -1;
		return;
	}
	if (n > 0)
		w->feed += n;
	else if (errno != EAGAIN && errno != EINTR) {
		close_fd(&w->in);
		close_fd(&w->commit);
		w->feed = -1;
	}
}

static bool
wants_to_write(const struct worker *w)
{
	return w->in != -1 && (w->jobs ? w->to.n > 0 : w->feed != -1);
}

void
workers_poll(struct pollfd *p, size_t *n)
{
	for (size_t i = 0; i < run.nworkers; i++) {
		struct worker *w = run.workers[i];

		p[(*n)++] = (struct pollfd){ .fd = w->out, .events = POLLIN };
		p[(*n)++] =
		    (struct pollfd){ .fd = wants_to_write(w) ? w->in : -1,
			    .events = POLLOUT };
	}
}

void
workers_serve(const struct pollfd *p)
{
	size_t n = run.nworkers;
	static struct worker *now[WORKERS_MAX];

	memcpy(now, run.workers, n * sizeof(now[0]));
	for (size_t i = 0; i < n; i++, p += 2) {
		struct worker *w = now[i];

		if (p[0].revents != 0 && w->out == p[0].fd && w->out != -1)
			read_worker(w);
		if (p[1].revents != 0 && w->in == p[1].fd && w->in != -1) {
			if (w->jobs)
				write_jobs(w);
			else if (w->ntasks > 0)
				feed_message(w);
		}
	}
}

void
worker_ended(pid_t pid, int status)
{
	for (size_t i = 0; i < run.nworkers; i++)
		if (run.workers[i]->pid == pid && !run.workers[i]->ended) {
			run.workers[i]->ended = true;
			run.workers[i]->status = status;
		}
}

/* The end of a command: its status speaks for who had no result. */
static void
settle(struct worker *w)
{
	char why[600];

	if (w->last[0] != '\0' && !w->jobs && !w->killed)
		snprintf(why, sizeof(why), "%s", w->last);
	else
		snprintf(why, sizeof(why), "%.200s: %s",
		    w->table->routes.v[w->number].argv[0],
		    w->killed ? "took too long" : spawn_why(w->status));
	while (w->ntasks > 0) {
		struct task *t = w->tasks[--w->ntasks];
		enum verdict v =
		    w->jobs || w->killed ? TEMP : spawn_verdict(w->status);

		task_end(t,
		    v == OK         ? "2.0.0"
			: v == PERM ? "5.0.0"
				    : "4.3.0",
		    v == OK && w->last[0] == '\0' ? "delivered" : why);
	}
}

static void
check_worker(struct worker *w)
{
	struct dest *d = w->dest;
	int64_t now = deadline_now();

	if (w->ended && w->out != -1) {
		read_worker(w); /* what it still had to say */
		if (!w->closed && deadline_left(w->deadline) > 2000)
			w->deadline = now + 2000;
	}
	if (deadline_left(w->deadline) == 0 && !w->killed) {
		w->killed = !w->ended;
		if (w->ended)
			close_fd(&w->out);
		else
			link_kill(w->pid);
	}
	if (w->ended && w->out == -1) {
		settle(w);
		drop_worker(w);
	} else if (w->ntasks == 0 && w->jobs && d != NULL) {
		w->dest = NULL;
		d->workers--;
		w->idle = now;
	} else if (w->jobs && w->dest == NULL && w->in != -1 &&
	    (w->table != run.table ||
		now - w->idle > (int64_t)run.limit.idle * 1000)) {
		close_fd(&w->in);
	}
}

void
workers_check(void)
{
	static struct worker *now[WORKERS_MAX];
	size_t n = run.nworkers;

	memcpy(now, run.workers, n * sizeof(now[0]));
	for (size_t i = 0; i < n; i++)
		check_worker(now[i]);
	for (struct dest *d = run.dests; d != NULL; d = d->next)
		dest_dispatch(d);
	for (struct dest *d = run.dests; d != NULL; d = d->next)
		dest_wake(d);
}

void
workers_close_idle(void)
{
	for (size_t i = 0; i < run.nworkers; i++)
		if (run.workers[i]->dest == NULL && run.workers[i]->jobs &&
		    run.workers[i]->ntasks == 0)
			close_fd(&run.workers[i]->in);
}
