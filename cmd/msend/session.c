/*
 * An SMTP session, kept open for the next message to the same hop.
 */
#include <errno.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/log.h"
#include "msend.h"
#include "queue/job.h"

enum { OUT_MAX = 1 << 20, IN_SIZE = 8192, BODY_SIZE = 65536 };

static struct {
	bool open;
	char key[NEXT_HOP_SIZE];
	char host[256], ip[NET_IP_SIZE], tls[SESSION_TLS];
	struct conn conn;
	struct smtpc smtpc;
	struct smtpc_conf conf;
	struct buf out;
	char in[IN_SIZE];
	struct span unread;
	bool failed; /* the transcript is worth keeping */
	/* how it was reached, for another one, and what was proved */
	struct host at;
	bool secure, verified, tls_failed;
	uint32_t mails; /* transactions so far */
} s = { .conn.fd = -1 };

static int64_t
within(int64_t seconds)
{
	return deadline_in(
	    opt.step != 0 && opt.step < seconds ? opt.step : seconds);
}

/* The time a step may take: RFC 5321, section 4.5.3.2. */
static int64_t
step_deadline(void)
{
	int64_t seconds = TIME_SMTP_COMMAND;

	switch (smtpc_waits(&s.smtpc)) {
	case SMTPC_WAIT_GREETING:
	case SMTPC_WAIT_REPLY:
		break;
	case SMTPC_WAIT_DATA:
		seconds = TIME_SMTP_DATA_REPLY;
		break;
	case SMTPC_WAIT_END:
		seconds = TIME_SMTP_DATA_END;
		break;
	case SMTPC_WAIT_QUIT:
		seconds = TIME_SMTP_QUIT;
		break;
	}
	return within(seconds);
}

static void
show(const char *who, struct span text)
{
	while (opt.verbose > 1 && text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		fprintf(stderr, "%s %.*s\n", who, (int)line.n, line.p);
	}
}

/* Write what the engine said. */
static int
flush(int64_t deadline, char *why)
{
	int r;

	show(">", buf_span(&s.out));
	r = conn_write(&s.conn, buf_span(&s.out), deadline, why);
	buf_clear(&s.out);
	return r;
}

/*
 * Go on until the engine has something to say that is not "more".  The
 * time is that of a whole reply, however slowly its bytes drip in.
 */
static enum smtpc_event
run(void)
{
	char why[WHY_SIZE] = "";
	int64_t deadline = step_deadline();
	unsigned replies = s.smtpc.replies;

	for (;;) {
		enum smtpc_event e = smtpc_next(&s.smtpc, &s.unread);
		ssize_t n;

		if (s.smtpc.replies != replies) {
			replies = s.smtpc.replies;
			deadline = step_deadline();
		}
		if (s.out.n > 0 && flush(deadline, why) == -1) {
			smtpc_lost(&s.smtpc, why);
			return SMTPC_GONE;
		}
		if (e != SMTPC_MORE)
			return e;
		n = conn_read(&s.conn, s.in, sizeof(s.in), deadline, why);
		if (n <= 0) {
			smtpc_lost(&s.smtpc, why);
			return SMTPC_GONE;
		}
		s.unread = (struct span){ s.in, (size_t)n };
		show("<", s.unread);
	}
}

static void
drop(void)
{
	conn_close(&s.conn);
	s.unread = (struct span){ s.in, 0 };
	s.open = false;
}

bool
session_open(void)
{
	return s.open;
}

void
session_close(void)
{
	if (!s.open)
		return;
	smtpc_quit(&s.smtpc);
	run();
	drop();
}

struct span
session_transcript(void)
{
	return s.failed
	    ? (struct span){ s.smtpc.transcript, s.smtpc.ntranscript }
	    : SPAN("");
}

/* Connect and greet.  False when the session is gone; the engine has why. */
static bool
begin(const struct host *h, bool with_tls)
{
	char why[WHY_SIZE];
	enum smtpc_event e;

	s.conf = (struct smtpc_conf){ .helo = conf_me(), .starttls = with_tls };
	s.out.max = OUT_MAX;
	buf_clear(&s.out); /* its memory serves every session */
	s.unread = (struct span){ s.in, 0 };
	smtpc_init(&s.smtpc, &s.conf, &s.out);
	snprintf(s.host, sizeof(s.host), "%s", h->name);
	s.ip[0] = s.tls[0] = '\0';
	s.verified = s.tls_failed = false;
	s.mails = 0;
	if (conn_open(&s.conn, h, within(TIME_SMTP_CONNECT), why) == -1) {
		smtpc_lost(&s.smtpc, why);
		return false;
	}
	memcpy(s.ip, s.conn.ip, sizeof(s.ip));
	s.open = true;
	e = run();
	if (e == SMTPC_TLS) {
		const char *name = h->addr.kind == NET_TCP ? h->name : "";

		if (conn_start_tls(&s.conn, name, step_deadline(), why) == -1) {
			smtpc_lost(&s.smtpc, why);
			s.tls_failed = true;
			return false;
		}
		s.verified = s.conn.named && tls_verified(s.conn.tls);
		snprintf(s.tls, sizeof(s.tls), "%s %s%s",
		    tls_version(s.conn.tls), tls_cipher(s.conn.tls),
		    tls_verified(s.conn.tls) ? "" : " unverified");
		smtpc_tls_started(&s.smtpc);
		e = run();
	}
	return e == SMTPC_READY;
}

