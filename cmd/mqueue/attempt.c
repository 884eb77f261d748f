/*
 * What next, done and run do with a message: results in, marks, the story,
 * notifications, and the time of the next attempt.
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "base/enc.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mail/dsn.h"

enum {
	STORY_MAX = 262144,
	STORY_TAIL = 65536,
	ATTEMPT_ARENA = 16 * ENVELOPE_ARENA
};

int
attempt_open(struct attempt *at, const char *id)
{
	struct buf tail = { .max = 8192 };
	struct story last;

	*at = (struct attempt){ .n = 1, .story.max = STORY_MAX };
	if (queued_open(&queue, id, true, &at->m) == -1)
		return -1;
	arena_init(&at->arena, ATTEMPT_ARENA);
	if (envelope_read(at->m.fd, &at->arena, &at->e) == -1) {
		attempt_close(at);
		return -1;
	}
	at->outcome = arena_alloc(
	    &at->arena, (at->e.nrcpts + 1) * sizeof(at->outcome[0]));
	if (story_read(&queue, id, &tail) &&
	    story_last(buf_span(&tail), &last)) {
		at->n = last.n + 1;
		at->last = last.time;
	}
	buf_free(&tail);
	return 0;
}

void
attempt_close(struct attempt *at)
{
	int err = errno;

	queued_close(&at->m);
	arena_free(&at->arena);
	buf_free(&at->story);
	errno = err;
}

void
attempt_hold(const char *id, const char *why)
{
	struct logline l;

	if (queue_hold(&queue, id, why) == -1)
		log_error("hold", NULL);
	log_begin(&l, "error");
	log_str(&l, "id", id);
	log_str(&l, "what", "held");
	log_str(&l, "why", why);
	log_end(&l);
}

int
attempt_find(const struct attempt *at, struct span rcpt)
{
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (at->e.rcpts[i].mark == MARK_TO &&
		    at->outcome[i].code.n == 0 &&
		    span_eq(at->e.rcpts[i].address, rcpt))
			return (int)i;
	return -1;
}

static void
flush_story(struct attempt *at)
{
	if (story_append(&queue, at->m.id, buf_span(&at->story)) == -1)
		log_error("ID.log", NULL);
	buf_clear(&at->story);
}

void
attempt_remark(struct attempt *at, struct span text)
{
	if (at->story.n < STORY_MAX / 2)
		story_remark(&at->story, text);
}

static void
log_result(struct attempt *at, size_t i, const char *event, const char *route)
{
	struct span rest = span_of(route), name = span_word(&rest);
	int64_t delay = unix_now() - at->e.received;
	struct logline l;

	log_begin(&l, event);
	log_str(&l, "id", at->m.id);
	log_span(&l, "from", at->e.sender);
	log_span(&l, "to", at->e.rcpts[i].address);
	log_span(&l, "route", name);
	log_span(&l, "code", at->outcome[i].code);
	log_num(&l, "delay", delay > 0 ? (uint64_t)delay : 0);
	log_span(&l, "text", at->outcome[i].text);
	log_end(&l);
}

static void
set_mark(struct attempt *at, size_t i, enum mark mark)
{
	if (queued_mark(&at->m, &at->e.rcpts[i], mark) == -1)
		log_error(at->m.id, NULL);
}

static bool *
pick_none(struct attempt *at)
{
	return arena_alloc(&at->arena, at->e.nrcpts + 1);
}

/*
 * Delivered, or passed on to where nobody will tell (job.h) though the
 * sender wants to know, or wants to know of each step (RFC 2852).
 */
static void
tell_success(struct attempt *at, size_t i, bool local)
{
	struct span args = at->e.rcpts[i].args;
	struct span text = at->outcome[i].text;
	bool relayed = !local && span_starts(text, JOB_RELAYED);
	bool wanted = envelope_notify(args, "SUCCESS", false);
	struct deliver_by by;
	bool *pick = pick_none(at);

	if (relayed && envelope_deliver_by(at->e.args, &by) &&
	    !envelope_notify(args, "NEVER", false))
		wanted |= by.trace || !by.back;
	pick[i] = true;
	if (wanted && (local || relayed))
		notify(at,
		    !local                                ? DSN_RELAYED
			: span_starts(text, JOB_EXPANDED) ? DSN_EXPANDED
							  : DSN_DELIVERED,
		    pick);
}

void
attempt_result(struct attempt *at, size_t i, const char *route, bool local,
    struct span code, struct span text)
{
	struct envelope_rcpt *r = &at->e.rcpts[i];

	if (text.n > 1024)
		text.n = 1024;
	at->outcome[i].code = arena_span(&at->arena, code);
	at->outcome[i].text = arena_span(&at->arena, text);
	at->tried = true;
	story_put(&at->story, unix_now(), at->n, route, r->address, code, text);
	switch (*code.p) {
	case '2':
		tell_success(at, i, local);
		set_mark(at, i, MARK_OK);
		/* ours log what they did themselves */
		if (!local || strstr(route, "mdeliver") == NULL)
			log_result(at, i, "sent", route);
		break;
	case '5':
		/* the text must be there when the mark is */
		flush_story(at);
		set_mark(at, i, MARK_NO);
		log_result(at, i, "bounce", route);
		break;
	default:
		log_result(at, i, "defer", route);
		break;
	}
}

