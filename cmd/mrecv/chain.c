#include "chain.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/spawn.h"

enum { FDS_A_LINK = 3 };

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
shut_link(struct link *l)
{
	shut(&l->in);
	shut(&l->out);
	shut(&l->err);
	shut(&l->commit);
}

void
chain_abort(struct chain *c)
{
	int err = errno;

	for (size_t i = 0; i < c->n; i++) {
		struct link *l = &c->link[i];

		if (l->pid > 0)
			command_kill(l->pid);
		l->pid = 0;
		shut_link(l);
	}
	c->n = 0;
	errno = err;
}

/* Pipe ends in the order they are used: read ours, write theirs. */
static int
make_pipes(int in[2], int out[2], int err[2], int commit[2])
{
	int *all[] = { in, out, err, commit };

	for (size_t i = 0; i < 4; i++)
		all[i][0] = all[i][1] = -1;
	for (size_t i = 0; i < 4; i++)
		if (spawn_pipe(all[i]) == -1)
			return -1;
	return 0;
}

static int
start_link(struct link *l, char *const *envp, int input)
{
	int in[2], out[2], err[2], commit[2], r, saved;
	struct spawn s = { .envp = envp, .keep_to = { COMMIT_FD }, .nkeep = 1 };

	r = make_pipes(in, out, err, commit);
	if (r == 0) {
		s.in = input != -1 ? input : in[0];
		s.out = out[1];
		s.err = err[1];
		s.keep_from[0] = commit[0];
		l->pid = command_start(l->stage->number, &s, NULL);
		r = l->pid == -1 ? -1 : 0;
	}
	saved = errno;
	shut(&in[0]);
	shut(&out[1]);
	shut(&err[1]);
	shut(&commit[0]);
	if (input != -1)
		shut(&in[1]);
	l->in = in[1];
	l->out = out[0];
	l->err = err[0];
	l->commit = commit[1];
	if (l->in != -1)
		fs_nonblock(l->in, true);
	errno = saved;
	return r;
}

int
chain_start(struct chain *c, const struct stage *f, size_t n, char *const *envp,
    int input, struct out *spool, int64_t patience)
{
	c->n = 0;
	c->spool = spool;
	c->patience = patience;
	c->stuck = false;
	for (size_t i = 0; i < n; i++) {
		struct link *l = &c->link[c->n++];

		*l = (struct link){ .stage = &f[i] };
		if (start_link(l, envp, i == 0 ? input : -1) == -1) {
			if (l->pid == -1)
				l->pid = 0;
			chain_abort(c);
			return -1;
		}
	}
	return 0;
}

/* A header begins with a field: a name without blanks, and a colon. */
static void
look_for_header(struct link *l, struct span s)
{
	for (size_t i = 0; i < s.n && l->header == HEADER_UNKNOWN; i++) {
		if (s.p[i] == ':')
			l->header = HEADER_YES;
		else if (!is_print(s.p[i]) || s.p[i] == ' ')
			l->header = HEADER_NO;
	}
}

/* Lines that are an answer to us; the others are for the log. */
static bool
is_answer(struct span s)
{
	return span_starts(s, "hold: ") ||
	    (s.n > 2 && is_digit(s.p[0]) && s.p[1] == '.');
}

static void
end_line(struct link *l)
{
	struct span s = { l->line, l->nline };
	char text[LINE_BUF + 1];

	l->nline = 0;
	if (s.n == 0)
		return;
	memcpy(l->last, s.p, s.n);
	l->nlast = s.n;
	if (is_answer(s))
		return;
	for (size_t i = 0; i < s.n; i++)
		text[i] = is_print(s.p[i]) ? s.p[i] : '?';
	text[s.n] = '\n';
	if (write(STDERR_FILENO, text, s.n + 1) == -1)
		return; /* nobody listens */
}

