/*
 * The end of a message: what the stages, the queue or the sink say, and
 * what the client is told.
 */
#include <errno.h>

#include "dry.h"
#include "io/conf.h"
#include "io/log.h"
#include "io/spawn.h"
#include "message.h"

enum { OUT_MUCH = 16384 };

/* One of many, perhaps: more than there is room for in one write. */
static void
say(struct mrecv *m, int code, const char *text)
{
	if (m->s.out.n > OUT_MUCH)
		flush(m);
	smtpd_say(&m->s, code, span_of(text));
}

/* The same answer for all recipients. */
static void
say_all(struct mrecv *m, int code, const char *text)
{
	unsigned n = m->s.owed;

	message_forget();
	while (n-- > 0)
		say(m, code, text);
}

static void
refuse(struct mrecv *m, enum smtp_reply r)
{
	const struct smtp_text *t = smtp_text(r);

	log_refusal(m, msg.id, SPAN(""), t->code, span_of(t->text));
	say_all(m, t->code, t->text);
}

/* With the words of the stage, where it has any. */
static void
refuse_stage(struct mrecv *m, const struct outcome *o)
{
	const struct smtp_text *t =
	    smtp_text(o->verdict == PERM ? SMTP_REFUSED : SMTP_LATER);
	int code = o->code != 0 ? o->code : t->code;
	const char *text = o->text[0] != '\0' ? o->text : t->text;
	char why[sizeof(o->text) + LIMIT_PATH];

	if (o->refused) /* as for the envelope, the log says who */
		snprintf(why, sizeof(why), "%s: %s", o->what, text);
	log_refusal(
	    m, msg.id, SPAN(""), code, span_of(o->refused ? why : text));
	while (code == 421 && m->s.owed > 1)
		say(m, code, text);
	if (code != 421) {
		say_all(m, code, text);
		return;
	}
	message_forget();
	smtpd_turn_away(&m->s, code, span_of(text));
}

static void
say_ok(struct mrecv *m, const char *note)
{
	char text[64];

	snprintf(text, sizeof(text), "2.0.0 ok %s", msg.id);
	log_accept(m, m->s.nrcpt, note);
	say_all(m, 250, text);
}

/* Without an id: it is the same at each run. */
static void
say_dry(struct mrecv *m)
{
	dry_message(m);
	say_all(m, 250, "2.0.0 ok");
}

