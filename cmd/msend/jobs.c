#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/in.h"
#include "io/out.h"
#include "mail/addr.h"
#include "msend.h"
#include "queue/envelope.h"
#include "queue/job.h"

static struct smtpc_rcpt rcpts[LIMIT_JOB_RCPTS];

static struct span
args_of(const struct envelope *e, struct span address)
{
	for (size_t i = 0; i < e->nrcpts; i++)
		if (span_eq(e->rcpts[i].address, address))
			return e->rcpts[i].args;
	return SPAN("");
}

static void
refuse(struct smtpc_rcpt *r, const char *code, const char *why)
{
	struct smtpc_mail one = { .rcpts = r, .nrcpts = 1 };

	smtpc_decide(&one, PERM, code, why);
}

/* Send one job; every recipient has a result afterwards. */
static void
send_job(const struct job *j, struct arena *a)
{
	struct smtpc_mail all = { .rcpts = rcpts, .nrcpts = j->nrcpts };
	struct message m = { .id = j->id, .fd = job_open(j->file) };
	struct envelope e = { 0 };
	char why[WHY_SIZE];

	memset(rcpts, 0, j->nrcpts * sizeof(rcpts[0]));
	for (size_t i = 0; i < j->nrcpts; i++) {
		rcpts[i].address = j->rcpts[i];
		if (!addr_valid(j->rcpts[i]))
			refuse(&rcpts[i], "5.1.3", "not an address");
	}
	if (m.fd == -1 || envelope_read(m.fd, a, &e) == -1) {
		snprintf(
		    why, sizeof(why), "%.200s: %s", j->file, strerror(errno));
		smtpc_decide(&all, TEMP, "4.3.0", why);
	} else {
		for (size_t i = 0; i < j->nrcpts; i++)
			rcpts[i].args = args_of(&e, j->rcpts[i]);
		m.at = (off_t)e.message_at;
		m.sender = e.sender;
		m.args = e.args;
		message_asks(&m);
		if (m.sender.n > 0 && !addr_valid(m.sender))
			smtpc_decide(&all, PERM, "5.1.7", "not an address");
		else if (message_measure(&m) == -1)
			smtpc_decide(&all, TEMP, "4.3.0", strerror(errno));
		else
			send_all(&m, rcpts, j->nrcpts);
	}
	if (m.fd != -1)
		close(m.fd);
}

static void
put(struct buf *b)
{
	if (write_all(STDOUT_FILENO, b->p, b->n, DEADLINE_NEVER) == -1)
		die_sys(EXIT_TEMP, "results");
	buf_clear(b);
}

static void
report(const struct job *j)
{
	struct span dialogue = session_transcript();
	struct buf b = { .max = LIMIT_RESULT_LINE };

	while (dialogue.n > 0) {
		remark_put(&b, j->id, span_cut(&dialogue, '\n'));
		put(&b);
	}
	for (size_t i = 0; i < j->nrcpts; i++) {
		result_put(&b, j->id, rcpts[i].address, rcpts[i].code,
		    span_of(rcpts[i].text));
		put(&b);
	}
	buf_free(&b);
}

/* A session with nothing to send is closed after a while. */
static void
wait_for_job(const struct in *in)
{
	if (session_open() && span_chr(in->data, '\n') == in->data.n &&
	    deadline_wait(in->fd, POLLIN, deadline_in(TIME_SEND_IDLE)) == -1)
		session_close();
}

int
jobs(void)
{
	static char buf[LIMIT_JOB_LINE];
	struct arena a;
	struct span line;
	struct in in;
	struct job j;
	int r;

	in_init(&in, STDIN_FILENO, buf, sizeof(buf));
	arena_init(&a, ENVELOPE_ARENA + 4 * LIMIT_JOB_LINE);
	for (;;) {
		struct arena_mark mark = arena_mark(&a);

		wait_for_job(&in);
		r = in_line(&in, &line);
		if (r != 1)
			break;
		if (!job_parse(&a, arena_span(&a, line), &j))
			die(EXIT_DATAERR, "not a job: %.*s",
			    (int)(line.n < 100 ? line.n : 100), line.p);
		send_job(&j, &a);
		report(&j);
		arena_release(&a, mark);
	}
	if (r == -1)
		die_sys(EXIT_TEMP, "jobs");
	session_close();
	return EXIT_OK;
}