/*
 * TLS is for those who can: after a failed handshake, in the clear, unless
 * the message must not go there then.
 */
static bool
connect_to(const struct host *h, bool secure, const struct message *m)
{
	s.at = *h;
	s.secure = secure;
	if (begin(h, true))
		return true;
	if (!s.tls_failed || (m->requiretls && m->sender.n > 0))
		return false;
	drop();
	return begin(h, false);
}

struct body {
	char buf[BODY_SIZE];
	size_t n;
	char why[WHY_SIZE];
};

static bool
put_body(void *ctx, struct span piece)
{
	struct body *b = ctx;

	while (piece.n > 0) {
		size_t room = sizeof(b->buf) - b->n;
		struct span part =
		    span_take(&piece, piece.n < room ? piece.n : room);

		memcpy(b->buf + b->n, part.p, part.n);
		b->n += part.n;
		if (b->n < sizeof(b->buf))
			continue;
		b->n = 0;
		if (conn_write(&s.conn, (struct span){ b->buf, sizeof(b->buf) },
			within(TIME_SMTP_DATA_BLOCK), b->why) == -1)
			return false;
	}
	return true;
}

/* The message; its final dot is the engine's to say. */
static void
send_body(const struct message *m, bool seven)
{
	static struct body b;
	char why[WHY_SIZE];

	b.n = 0;
	b.why[0] = '\0';
	if (message_put(m, seven, put_body, &b) == -1) {
		/* without its end the server must not take it */
		if (b.why[0] == '\0')
			snprintf(b.why, sizeof(b.why), "read the message: %s",
			    strerror(errno));
		smtpc_lost(&s.smtpc, b.why);
		drop();
		return;
	}
	smtpc_body_done(&s.smtpc);
	if (conn_write(&s.conn, (struct span){ b.buf, b.n }, step_deadline(),
		why) == -1) {
		smtpc_lost(&s.smtpc, why);
		drop();
	}
}

static size_t
open_rcpts(const struct smtpc_rcpt *r, size_t n)
{
	size_t open = 0;

	for (size_t i = 0; i < n; i++)
		open += !r[i].decided;
	return open;
}

/* Send to all of part. */
static void
transact(const struct message *m, const struct peer *p, struct smtpc_rcpt *part,
    size_t n)
{
	static struct arena names;
	struct smtpc_mail mail = { .rcpts = part, .nrcpts = n };
	enum smtpc_event e;
	bool seven;

	message_mail(m, p, &mail);
	seven = m->eight_bit && !p->smtpc->eightbitmime && seven_can(m);
	if (seven)
		mail.size = 0; /* of what will be sent nobody knows it */
	if (names.max == 0)
		arena_init(&names, LIMIT_JOB_RCPTS * 4 * LIMIT_ADDRESS);
	arena_release(&names, (struct arena_mark){ 0 });
	if (!mail.smtputf8 && !message_ascii(&names, &mail)) {
		smtpc_decide(&mail, PERM, "5.6.7",
		    "a domain has no form in ASCII, and it has no SMTPUTF8");
		return;
	}
	s.mails++;
	smtpc_send(&s.smtpc, &mail);
	e = run();
	if (e == SMTPC_BODY) {
		send_body(m, seven);
		e = s.open ? run() : SMTPC_GONE;
	}
	if (e == SMTPC_GONE)
		drop();
}

/* host[ip] */
static void
put_host(char *to, size_t size)
{
	if (s.ip[0] != '\0')
		snprintf(to, size, "%.100s[%s]", s.host, s.ip);
	else
		snprintf(to, size, "%.100s", s.host);
}

static bool
is_reply(const char *text)
{
	return is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]);
}

/* Put "host[ip] said: " in front of what the server said. */
static void
name_host(struct smtpc_rcpt *r, const char *before, const char *behind)
{
	char host[160], text[SMTPC_TEXT];

	put_host(host, sizeof(host));
	snprintf(text, sizeof(text), "%s%s%s%s %.320s", before, host, behind,
	    is_reply(r->text) ? " said:" : ":", r->text);
	memcpy(r->text, text, sizeof(r->text));
}

/* Why recipients can't go by the hosts that were reached, if they can't. */
static struct {
	char code[SMTPC_CODE], why[SMTPC_TEXT];
} unfit[LIMIT_JOB_RCPTS];

static void
note_unfit(size_t i, const char *code, const char *why)
{
	char host[160];

	put_host(host, sizeof(host));
	snprintf(unfit[i].code, sizeof(unfit[i].code), "%s", code);
	snprintf(unfit[i].why, sizeof(unfit[i].why), "%s: %.300s", host, why);
}

/* The host takes no more in this session: another one.  False: it can't. */
static bool
new_session(const struct message *m)
{
	struct host h = s.at;

	session_close();
	return connect_to(&h, s.secure, m);
}

