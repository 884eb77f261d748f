/*
 * One message, on one of three roads: into the queue's file, into the
 * sink as it arrives, or through stages into a spool and then into the
 * queue or the sink.  It is taken only when it is whole, and all of them agree.
 */
#include "message.h"

#include <errno.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mail/header.h"
#include "mail/received.h"

enum { TRIES = 16, RECEIVED_MAX = 2048 };

struct message msg;

static void
put(struct span s)
{
	switch (msg.road) {
	case ROAD_QUEUE:
		queue_write(&msg.file, s);
		break;
	case ROAD_SINK:
		sink_write(&msg.sink, s);
		break;
	case ROAD_STAGES:
		if (msg.nfirst > 0)
			chain_write(&msg.chain, s);
		else
			out_put(&msg.spool.out, s);
		break;
	case ROAD_NOWHERE:
	case ROAD_NONE:
		break;
	}
}

static struct span
only_rcpt(struct mrecv *m)
{
	struct span s = buf_span(&m->s.rcpts);

	s.n--;
	return m->s.nrcpt == 1 ? s : SPAN("");
}

/*
 * The trace field.  A submitter's address is nobody's business: the log
 * has it.
 */
static void
put_received(struct mrecv *m)
{
	static struct buf b = { .max = RECEIVED_MAX };
	struct received r = { .helo = m->submission ? NULL : m->s.helo,
		.name = m->client,
		.ip = m->peer.ip,
		.by = m->s.conf.host,
		.with = protocol(m),
		.id = msg.id,
		.tls = m->tls,
		.rcpt = only_rcpt(m),
		.date = msg.date };

	buf_clear(&b);
	if (!received_put(&b, &r)) { /* without what is long */
		buf_clear(&b);
		r.helo = NULL;
		r.rcpt = SPAN("");
		received_put(&b, &r);
	}
	msg.received = buf_span(&b);
	put(msg.received);
}

/* What a submitted message lacks (RFC 6409, section 8). */
static void
end_header(struct mrecv *m)
{
	char date[HEADER_DATE_SIZE], text[LIMIT_ADDRESS + 128];
	int n;

	if (m->submission && msg.intake.from == 0 && m->s.sender[0] != '\0') {
		n = snprintf(text, sizeof(text), "From: <%s>\n", m->s.sender);
		put((struct span){ text, (size_t)n });
	}
	if (m->submission && !msg.intake.has_date) {
		n = snprintf(text, sizeof(text), "Date: %s\n",
		    header_put_date(msg.date, date));
		put((struct span){ text, (size_t)n });
	}
	if (m->submission && !msg.intake.has_id) {
		n = snprintf(text, sizeof(text), "Message-ID: <%s@%.*s>\n",
		    msg.id, LIMIT_DOMAIN, m->s.conf.host);
		put((struct span){ text, (size_t)n });
	}
	if (msg.intake.no_blank)
		put(SPAN("\n"));
}

int
begin_queue(struct mrecv *m)
{
	static struct queue_rcpt rcpts[LIMIT_SMTP_RCPTS];
	struct span left = buf_span(&m->s.rcpts);
	struct span args = buf_span(&m->s.rcpt_args);
	struct queue_from from = { .sender = span_of(m->s.sender),
		.args = span_of(m->s.mail_args),
		.auth = span_of(m->login),
		.ip = span_of(m->peer.ip),
		.helo = span_of(m->s.helo),
		.with = span_of(protocol(m)),
		.received = msg.date,
		.due = m->s.hold_until };

	for (size_t n = 0; left.n > 0; n++) {
		rcpts[n].address = span_cut(&left, '\n');
		rcpts[n].args = span_cut(&args, '\n');
	}
	for (int i = 0; i < TRIES && m->ids <= MRECV_MESSAGES; i++) {
		if (queue_begin(&m->queue, &msg.file, msg.id, &from, rcpts,
			m->s.nrcpt) == 0)
			return 0;
		if (errno != EEXIST || m->ids == MRECV_MESSAGES)
			break;
		ident_mail(m->conn, m->ids++, msg.id);
	}
	return -1;
}

