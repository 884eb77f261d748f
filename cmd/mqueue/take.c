/*
 * Hand out a message: look, lease, and make tasks of its recipients.
 */
#include "run.h"

#include <errno.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/log.h"
#include "mail/addr.h"
#include "mail/idn.h"

enum { TASK_BYTES = 24000, IN_TASK = -2 };

static struct dest *
find_dest(uint32_t number, struct span domain)
{
	const struct route *r = &run.table->routes.v[number];
	char name[LIMIT_DOMAIN + 1];
	struct buf ascii = { .max = LIMIT_DOMAIN };
	struct dest *d;

	if (idn_to_ascii(&ascii, domain))
		domain = buf_span(&ascii);
	if (!r->by_domain || !span_cstr(domain, name, sizeof(name)))
		name[0] = '\0';
	buf_free(&ascii);
	for (d = run.dests; d != NULL; d = d->next)
		if (d->table == run.table && d->number == number &&
		    strcmp(d->domain, name) == 0)
			return d;
	d = die_calloc(1, sizeof(*d));
	snprintf(d->domain, sizeof(d->domain), "%s", name);
	d->table = run.table;
	d->table->users++;
	d->number = number;
	d->route = r;
	d->last = &d->first;
	d->next = run.dests;
	run.dests = d;
	return d;
}

static void
wait_at(struct dest *d, const char *id)
{
	if (d->head + d->nwaiting == d->cap) {
		if (d->head > d->nwaiting) {
			memmove(d->waiting, d->waiting + d->head,
			    d->nwaiting * MAIL_ID_LEN);
			d->head = 0;
		} else {
			d->cap = d->cap == 0 ? 64 : 2 * d->cap;
			d->waiting = realloc(d->waiting, d->cap * MAIL_ID_LEN);
			if (d->waiting == NULL)
				die_memory();
		}
	}
	memcpy(d->waiting[d->head + d->nwaiting++], id, MAIL_ID_LEN);
}

void
dest_wake(struct dest *d)
{
	while (d->nwaiting > 0 && d->tasks < DEST_TASKS &&
	    run.nactive < ACTIVE_MAX && !run.stopping) {
		char id[MAIL_ID_LEN + 1];

		memcpy(id, d->waiting[d->head++], MAIL_ID_LEN);
		id[MAIL_ID_LEN] = '\0';
		if (--d->nwaiting == 0)
			d->head = 0;
		take_message(id);
	}
}

void
dests_forgive(void)
{
	for (struct dest *d = run.dests; d != NULL; d = d->next)
		d->until = 0;
}

static bool
dest_useless(const struct dest *d, int64_t now)
{
	return d->tasks == 0 && d->workers == 0 && d->nwaiting == 0 &&
	    (d->until <= now || d->table != run.table);
}

void
dests_clean(void)
{
	int64_t now = unix_now();
	struct dest **p = &run.dests, *d;

	while ((d = *p) != NULL) {
		if (!dest_useless(d, now)) {
			p = &d->next;
			continue;
		}
		*p = d->next;
		link_leave_table(d->table);
		free(d->waiting);
		free(d);
	}
}

/* One task for as many of the recipients of a destination as fit. */
static void
make_task(struct active *a, struct dest *d, struct dest **dests, int *number)
{
	struct task *t = calloc(1, sizeof(*t));
	size_t bytes = 0;

	if (t == NULL ||
	    (t->rcpts = calloc(LIMIT_JOB_RCPTS, sizeof(uint32_t))) == NULL)
		die_memory();
	for (size_t i = 0; i < a->at.e.nrcpts; i++) {
		const struct envelope_rcpt *r = &a->at.e.rcpts[i];

		if (dests[i] != d || number[i] == IN_TASK)
			continue;
		bytes += r->address.n + r->args.n;
		if (t->nrcpts == LIMIT_JOB_RCPTS ||
		    (t->nrcpts > 0 && bytes > TASK_BYTES))
			break;
		t->rcpts[t->nrcpts++] = (uint32_t)i;
		number[i] = IN_TASK;
	}
	t->active = a;
	t->dest = d;
	*d->last = t;
	d->last = &t->next;
	d->tasks++;
	a->tasks++;
}

static void
no_route(struct attempt *at, size_t i, int number)
{
	char why[80];

	if (number == -1)
		snprintf(why, sizeof(why), "no route");
	else
		snprintf(why, sizeof(why), "routes:%u: not a route",
		    run.table->routes.v[number].line);
	attempt_result(at, i, "-", false, SPAN("4.3.5"), span_of(why));
}

/*
 * The destination of every open recipient; none for one that has no route
 * (number says why).
 */
static void
choose(struct attempt *at, struct dest **dests, int *number)
{
	for (size_t i = 0; i < at->e.nrcpts; i++) {
		struct span local, domain = SPAN("");
		struct pattern_facts f =
		    facts_of(&at->e, at->e.rcpts[i].address);

		if (at->e.rcpts[i].mark != MARK_TO)
			continue;
		number[i] = routes_find(&run.table->routes, &f);
		if (number[i] == -1 ||
		    run.table->routes.v[number[i]].argv == NULL)
			continue;
		if (!addr_split(f.to, &local, &domain))
			domain = SPAN("");
		dests[i] = find_dest((uint32_t)number[i], domain);
	}
}