/*
 * Transactions for those that the host that was reached can have.  A
 * session that was used before may have been closed meanwhile: when the
 * server said nothing about a message nothing is decided.
 */
static void
try_host(const struct message *m, struct smtpc_rcpt *r, size_t n, bool used)
{
	static struct smtpc_rcpt part[LIMIT_JOB_RCPTS];
	bool skip[LIMIT_JOB_RCPTS] = { false };
	size_t index[LIMIT_JOB_RCPTS], k;

	while (s.open) {
		struct peer p = { &s.smtpc, s.verified, s.secure };

		for (size_t i = 0; i < n; i++) {
			const char *code, *why = NULL;

			if (!r[i].decided)
				why = message_unfit(m, &r[i], &p, &code);
			skip[i] = why != NULL;
			if (why != NULL)
				note_unfit(i, code, why);
		}
		k = message_pick(&s.smtpc, r, n, skip, part, index);
		if (k == 0)
			return;
		if (s.smtpc.mail_max != 0 && s.mails >= s.smtpc.mail_max) {
			if (!new_session(m))
				return;
			continue; /* it may offer something else */
		}
		transact(m, &p, part, k);
		if (used && !s.open && !s.smtpc.answered)
			return;
		for (size_t i = 0; i < k; i++) {
			struct smtpc_rcpt *to = &r[index[i]];

			part[i].address = to->address;
			*to = part[i];
			if (to->verdict == OK && message_relayed(m, to, &p))
				name_host(to, JOB_RELAYED, ", which");
			else
				name_host(to, "", "");
		}
	}
}

/*
 * What a host's refusal to talk means for what is left to try: only when
 * all of them refuse for good is it for good.
 */
static void
note_failure(struct route *last, bool first)
{
	char host[160];

	put_host(host, sizeof(host));
	if (opt.verbose > 0)
		fprintf(stderr, "msend: %s: %s\n", host, s.smtpc.why);
	if (!first && last->verdict == TEMP && s.smtpc.end == PERM)
		return;
	last->verdict = s.smtpc.end;
	snprintf(last->code, sizeof(last->code), "%s", s.smtpc.end_code);
	snprintf(last->why, sizeof(last->why), "%.100s%s %.80s", host,
	    is_reply(s.smtpc.why) ? " said:" : ":", s.smtpc.why);
}

const char *
session_host(void)
{
	return s.host;
}

const char *
session_tls(void)
{
	return s.tls;
}

/*
 * No host of the route could be used for those that are left: later, if
 * one of them may yet be, else what they lack.
 */
static void
decide_rest(const struct route *last, struct smtpc_rcpt *r, size_t n)
{
	struct smtpc_mail all = { .rcpts = r, .nrcpts = n };

	for (size_t i = 0; i < n; i++) {
		struct smtpc_mail one = { .rcpts = &r[i], .nrcpts = 1 };

		if (unfit[i].code[0] != '\0' && last->verdict != TEMP)
			smtpc_decide(&one, PERM, unfit[i].code, unfit[i].why);
	}
	smtpc_decide(&all, last->verdict, last->code, last->why);
}

static void
try_route(const struct message *m, const struct route *route, const char *key,
    struct smtpc_rcpt *r, size_t n)
{
	struct route last = { .verdict = route->verdict };
	bool first = true;

	memcpy(last.code, route->code, sizeof(last.code));
	memcpy(last.why, route->why, sizeof(last.why));
	for (size_t i = 0; i < route->n && open_rcpts(r, n) > 0; i++) {
		bool ok;

		session_close();
		ok = connect_to(&route->hosts[i], route->secure, m);

		if (ok) {
			snprintf(s.key, sizeof(s.key), "%s", key);
			try_host(m, r, n, false);
			if (s.open)
				continue;
		}
		if (!ok && span_starts(span_of(s.smtpc.why), "TLS: ")) {
			for (size_t k = 0; k < n; k++)
				note_unfit(k, "5.7.10", s.smtpc.why);
		} else if (open_rcpts(r, n) > 0) {
			note_failure(&last, first);
			first = false;
		}
		s.failed = true;
		drop();
	}
	decide_rest(&last, r, n);
}

/* In the session that is open: whether nobody is left. */
static bool
try_open(const struct message *m, struct smtpc_rcpt *r, size_t n)
{
	try_host(m, r, n, true);
	return open_rcpts(r, n) == 0;
}

void
session_send(const struct message *m, const struct route *route,
    const char *key, struct smtpc_rcpt *r, size_t n)
{
	struct smtpc_mail all = { .rcpts = r, .nrcpts = n };

	s.failed = false;
	memset(unfit, 0, sizeof(unfit));
	if (message_late(m))
		smtpc_decide(&all, PERM, "5.4.7",
		    "the time in which it was to be delivered is over");
	else if (!s.open || strcmp(key, s.key) != 0 || !try_open(m, r, n)) {
		session_close();
		s.smtpc.ntranscript = 0; /* of another message */
		s.host[0] = s.tls[0] = '\0';
		try_route(m, route, key, r, n);
	}
	for (size_t i = 0; i < n; i++)
		s.failed |= r[i].verdict != OK;
}
