/*
 * The environment of filters and sinks, built from nothing: only what
 * mrecv itself vouches for.
 */
#include "io/conf.h"
#include "io/log.h"
#include "mail/received.h"
#include "mrecv.h"

const char *
protocol(const struct mrecv *m)
{
	return received_with(
	    m->lmtp, m->s.esmtp, m->tls[0] != '\0', m->by_login);
}

/* A line for each recipient; no parameter is offered yet. */
static void
set_rcpt_args(struct mrecv *m, struct env *e)
{
	static char lines[LIMIT_SMTP_RCPTS];
	size_t n = m->s.nrcpt - 1;

	memset(lines, '\n', n);
	env_set_lines(
	    e, "MAIL_RCPT_ARGS", (struct span){ lines, n }, sizeof(lines));
}

void
child_env(struct mrecv *m, struct env *e, const char *id)
{
	struct span rcpts = buf_span(&m->s.rcpts);

	env_init(e);
	env_copy(e, "TCP");
	env_copy(e, "SSL_");
	env_copy(e, "PROTO");
	env_copy(e, "IPC");
	env_setf(e, "MAIL_COMMITFD", "%d", COMMIT_FD);
	env_set(e, "MAIL_ID", span_of(id));
	env_set(e, "MAIL_CONN", span_of(m->conn));
	env_set(e, "MAIL_HELO", span_of(m->s.helo));
	env_set(e, "MAIL_AUTH", span_of(m->login));
	env_set(e, "MAIL_WITH", span_of(protocol(m)));
	env_set(
	    e, "MAIL_BODY", m->s.eightbit ? SPAN("8BITMIME") : SPAN("7BIT"));
	env_set(e, "MAIL_FROM", span_of(m->s.sender));
	rcpts.n--; /* no LF behind the last line */
	env_set_lines(e, "MAIL_RCPTS", rcpts, LIMIT_MAIL_RCPTS);
	set_rcpt_args(m, e);
}