/* Whether all that is left to do is for hosts that are failing. */
static int64_t
failing_until(const struct attempt *at, struct dest **dests)
{
	int64_t now = unix_now(), first = 0;
	struct deliver_by by;

	if (attempt_late(at, now))
		return 0;
	for (size_t i = 0; i < at->e.nrcpts; i++) {
		if (at->e.rcpts[i].mark == MARK_NO ||
		    (at->e.rcpts[i].mark == MARK_TO &&
			(dests[i] == NULL || dests[i]->until <= now)))
			return 0;
		if (at->e.rcpts[i].mark == MARK_TO &&
		    (first == 0 || dests[i]->until < first))
			first = dests[i]->until;
	}
	if (envelope_deliver_by(at->e.args, &by) && by.at > now &&
	    by.at < first)
		first = by.at;
	return now - envelope_since(&at->e) >= retry.lifetime ? 0 : first;
}

static void
hand_out(struct active *a, struct dest **dests, int *number)
{
	int64_t now = unix_now();
	bool late = attempt_overdue(&a->at, now);

	a->next = run.active;
	run.active = a;
	run.nactive++;
	a->tasks = 1; /* keep it until all are made */
	for (size_t i = 0; i < a->at.e.nrcpts; i++) {
		struct dest *d = dests[i];

		if (a->at.e.rcpts[i].mark != MARK_TO)
			continue;
		if (number[i] == IN_TASK)
			continue;
		if (late)
			attempt_return(&a->at, i);
		else if (d == NULL)
			no_route(&a->at, i, number[i]);
		else if (d->until > now)
			attempt_result(&a->at, i, d->route->text, false,
			    SPAN("4.4.1"), span_of(d->why));
		else
			make_task(a, d, dests, number);
	}
	for (size_t i = 0; i < a->at.e.nrcpts; i++)
		if (dests[i] != NULL && !late)
			dest_dispatch(dests[i]);
	if (--a->tasks == 0)
		active_end(a);
}

/* False: it was held, or can't be read now. */
static bool
size_agrees(struct attempt *at)
{
	uint64_t size;

	/* what was accepted while we ran was not cut by a crash */
	if (at->e.received >= run.started)
		return true;
	if (queued_measure(&at->m, at->e.message_at, &size) == -1) {
		log_error(at->m.id, NULL);
		return false;
	}
	if (size == at->e.size)
		return true;
	attempt_hold(at->m.id, "the size disagrees");
	return false;
}

/* Not now: all its hosts are failing, or one has enough to do. */
static bool
put_off(struct attempt *at, struct dest **dests)
{
	int64_t until = failing_until(at, dests), now = unix_now();

	if (until > now) {
		if (queued_lease(&at->m, now, until, schedule_horizon(&retry),
			false, false) == 0 &&
		    queued_put_back(&at->m, until) == 0)
			schedule_push(&run.schedule, until, at->m.id);
		return true;
	}
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (dests[i] != NULL && dests[i]->tasks >= DEST_TASKS) {
			wait_at(dests[i], at->m.id);
			return true;
		}
	return false;
}

static bool
begin(struct active *a)
{
	size_t n = a->at.e.nrcpts + 1;
	struct dest **dests = arena_alloc(&a->at.arena, n * sizeof(*dests));
	int *number = arena_alloc(&a->at.arena, n * sizeof(*number));
	int64_t now = unix_now();

	if (!size_agrees(&a->at))
		return false;
	choose(&a->at, dests, number);
	if (put_off(&a->at, dests) ||
	    queued_lease(&a->at.m, now, now + LEASE_RUN,
		schedule_horizon(&retry), false, false) == -1)
		return false;
	hand_out(a, dests, number);
	return true;
}

/* Sent for the future, and nobody made it due (its time is further off
 * than any that we set). */
static bool
is_early(const struct attempt *at, int64_t now, int64_t *until)
{
	return at->m.due > now && envelope_hold_until(at->e.args, until) &&
	    *until > now;
}

void
take_message(const char *id)
{
	int64_t now = unix_now(), until;
	struct queued look;
	struct active *a;

	if (queued_stat(&queue, id, &look) == -1 ||
	    (look.due > now && look.due <= now + schedule_horizon(&retry)) ||
	    queue_held(&queue, id, NULL))
		return; /* whoever changes that makes an event of it */
	a = die_calloc(1, sizeof(*a));
	if (attempt_open(&a->at, id) == -1) {
		if (errno == EBADMSG)
			attempt_hold(id, "not a queue file of format 1");
		else if (errno != ENOENT) {
			log_error(id, NULL);
			schedule_push(&run.schedule, now + 60, id);
		}
		free(a);
		return;
	}
	if (is_early(&a->at, now, &until)) {
		schedule_push(&run.schedule, until, id);
		attempt_close(&a->at);
		free(a);
	} else if (!begin(a)) {
		attempt_close(&a->at);
		free(a);
	}
}
