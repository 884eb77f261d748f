/*
 * What the sender asked for goes on with a message that is handed on: to
 * be guarded (RFC 8689, section 4.1), in time, and which reports (RFC 3461,
 * section 5.2.7.3, c).
 */
#include <stdlib.h>

#include "io/env.h"
#include "mdeliver.h"
#include "queue/envelope.h"

static const struct {
	const char *name, *variable;
} asked[] = { { "BODY", "MAIL_BODY" }, { "SMTPUTF8", "MAIL_SMTPUTF8" },
	{ "REQUIRETLS", "MAIL_REQUIRETLS" }, { "RET", "MAIL_RET" },
	{ "ENVID", "MAIL_ENVID" }, { "BY", "MAIL_BY" } };

enum { ASKED = sizeof(asked) / sizeof(asked[0]) };

/* NOTIFY without SUCCESS, which is answered here; what is left of
 * nothing else is NEVER. */
static void
put_notify(struct buf *b, struct span list)
{
	bool any = false;

	buf_puts(b, "NOTIFY=");
	while (list.n > 0) {
		struct span word = span_cut(&list, ',');

		if (span_iis(word, "SUCCESS"))
			continue;
		if (any)
			buf_putc(b, ',');
		buf_put(b, word);
		any = true;
	}
	if (!any)
		buf_puts(b, "NEVER");
}

static void
pass_rcpt(struct env *e, struct span args)
{
	struct buf b = { .max = 2 * LIMIT_ENV_VALUE };
	struct span v;

	if (envelope_arg(args, "NOTIFY", &v))
		put_notify(&b, v);
	if (envelope_arg(args, "ORCPT", &v)) {
		buf_puts(&b, b.n > 0 ? " ORCPT=" : "ORCPT=");
		buf_put(&b, v);
	}
	if (b.n > 0)
		env_set_lines(
		    e, "MAIL_RCPT_ARGS", buf_span(&b), LIMIT_MAIL_RCPTS);
	buf_free(&b);
}

static bool
pass_queued(struct env *e, const struct target *t)
{
	struct envelope env;
	struct arena a;
	bool ok;

	arena_init(&a, ENVELOPE_ARENA);
	ok = envelope_read(t->source->fd, &a, &env) == 0;
	for (size_t i = 0; ok && i < ASKED; i++) {
		struct span v;

		if (envelope_arg(env.args, asked[i].name, &v))
			ok = env_set(
			    e, asked[i].variable, v.n > 0 ? v : SPAN("1"));
	}
	for (size_t i = 0; ok && i < env.nrcpts; i++)
		if (span_eq(env.rcpts[i].address, span_of(t->address))) {
			pass_rcpt(e, env.rcpts[i].args);
			break;
		}
	arena_free(&a);
	return ok;
}

/* Called by the contract of transports: it is in our environment. */
static bool
pass_ours(struct env *e, const struct target *t)
{
	struct span lines = span_of(getenv("MAIL_RCPT_ARGS"));

	for (size_t i = 0; i < ASKED; i++) {
		const char *v = getenv(asked[i].variable);

		if (v != NULL && *v != '\0' &&
		    !env_set(e, asked[i].variable, span_of(v)))
			return false;
	}
	for (size_t i = 0; lines.n > 0 && i < t->rcpt; i++)
		span_cut(&lines, '\n');
	if (lines.n > 0)
		pass_rcpt(e, span_cut(&lines, '\n'));
	return true;
}

bool
asks_pass(struct env *e, const struct target *t)
{
	return t->source->id[0] != '\0' ? pass_queued(e, t) : pass_ours(e, t);
}
