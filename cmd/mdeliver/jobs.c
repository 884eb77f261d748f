/*
 * -J: jobs on standard input, results on standard output.  What waits is
 * taken together, so that a folder is synced once for many messages.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/in.h"
#include "io/out.h"
#include "mdeliver.h"
#include "queue/job.h"

struct taken {
	struct job job;
	struct source source;
	size_t first;        /* of its recipients in the batch */
	char why[TEXT_SIZE]; /* it can't be read */
};

static struct taken list[BATCH_JOBS];

static void
report(struct out *out, const struct batch *b, const struct taken *t)
{
	struct buf line = { .max = LIMIT_RESULT_LINE };

	for (size_t i = 0; i < t->job.nrcpts; i++) {
		const struct rcpt_state *r =
		    t->why[0] == '\0' ? &b->rcpts[t->first + i] : NULL;

		buf_clear(&line);
		result_put(&line, t->job.id, t->job.rcpts[i],
		    r == NULL ? "4.3.0" : r->code,
		    span_of(r == NULL ? t->why : r->text));
		out_put(out, buf_span(&line));
		/* a result is one write */
		if (out_flush(out) == -1)
			die_sys(EXIT_TEMP, "results");
	}
	buf_free(&line);
}

/* False: the line is no job. */
static bool
take(struct batch *b, struct taken *t, struct span line)
{
	struct span copy = arena_span(&b->arena, line);

	*t = (struct taken){ .source.fd = -1, .first = b->nrcpts };
	if (!job_parse(&b->arena, copy, &t->job))
		return false;
	if (source_open_queued(&t->source, t->job.file) == -1) {
		snprintf(t->why, sizeof(t->why), "%.200s: %s", t->job.file,
		    strerror(errno));
		return true;
	}
	for (size_t i = 0; i < t->job.nrcpts; i++)
		plan_add(b, &t->source, t->job.rcpts[i]);
	return true;
}

/* Whether a further line can be had without waiting. */
static bool
waiting(const struct in *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	return span_chr(in->data, '\n') < in->data.n ||
	    (!in->eof && poll(&p, 1, 0) == 1);
}

static void
warn_line(struct span line)
{
	char text[100];
	size_t n;

	for (n = 0; n < line.n && n < sizeof(text) - 1; n++)
		text[n] =
		    line.p[n] == '\t' || is_print(line.p[n]) ? line.p[n] : '?';
	text[n] = '\0';
	warn("not a job: %s", text);
}

/* Takes what waits: how many.  *r is that of the last in_line, -2: bad. */
static size_t
take_waiting(struct batch *b, struct in *in, struct span line, int *r)
{
	size_t n = 0;

	while (take(b, &list[n], line)) {
		if (++n == BATCH_JOBS || !waiting(in) ||
		    (*r = in_line(in, &line)) != 1)
			return n;
	}
	warn_line(line);
	*r = -2;
	return n;
}

int
jobs(void)
{
	static char ibuf[LIMIT_JOB_LINE], obuf[LIMIT_RESULT_LINE];
	struct span line;
	struct out out;
	struct in in;
	int r;

	in_init(&in, STDIN_FILENO, ibuf, sizeof(ibuf));
	out_init(&out, STDOUT_FILENO, obuf, sizeof(obuf));
	while ((r = in_line(&in, &line)) == 1) {
		struct batch b;
		size_t n;

		batch_init(&b);
		n = take_waiting(&b, &in, line, &r);
		if (b.nrcpts > 0)
			batch_run(&b);
		for (size_t i = 0; i < n; i++) {
			report(&out, &b, &list[i]);
			if (list[i].source.fd != -1)
				close(list[i].source.fd);
		}
		batch_free(&b);
		if (r != 1)
			break;
	}
	if (r == -1)
		die_sys(EXIT_TEMP, "jobs");
	return r == -2 ? EXIT_DATAERR : EXIT_OK;
}