void
message_env(struct mrecv *m)
{
	env_free(&msg.env);
	child_env(m, &msg.env, msg.id);
	if (m->hold[0] != '\0')
		env_set(&msg.env, "MAIL_HOLD", span_of(m->hold));
}

static int
begin_road(struct mrecv *m)
{
	if (m->s.nrcpt == 0 || m->dry) {
		msg.road = ROAD_NOWHERE;
		return 0;
	}
	if (m->direct && m->nstages == 0) {
		msg.road = ROAD_QUEUE;
		return begin_queue(m);
	}
	message_env(m);
	if (m->nstages > 0) {
		msg.road = ROAD_STAGES;
		return stages_begin(m);
	}
	msg.road = ROAD_SINK;
	return sink_start(&msg.sink, m, env_vector(&msg.env), -1);
}

void
message_forget(void)
{
	msg.road = ROAD_NONE;
	env_free(&msg.env);
}

void
message_begin(struct mrecv *m)
{
	const struct smtp_text *t = smtp_text(SMTP_LATER);

	ident_mail(m->conn, m->ids++, msg.id);
	msg.date = unix_now();
	msg.intake = (struct intake){ .submission = m->submission,
		.authserv = span_of(m->lmtp ? "" : conf_me()) };
	if (m->s.nrcpt > 0 && !milters_data(m))
		return;
	if (begin_road(m) == -1) {
		log_error(m->nstages > 0 ? m->stages[0].name
			: m->direct      ? conf_path("queue")
					 : m->sink[0],
		    NULL);
		log_refusal(m, msg.id, SPAN(""), t->code, span_of(t->text));
		message_forget();
		smtpd_reply(&m->s, SMTP_LATER);
		return;
	}
	buf_free(&msg.told);
	msg.told.max = LIMIT_MAIL_RCPTS;
	if (m->lmtp)
		buf_put(&msg.told, buf_span(&m->s.rcpts));
	smtpd_reply(&m->s, SMTP_GO_AHEAD);
	put_received(m);
}

void
message_abort(struct mrecv *m, enum smtp_reply r, const char *why)
{
	if (msg.road == ROAD_NONE)
		return;
	if (msg.road == ROAD_QUEUE)
		queue_abort(&msg.file);
	if (msg.road == ROAD_SINK)
		sink_abort(&msg.sink);
	if (msg.road == ROAD_STAGES) {
		if (msg.nfirst > 0)
			chain_abort(&msg.chain);
		spool_close(&msg.spool);
	}
	log_refusal(m, msg.id, SPAN(""), smtp_text(r)->code,
	    span_of(why != NULL ? why : smtp_text(r)->text));
	message_forget();
}

static void
refuse_now(struct mrecv *m, enum smtp_reply r)
{
	const struct smtp_text *t = smtp_text(r);

	smtpd_refuse(&m->s, t->code, span_of(t->text));
	message_abort(m, r, NULL);
}

static void
take_header(struct mrecv *m, struct span *in)
{
	struct span piece;

	while (!msg.intake.done) {
		switch (intake_next(&msg.intake, in, &piece)) {
		case INTAKE_MORE:
			return;
		case INTAKE_PIECE:
			put(piece);
			break;
		case INTAKE_END:
			end_header(m);
			break;
		}
		if (msg.intake.received > LIMIT_RECEIVED) {
			refuse_now(m, SMTP_LOOP);
			return;
		}
		if (msg.intake.bytes > LIMIT_HEADER) {
			refuse_now(m, SMTP_LONG_HEADER);
			return;
		}
		if (m->submission && msg.intake.from > 1) {
			refuse_now(m, SMTP_TWO_FROM);
			return;
		}
	}
}

void
message_write(struct mrecv *m)
{
	struct span in = m->s.piece;

	if (!msg.intake.done)
		take_header(m, &in);
	if (msg.road != ROAD_NONE && in.n > 0)
		put(in);
}

void
message_finish_header(struct mrecv *m)
{
	struct span none = SPAN(""), piece;

	if (msg.intake.done)
		return;
	intake_eof(&msg.intake);
	end_header(m);
	while (!msg.intake.done)
		if (intake_next(&msg.intake, &none, &piece) == INTAKE_PIECE)
			put(piece);
}
