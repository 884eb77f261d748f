/*
 * Results of a task, and the end of a message.
 */
#include "run.h"

#include <errno.h>

#include "io/deadline.h"
#include "io/log.h"

void
active_end(struct active *a)
{
	struct active **p = &run.active;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	run.nactive--;
	attempt_finish(&a->at, 0);
	if (!a->at.m.leased)
		schedule_push(&run.schedule, a->at.m.due, a->at.m.id);
	attempt_close(&a->at);
	free(a);
}

static void
answer(struct task *t, size_t i, struct span code, struct span text)
{
	const struct route *r = t->dest->route;

	t->answered++;
	if (*code.p == '4') {
		t->failed++;
		t->code = arena_span(&t->active->at.arena, code);
		if (t->failed == t->nrcpts)
			snprintf(t->dest->why, sizeof(t->dest->why), "%.*s",
			    text.n > 150 ? 150 : (int)text.n, text.p);
	}
	attempt_result(
	    &t->active->at, t->rcpts[i], r->text, !r->send, code, text);
}

void
task_result(struct task *t, const struct result *r)
{
	struct attempt *at = &t->active->at;

	if (r->remark) {
		attempt_remark(at, r->text);
		return;
	}
	for (size_t i = 0; i < t->nrcpts; i++) {
		uint32_t k = t->rcpts[i];

		if (at->outcome[k].code.n == 0 &&
		    span_eq(at->e.rcpts[k].address, r->rcpt)) {
			answer(t, i, r->code, r->text);
			return;
		}
	}
	log_error("a result for nobody", at->m.id);
}

void
task_end(struct task *t, const char *code, const char *why)
{
	struct attempt *at = &t->active->at;
	struct active *a = t->active;
	struct dest *d = t->dest;

	for (size_t i = 0; i < t->nrcpts; i++)
		if (at->outcome[t->rcpts[i]].code.n == 0)
			answer(t, i, span_of(code), span_of(why));
	/* nobody there: leave the host alone for a while */
	if (t->failed == t->nrcpts && span_starts(t->code, "4.4."))
		d->until = unix_now() + retry.first;
	else
		d->until = 0;
	d->tasks--;
	free(t->rcpts);
	free(t);
	if (--a->tasks == 0)
		active_end(a);
}