static void
read_err(struct link *l)
{
	char piece[LINE_BUF];
	ssize_t n = read(l->err, piece, sizeof(piece));

	if (n <= 0) {
		end_line(l);
		shut(&l->err);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (piece[i] == '\n')
			end_line(l);
		else if (l->nline < sizeof(l->line))
			l->line[l->nline++] = piece[i];
}

/* What the end of its input means to a link. */
static void
check_eof(struct link *l)
{
	if (l->eof && l->n == 0)
		shut(&l->in);
}

static void
read_out(struct chain *c, struct link *l, struct link *next)
{
	char waste[LINK_BUF];
	bool relay = next != NULL && next->in != -1;
	char *to = relay ? next->buf + next->n : waste;
	size_t room = relay ? sizeof(next->buf) - next->n : sizeof(waste);
	ssize_t n = read(l->out, to, room);

	if (n > 0) {
		look_for_header(l, (struct span){ to, (size_t)n });
		if (relay)
			next->n += (size_t)n;
		else if (next == NULL)
			out_put(c->spool, (struct span){ to, (size_t)n });
	} else if (n == 0 || errno != EINTR) {
		shut(&l->out);
		if (next != NULL) {
			next->eof = true;
			check_eof(next);
		}
	}
}

static void
write_in(struct link *l)
{
	ssize_t n = write(l->in, l->buf, l->n);

	if (n > 0) {
		l->n -= (size_t)n;
		memmove(l->buf, l->buf + n, l->n);
	} else if (errno != EAGAIN && errno != EINTR) {
		l->n = 0; /* it has read enough */
		shut(&l->in);
	}
	check_eof(l);
}

/* Move what can be moved.  False when nothing can before the deadline. */
static bool
pump(struct chain *c, int64_t deadline)
{
	struct pollfd p[MRECV_STAGES * FDS_A_LINK];
	int r;

	for (size_t i = 0; i < c->n; i++) {
		struct link *l = &c->link[i], *next = l + 1;
		struct pollfd *q = p + i * FDS_A_LINK;
		bool full = i + 1 < c->n && next->in != -1 &&
		    next->n == sizeof(next->buf);

		q[0] = (struct pollfd){ l->n > 0 ? l->in : -1, POLLOUT, 0 };
		q[1] = (struct pollfd){ full ? -1 : l->out, POLLIN, 0 };
		q[2] = (struct pollfd){ l->err, POLLIN, 0 };
	}
	do
		r = poll(p, c->n * FDS_A_LINK, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	if (r <= 0)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		struct link *l = &c->link[i];
		struct pollfd *q = p + i * FDS_A_LINK;

		if (q[0].revents != 0)
			write_in(l);
		if (q[1].revents != 0)
			read_out(c, l, i + 1 < c->n ? l + 1 : NULL);
		if (q[2].revents != 0)
			read_err(l);
	}
	return true;
}

void
chain_write(struct chain *c, struct span s)
{
	struct link *l = &c->link[0];
	int64_t deadline = 0;

	while (s.n > 0 && l->in != -1 && !c->stuck) {
		size_t room = sizeof(l->buf) - l->n;
		struct span part = span_take(&s, s.n < room ? s.n : room);

		memcpy(l->buf + l->n, part.p, part.n);
		l->n += part.n;
		if (l->n < sizeof(l->buf))
			break;
		if (deadline == 0 || part.n > 0)
			deadline = deadline_in(c->patience);
		c->stuck = !pump(c, deadline);
	}
}

static bool
running(const struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->link[i].out != -1 || c->link[i].err != -1)
			return true;
	return false;
}

void
take_reply_text(struct span line, char cls, char *to, size_t size)
{
	to[0] = '\0';
	if (line.n < 5 || line.n >= size || line.p[0] != cls ||
	    line.p[1] != '.' || !is_digit(line.p[2]))
		return;
	for (size_t i = 0; i < line.n; i++)
		if (!is_print(line.p[i]))
			return;
	memcpy(to, line.p, line.n);
	to[line.n] = '\0';
}

/* Why to hold it: printable, and never empty. */
static void
take_reason(struct span why, struct outcome *o)
{
	if (why.n == 0)
		why = span_of(o->what);
	if (why.n >= sizeof(o->hold))
		why.n = sizeof(o->hold) - 1;
	for (size_t i = 0; i < why.n; i++)
		o->hold[i] = is_print(why.p[i]) ? why.p[i] : '?';
	o->hold[why.n] = '\0';
}

/*
 * A permanent status alone may be a broken set-up: it refuses for good
 * only together with words that begin with a 5.x.x code.
 */
static void
judge(const struct link *l, int status, struct outcome *o)
{
	struct span last = { l->last, l->nlast };

	o->what = l->stage->name;
	o->verdict = spawn_verdict(status);
	snprintf(o->why, sizeof(o->why), "%s", spawn_why(status));
	if (spawn_dropped(status)) {
		o->drop = true;
	} else if (o->verdict == OK && l->header != HEADER_YES) {
		o->verdict = TEMP;
		snprintf(o->why, sizeof(o->why), "wrote no message");
	} else if (o->verdict == OK && span_starts(last, "hold: ")) {
		span_take(&last, strlen("hold: "));
		take_reason(last, o);
	} else if (o->verdict == PERM && last.n > 2 && last.p[0] == '5' &&
	    last.p[1] == '.') {
		take_reply_text(last, '5', o->text, LIMIT_REPLY_TEXT + 1);
	} else if (o->verdict != OK) {
		o->verdict = TEMP;
		take_reply_text(last, '4', o->text, LIMIT_REPLY_TEXT + 1);
	}
}

/* Stuck, and something that was on its way is not where it should be. */
static bool
is_cut(const struct chain *c)
{
	bool cut = false;

	for (size_t i = 0; c->stuck && i < c->n; i++)
		cut = cut || c->link[i].out != -1 || c->link[i].n > 0;
	return cut;
}

void
chain_end(struct chain *c, struct outcome *o)
{
	int64_t deadline = deadline_in(c->patience);
	bool cut;

	*o = (struct outcome){ .verdict = OK };
	for (size_t i = 0; i < c->n; i++)
		if (c->link[i].commit == -1 ||
		    write(c->link[i].commit, "y", 1) != -1)
			shut(&c->link[i].commit);
	c->link[0].eof = true;
	check_eof(&c->link[0]);
	while (running(c) && !c->stuck)
		c->stuck = !pump(c, deadline);
	if (c->stuck)
		deadline = 0;
	cut = is_cut(c);
	for (size_t i = 0; i < c->n; i++) {
		struct link *l = &c->link[i];
		int status = command_wait(l->pid, deadline);

		l->pid = 0;
		if (o->verdict == OK && !o->drop) {
			judge(l, status, o);
			if (cut && o->verdict == OK && !o->drop)
				o->verdict = TEMP;
			if (c->stuck && o->verdict != OK)
				snprintf(o->why, sizeof(o->why), "timeout");
		}
	}
	chain_abort(c);
}
