/* The process that runs what is in the queue of events. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/env.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/spawn.h"
#include "store/events.h"
#include "store/folder.h"

static const size_t line_max = 16384;

struct run {
	struct events *e;
	struct folder *folder; /* the one looked at last */
	char path[LIMIT_PATH + 300];
	struct buf text;   /* what was read of the queue, from `at` on */
	struct buf fields; /* of a line */
	off_t at;
};

/* The message as it lies in its folder; -1 when it has gone. */
static int
open_message(struct run *r, const struct event *ev)
{
	char path[sizeof(r->path)];
	size_t i;

	snprintf(path, sizeof(path), "%s%s%.*s", r->e->root,
	    ev->dir.n > 0 ? "/" : "", (int)ev->dir.n, ev->dir.p);
	if (r->folder != NULL &&
	    (strcmp(path, r->path) != 0 ||
		ev->uid >= folder_uidnext(r->folder))) {
		folder_close(r->folder);
		r->folder = NULL;
	}
	memcpy(r->path, path, sizeof(path));
	if (r->folder == NULL && folder_open(&r->folder, path, false) == -1) {
		r->folder = NULL;
		return -1;
	}
	i = folder_lower(r->folder, ev->uid);
	errno = ENOENT;
	if (folder_uidvalidity(r->folder) != ev->uidvalidity ||
	    i == folder_count(r->folder) ||
	    folder_msg(r->folder, i)->uid != ev->uid)
		return -1;
	return folder_open_msg(r->folder, i);
}

static void
set_env(struct env *env, const struct events *e, const struct event *ev)
{
	env_init(env);
	env_set(env, "MAIL_EVENT", span_of(event_name(ev->kind)));
	env_set_lines(env, "MAIL_BOX_FROM", ev->from, LIMIT_ENV_VALUE);
	env_set_lines(env, "MAIL_BOX_TO", ev->to, LIMIT_ENV_VALUE);
	env_setf(env, "MAIL_UID", "%lu", (unsigned long)ev->uid);
	env_setf(
	    env, "MAIL_UIDVALIDITY", "%lu", (unsigned long)ev->uidvalidity);
	env_set_lines(env, "MAIL_FLAGS", ev->flags, LIMIT_ENV_TOTAL);
	env_set_lines(env, "MAIL_CHANGED", ev->changed, LIMIT_ENV_TOTAL);
	env_set(env, "MAIL_USER", span_of(e->login));
}

/* False: to be tried again. */
static bool
run_rule(struct run *r, const struct event_rule *rule, const struct event *ev)
{
	struct spawn s = { .argv = rule->argv,
		.in = -1,
		.out = -1,
		.err = STDERR_FILENO,
		.group = true,
		.dir = r->e->root };
	struct env env;
	pid_t pid;
	int status;

	if (ev->kind != EVENT_EXPUNGED && (s.in = open_message(r, ev)) == -1)
		return errno == ENOENT; /* it has gone on: nothing to teach */
	set_env(&env, r->e, ev);
	s.envp = env_vector(&env);
	pid = spawn(&s);
	env_free(&env);
	fs_close(s.in);
	if (pid == -1) {
		log_error(rule->argv[0], NULL);
		return false;
	}
	status = spawn_wait(pid, true, deadline_in(TIME_EVENT));
	if (status == 0)
		return true;
	log_error(rule->argv[0], spawn_why(status));
	return spawn_verdict(status) != TEMP;
}

/* The state that the line gets. */
static char
run_line(struct run *r, struct span line)
{
	char state = *line.p;
	struct event ev;
	bool done = true;

	if (!events_parse(line, &ev, &r->fields))
		return '-'; /* torn by a power cut */
	for (const struct event_rule *k = r->e->rules; k != NULL; k = k->next)
		if (events_match(k, &ev) && !run_rule(r, k, &ev))
			done = false;
	if (done || state == '0' + EVENT_TRIES - 1)
		return '-';
	return state == '+' ? '1' : (char)(state + 1);
}

/* Lines that are whole; where the next one begins. */
static bool
run_text(struct run *r)
{
	struct span s = buf_span(&r->text);
	bool all = true;

	while (span_chr(s, '\n') < s.n) {
		off_t at = r->at + (off_t)(s.p - r->text.p);
		struct span line = span_cut(&s, '\n');
		char state = '-';

		if (line.n == 0 || *line.p == '-')
			continue;
		if (*line.p == '+' || is_digit(*line.p))
			state = run_line(r, line);
		if (pwrite(r->e->queue, &state, 1, at) != 1)
			log_error("events", NULL);
		all = all && state == '-';
	}
	r->at += (off_t)(r->text.n - s.n);
	return all;
}

/* 1: there is more; 0 the end; -1 an error. */
static int
read_more(struct run *r)
{
	ssize_t n;

	buf_clear(&r->text);
	if (buf_room(&r->text, r->text.max) == NULL)
		return -1;
	n = pread(r->e->queue, r->text.p, r->text.max, r->at);
	if (n <= 0)
		return (int)n;
	r->text.n = (size_t)n;
	return span_chr(buf_span(&r->text), '\n') < r->text.n ? 1 : 0;
}

/* An empty file is made of one in which all is done. */
static bool
finish(struct run *r, bool all)
{
	struct stat st;
	bool end = false;

	if (fs_lock(r->e->queue, true, deadline_in(TIME_EVENT)) == -1)
		return true;
	if (fstat(r->e->queue, &st) == -1 || st.st_size <= r->at) {
		end = true;
		if (all && ftruncate(r->e->queue, 0) == -1)
			log_error("events", NULL);
	}
	fs_unlock(r->e->queue);
	return end || read_more(r) != 1;
}

void
events_run(struct events *e)
{
	struct run r = { .e = e };
	bool all = true;
	int lock = openat(e->dir, "pneu.event-lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (lock == -1 || fs_lock(lock, true, deadline_in(TIME_EVENT)) == -1) {
		log_error("events", NULL);
		fs_close(lock);
		return;
	}
	buf_init(&r.text, line_max * 4);
	buf_init(&r.fields, line_max);
	do {
		while (read_more(&r) == 1)
			all = run_text(&r) && all;
	} while (!finish(&r, all));
	if (r.folder != NULL)
		folder_close(r.folder);
	buf_free(&r.text);
	buf_free(&r.fields);
	close(lock);
}
