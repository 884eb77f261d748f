#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/enc.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/spawn.h"
#include "message.h"

enum {
	RESULTS_MAX = 65536,
	ABORT_TIME = 5,
	FIXED_ARGS = 4 /* -f SENDER -- and the NULL */
};

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* -f SENDER -- RCPT..., behind the words of the command */
static char **
arguments(struct sink *s, struct mrecv *m)
{
	static char *argv[FIXED_ARGS + LIMIT_SMTP_RCPTS];
	static char text[LIMIT_MAIL_RCPTS];
	static char f[] = "-f", minus[] = "--";
	struct span left = buf_span(&m->s.rcpts);
	size_t n = 0, at = 0;

	argv[n++] = f;
	argv[n++] = m->s.sender;
	argv[n++] = minus;
	for (s->nrcpt = 0; left.n > 0; s->nrcpt++) {
		struct span r = span_cut(&left, '\n');

		memcpy(text + at, r.p, r.n);
		text[at + r.n] = '\0';
		s->rcpt[s->nrcpt] = (struct span){ text + at, r.n };
		argv[n++] = text + at;
		at += r.n + 1;
	}
	argv[n] = NULL;
	return argv;
}

static void
reset(struct sink *s)
{
	s->pid = 0;
	s->in = s->out = s->commit = -1;
	s->n = s->nline = s->next = 0;
	s->cut = false;
	memset(s->result, 0, sizeof(s->result));
	s->results.max = RESULTS_MAX;
	buf_clear(&s->results);
	buf_putc(&s->results, '\0'); /* offset 0 is none */
}

int
sink_start(struct sink *s, struct mrecv *m, char *const *envp, int input)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, commit[2] = { -1, -1 };
	struct spawn c = {
		.envp = envp, .err = -1, .keep_to = { COMMIT_FD }, .nkeep = 1
	};
	int err;

	reset(s);
	s->patience = (int64_t)limit_of(MRECV_SINK_TIME);
	if (spawn_pipe(in) == 0 && spawn_pipe(out) == 0 &&
	    spawn_pipe(commit) == 0) {
		c.in = input != -1 ? input : in[0];
		c.out = out[1];
		c.keep_from[0] = commit[0];
		s->pid = command_start(m->nfilters, &c, arguments(s, m));
	}
	err = errno;
	shut(&in[0]);
	shut(&out[1]);
	shut(&commit[0]);
	if (input != -1)
		shut(&in[1]);
	s->in = in[1];
	s->out = out[0];
	s->commit = commit[1];
	if (s->pid > 0 && (s->in == -1 || fs_nonblock(s->in, true) == 0))
		return 0;
	sink_abort(s);
	errno = err;
	return -1;
}

/* The recipient a result line is about; nrcpt when it is none of ours. */
static size_t
find_rcpt(const struct sink *s, struct span name)
{
	for (size_t k = 0; k < s->nrcpt; k++) {
		size_t i = (s->next + k) % s->nrcpt;

		if (span_eq(s->rcpt[i], name))
			return i;
	}
	return s->nrcpt;
}

/* Undo %XX, where it is that. */
static struct span
plain(struct span v, char *room, size_t size)
{
	struct buf b = { room, 0, size, size - 1, false };

	return dec_pct(&b, v) ? buf_span(&b) : v;
}