/* What was said of a recipient before a crash. */
static void
recall(struct attempt *at, size_t i)
{
	struct buf tail = { .max = STORY_TAIL };
	struct outcome *o = &at->outcome[i];
	struct span text;

	o->code = SPAN("5.0.0");
	o->text = SPAN("refused");
	if (story_read(&queue, at->m.id, &tail)) {
		text = buf_span(&tail);
		while (text.n > 0) {
			struct story s;
			struct buf want = { .max = LIMIT_RESULT_LINE };

			enc_pct(&want, at->e.rcpts[i].address);
			if (story_parse(span_cut(&text, '\n'), &s) &&
			    span_eq(s.rcpt, buf_span(&want)) &&
			    *s.code.p != '2') {
				o->code = arena_span(&at->arena, s.code);
				o->text = arena_span(&at->arena, s.text);
			}
			buf_free(&want);
		}
	}
	buf_free(&tail);
}

/* Tell the sender about every `no`, in one notification; then it is `xx`. */
static void
settle_failures(struct attempt *at)
{
	bool *pick = pick_none(at), any = false;

	for (size_t i = 0; i < at->e.nrcpts; i++) {
		if (at->e.rcpts[i].mark != MARK_NO)
			continue;
		if (at->outcome[i].code.n == 0 || *at->outcome[i].code.p == '2')
			recall(at, i);
		any = true;
		pick[i] = envelope_notify(at->e.rcpts[i].args, "FAILURE", true);
	}
	if (!any || !notify(at, DSN_FAILED, pick))
		return;
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (at->e.rcpts[i].mark == MARK_NO)
			set_mark(at, i, MARK_XX);
}

bool
attempt_late(const struct attempt *at, int64_t now)
{
	struct deliver_by by;

	return envelope_deliver_by(at->e.args, &by) && by.at <= now &&
	    (by.back || at->last < by.at);
}

bool
attempt_overdue(const struct attempt *at, int64_t now)
{
	struct deliver_by by;

	return envelope_deliver_by(at->e.args, &by) && by.back && by.at <= now;
}

void
attempt_return(struct attempt *at, size_t i)
{
	attempt_result(at, i, "-", false, SPAN("5.4.7"),
	    SPAN("the time in which it was to be delivered is over"));
}

static void
give_up_old(struct attempt *at, int64_t now)
{
	char text[400];

	if (now - envelope_since(&at->e) < retry.lifetime)
		return;
	for (size_t i = 0; i < at->e.nrcpts; i++) {
		struct outcome *o = &at->outcome[i];

		if (at->e.rcpts[i].mark != MARK_TO)
			continue;
		snprintf(text, sizeof(text),
		    "it was tried for too long; at last: %.*s",
		    o->text.n > 300 ? 300 : (int)o->text.n,
		    o->text.n > 0 ? o->text.p : "");
		o->code = SPAN("4.4.7");
		o->text = arena_span(&at->arena, span_of(text));
		story_put(&at->story, now, at->n, "-", at->e.rcpts[i].address,
		    o->code, o->text);
		flush_story(at);
		set_mark(at, i, MARK_NO);
		log_result(at, i, "bounce", "-");
	}
}

/* Once, at the first attempt that is later than the notice's time. */
static void
tell_delay(struct attempt *at, int64_t now)
{
	int64_t when = envelope_since(&at->e) + retry.delay;
	bool *pick = pick_none(at), any = false;

	if (retry.delay == 0 || now < when || at->last >= when)
		return;
	for (size_t i = 0; i < at->e.nrcpts; i++)
		if (at->e.rcpts[i].mark == MARK_TO &&
		    at->outcome[i].code.n > 0 &&
		    envelope_notify(at->e.rcpts[i].args, "DELAY", true))
			any = pick[i] = true;
	if (any)
		notify(at, DSN_DELAYED, pick);
}

/*
 * BY= with N: once, when its time is over.  4.4.7 is what RFC 2852 asks
 * for.
 */
static bool
tell_late(struct attempt *at, int64_t now)
{
	bool *pick = pick_none(at), any = false;
	struct deliver_by by;

	if (!attempt_late(at, now) || !envelope_deliver_by(at->e.args, &by) ||
	    by.back)
		return false;
	for (size_t i = 0; i < at->e.nrcpts; i++) {
		struct outcome *o = &at->outcome[i];

		if (at->e.rcpts[i].mark != MARK_TO || o->code.n == 0 ||
		    !envelope_notify(at->e.rcpts[i].args, "DELAY", true))
			continue;
		o->code = SPAN("4.4.7");
		any = pick[i] = true;
	}
	return any && notify(at, DSN_DELAYED | NOTICE_LATE, pick);
}

/* Not behind the time that was asked for, when that is to come. */
static int64_t
next_due(const struct attempt *at, int64_t now)
{
	int64_t due =
	    schedule_next(&retry, at->n, envelope_since(&at->e), now, at->m.id);
	struct deliver_by by;

	if (envelope_deliver_by(at->e.args, &by) && by.at > now && by.at < due)
		return by.at;
	return due;
}

void
attempt_finish(struct attempt *at, int64_t due)
{
	int64_t now = unix_now(), held;

	if (at->tried)
		give_up_old(at, now);
	settle_failures(at);
	if (envelope_count(&at->e, MARK_TO) == 0 &&
	    envelope_count(&at->e, MARK_NO) == 0) {
		if (queue_remove(&queue, at->m.id) == -1)
			log_error(at->m.id, NULL);
		return;
	}
	if (at->tried && envelope_count(&at->e, MARK_TO) > 0 &&
	    !tell_late(at, now))
		tell_delay(at, now);
	flush_story(at);
	if (due == 0)
		due = next_due(at, now);
	if (!at->tried && envelope_hold_until(at->e.args, &held) && held > now)
		due = held;
	if (queued_put_back(&at->m, due) == -1)
		log_error(at->m.id, NULL);
}
