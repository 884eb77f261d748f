/*
 * The environment of filters and sinks, built from nothing: only what
 * mrecv itself vouches for.
 */
#include "io/conf.h"
#include "io/log.h"
#include "mail/received.h"
#include "mrecv.h"
#include "queue/envelope.h"

const char *
protocol(const struct mrecv *m)
{
	return received_with(
	    m->lmtp, m->s.esmtp, m->s.utf8, m->tls[0] != '\0', m->by_login);
}

/* What the sender asked of the queue; only what was given is there. */
static void
set_mail_args(struct mrecv *m, struct env *e)
{
	static const struct {
		const char *arg, *name;
	} all[] = { { "SMTPUTF8", "MAIL_SMTPUTF8" }, { "RET", "MAIL_RET" },
		{ "ENVID", "MAIL_ENVID" }, { "BY", "MAIL_BY" },
		{ "REQUIRETLS", "MAIL_REQUIRETLS" },
		{ "HOLDUNTIL", "MAIL_HOLDUNTIL" } };
	struct span v;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (envelope_arg(span_of(m->s.mail_args), all[i].arg, &v))
			env_set(e, all[i].name, v.n > 0 ? v : SPAN("1"));
}

void
child_env(struct mrecv *m, struct env *e, const char *id)
{
	struct span rcpts = buf_span(&m->s.rcpts);
	struct span args = buf_span(&m->s.rcpt_args);

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
	env_set_lines(
	    e, "MAIL_FROM", span_of(m->s.sender), sizeof(m->s.sender));
	rcpts.n--; /* no LF behind the last line */
	env_set_lines(e, "MAIL_RCPTS", rcpts, LIMIT_MAIL_RCPTS);
	args.n--;
	env_set_lines(e, "MAIL_RCPT_ARGS", args, LIMIT_RCPT_ARGS);
	set_mail_args(m, e);
}