/* RCPT <tab> CODE <tab> TEXT; what is not that is for the log. */
static void
end_line(struct sink *s)
{
	char a[LIMIT_RESULT_LINE + 1], b[LIMIT_RESULT_LINE + 1];
	struct span line = { s->line, s->nline }, left = line;
	struct span name = span_cut(&left, '\t'), code = span_cut(&left, '\t');
	size_t i = find_rcpt(s, name);
	struct logline l;

	s->nline = 0;
	if (i == s->nrcpt)
		i = find_rcpt(s, plain(name, a, sizeof(a)));
	if (i < s->nrcpt && code.n >= 5 && is_digit(code.p[0])) {
		size_t at = s->results.n;

		left = plain(left, b, sizeof(b));
		buf_put(&s->results, code);
		buf_putc(&s->results, ' ');
		buf_put(&s->results, left);
		buf_putc(&s->results, '\0');
		if (s->results.over)
			return;
		s->result[i] = (uint32_t)at;
		s->next = i + 1;
		return;
	}
	if (span_is(line, msg.id))
		return; /* mqueue add tells the id that it was given */
	log_begin(&l, "sink");
	log_str(&l, "id", msg.id);
	log_span(&l, "text", line);
	log_end(&l);
}

static void
read_out(struct sink *s)
{
	char piece[4096];
	ssize_t n = read(s->out, piece, sizeof(piece));

	if (n <= 0) {
		if (s->nline > 0)
			end_line(s);
		shut(&s->out);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (piece[i] == '\n')
			end_line(s);
		else if (s->nline < sizeof(s->line))
			s->line[s->nline++] = piece[i];
}

/* Wait until it reads more, or says something.  False at the deadline. */
static bool
wait_for(struct sink *s, int64_t deadline)
{
	struct pollfd p[2] = { { s->in, POLLOUT, 0 }, { s->out, POLLIN, 0 } };
	int r;

	do
		r = poll(p, 2, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	if (r > 0 && p[1].revents != 0)
		read_out(s);
	return r > 0;
}

/* What it has is not the message: it must not store that. */
static void
cut_off(struct sink *s)
{
	s->cut = true;
	shut(&s->commit);
	shut(&s->in);
}

/* Write what is buffered. */
static void
push(struct sink *s)
{
	int64_t deadline = deadline_in(s->patience);
	struct span data = { s->buf, s->n };

	while (data.n > 0 && s->in != -1) {
		ssize_t n = write(s->in, data.p, data.n);

		if (n > 0)
			span_take(&data, (size_t)n);
		else if (errno == EINTR)
			continue;
		else if (errno != EAGAIN)
			shut(&s->in); /* its end will tell why */
		else if (!wait_for(s, deadline))
			cut_off(s);
	}
	s->n = 0;
}

void
sink_write(struct sink *s, struct span data)
{
	while (data.n > 0) {
		size_t room = sizeof(s->buf) - s->n;
		struct span part =
		    span_take(&data, data.n < room ? data.n : room);

		memcpy(s->buf + s->n, part.p, part.n);
		s->n += part.n;
		if (s->n == sizeof(s->buf))
			push(s);
	}
}

void
sink_end(struct sink *s)
{
	int64_t deadline = deadline_in(s->patience);

	push(s);
	shut(&s->in);
	/* one that has gone says why by its status */
	if (s->commit == -1 || write(s->commit, "y", 1) == -1)
		errno = 0;
	shut(&s->commit);
	while (s->out != -1 && wait_for(s, deadline))
		continue;
	shut(&s->out);
	s->status = command_wait(s->pid, deadline);
	s->pid = 0;
}

void
sink_abort(struct sink *s)
{
	shut(&s->commit);
	shut(&s->in);
	shut(&s->out);
	if (s->pid > 0)
		s->status = command_wait(s->pid, deadline_in(ABORT_TIME));
	s->pid = 0;
}

enum verdict
sink_verdict(const struct sink *s, size_t i, char *text)
{
	struct span said = { s->results.p + s->result[i], 0 };
	enum verdict v = spawn_verdict(s->status);

	text[0] = '\0';
	if (s->cut)
		return TEMP;
	said.n = strlen(said.p);
	if (said.n == 0)
		return v;
	v = *said.p == '2' ? OK : *said.p == '5' ? PERM : TEMP;
	if (v == OK || *said.p == '4' || *said.p == '5')
		take_reply_text(said, *said.p, text, LIMIT_REPLY_TEXT + 1);
	return v;
}