static bool
no_space(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

static void
failure(struct mrecv *m, const char *what)
{
	enum smtp_reply r = no_space(errno) ? SMTP_NO_SPACE : SMTP_LATER;

	log_error(what, NULL);
	refuse(m, r);
}

static void
end_queue(struct mrecv *m)
{
	const char *hold = m->hold[0] != '\0' ? m->hold : NULL;

	if (queue_commit(&msg.file, hold) == -1)
		failure(m, conf_path("queue"));
	else
		say_ok(m, hold != NULL ? "held" : NULL);
}

static int
code_of(enum verdict v)
{
	return v == OK ? 250 : v == PERM ? 550 : 451;
}

/* The words for recipient i, into text of LIMIT_REPLY_TEXT + 1. */
static enum verdict
words_for(size_t i, char *text)
{
	enum verdict v = sink_verdict(&msg.sink, i, text);

	if (v == OK)
		snprintf(text, LIMIT_REPLY_TEXT + 1, "2.0.0 ok %s", msg.id);
	else if (text[0] == '\0')
		snprintf(text, LIMIT_REPLY_TEXT + 1, "%s",
		    v == PERM ? smtp_text(SMTP_REFUSED)->text
			      : smtp_text(SMTP_LATER)->text);
	return v;
}

/* Log what became of each; the number of those that it was good for. */
static size_t
log_results(struct mrecv *m)
{
	char text[LIMIT_REPLY_TEXT + 1];
	size_t good = 0;

	for (size_t i = 0; i < msg.sink.nrcpt; i++) {
		enum verdict v = sink_verdict(&msg.sink, i, text);
		const char *why = spawn_why(msg.sink.status);

		if (v == OK)
			good++;
		else
			log_refusal(m, msg.id, msg.sink.rcpt[i], code_of(v),
			    span_of(text[0] != '\0' ? text : why));
	}
	if (good > 0)
		log_accept(
		    m, good, spawn_dropped(msg.sink.status) ? "dropped" : NULL);
	return good;
}

static bool
is_told(struct span rcpt)
{
	struct span left = buf_span(&msg.told);

	while (left.n > 0)
		if (span_eq(span_cut(&left, '\n'), rcpt))
			return true;
	return false;
}

/*
 * What became of the ith recipient that a client of LMTP gave.  One that a
 * milter took away fared as the worst of those that took its place.
 */
static enum verdict
words_for_told(size_t at, struct span rcpt, char *text)
{
	char other[LIMIT_REPLY_TEXT + 1];
	enum verdict v, worst = OK;
	size_t n = msg.sink.nrcpt;

	if (at < n && span_eq(msg.sink.rcpt[at], rcpt))
		return words_for(at, text);
	for (size_t i = 0; i < n; i++)
		if (span_eq(msg.sink.rcpt[i], rcpt))
			return words_for(i, text);
	snprintf(text, LIMIT_REPLY_TEXT + 1, "2.0.0 ok %s", msg.id);
	for (size_t i = 0; i < n; i++) {
		if (is_told(msg.sink.rcpt[i]))
			continue;
		v = words_for(i, other);
		if ((v == TEMP && worst != TEMP) ||
		    (v == PERM && worst == OK)) {
			worst = v;
			memcpy(text, other, sizeof(other));
		}
	}
	return worst;
}

static void
answer_told(struct mrecv *m)
{
	char text[LIMIT_REPLY_TEXT + 1];
	struct span left = buf_span(&msg.told);

	for (size_t i = 0; left.n > 0; i++) {
		struct span rcpt = span_cut(&left, '\n');
		enum verdict v = words_for_told(i, rcpt, text);

		say(m, code_of(v), text);
	}
}

/*
 * LMTP has an answer for each.  SMTP has one, and it is the worst: who is
 * told "later" sends again, and one told "no" knows.
 */
static void
answer_by_sink(struct mrecv *m)
{
	char text[LIMIT_REPLY_TEXT + 1], best[LIMIT_REPLY_TEXT + 1] = "";
	enum verdict v, worst = OK;

	log_results(m);
	message_forget();
	if (m->lmtp) {
		answer_told(m);
		return;
	}
	for (size_t i = 0; i < msg.sink.nrcpt; i++) {
		v = words_for(i, text);
		if (best[0] == '\0' || (v == TEMP && worst != TEMP) ||
		    (v == PERM && worst == OK)) {
			worst = v;
			memcpy(best, text, sizeof(best));
		}
	}
	say(m, code_of(worst), best);
}

/* What the stages passed on goes into the queue, from the spool. */
static int
queue_spool(struct mrecv *m, const char *hold)
{
	struct span piece;
	struct in in;
	int r;

	if (begin_queue(m) == -1)
		return -1;
	in_init(&in, msg.spool.out.fd, msg.spool.buf, sizeof(msg.spool.buf));
	while ((r = in_next(&in, &piece)) == 1)
		queue_write(&msg.file, piece);
	if (r == -1) {
		queue_abort(&msg.file);
		return -1;
	}
	return queue_commit(&msg.file, hold[0] != '\0' ? hold : NULL);
}

static void
pass_on(struct mrecv *m, const char *hold)
{
	if (spool_rewind(&msg.spool) == -1) {
		failure(m, "spool");
	} else if (m->direct) {
		if (queue_spool(m, hold) == -1)
			failure(m, conf_path("queue"));
		else
			say_ok(m, hold[0] != '\0' ? "held" : NULL);
	} else {
		if (hold[0] != '\0')
			env_set(&msg.env, "MAIL_HOLD", span_of(hold));
		if (sink_start(&msg.sink, m, env_vector(&msg.env),
			msg.spool.out.fd) == -1) {
			failure(m, m->sink[0]);
		} else {
			sink_end(&msg.sink);
			answer_by_sink(m);
		}
	}
}

static void
end_stages(struct mrecv *m)
{
	struct outcome o;

	stages_end(m, &o);
	if (o.verdict != OK)
		refuse_stage(m, &o);
	else if (o.drop)
		say_ok(m, "dropped");
	else
		pass_on(m, o.hold[0] != '\0' ? o.hold : m->hold);
	spool_close(&msg.spool);
}

void
message_end(struct mrecv *m)
{
	message_finish_header(m);
	switch (msg.road) {
	case ROAD_QUEUE:
		end_queue(m);
		break;
	case ROAD_SINK:
		sink_end(&msg.sink);
		answer_by_sink(m);
		break;
	case ROAD_STAGES:
		end_stages(m);
		break;
	case ROAD_NOWHERE:
		if (m->dry)
			say_dry(m);
		else
			say_ok(m, "dropped");
		break;
	case ROAD_NONE:
		break;
	}
}
