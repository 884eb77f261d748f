#include "milter.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/fs.h"
#include "io/ident.h"
#include "io/log.h"

static struct peer peers[MRECV_STAGES];

struct peer *
milter_peer(size_t stage)
{
	return &peers[stage];
}

static void
hang_up(struct peer *p)
{
	if (p->up) {
		close(p->in.fd);
		milter_free(&p->m);
	}
	p->up = p->greeted = p->open = false;
}

enum milter_event
peer_lost(struct peer *p, const char *why)
{
	struct logline l;

	hang_up(p);
	p->failed = true;
	snprintf(p->why, sizeof(p->why), "%s", why);
	log_begin(&l, "error");
	if (msg.road != ROAD_NONE)
		log_str(&l, "id", msg.id);
	log_str(&l, "what", p->stage->name);
	log_str(&l, "why", why);
	log_end(&l);
	return MILTER_BROKEN;
}

void
peer_hurry(struct peer *p, int64_t patience)
{
	p->patience = patience;
	p->in.deadline = deadline_in(patience);
	p->last = deadline_in(2 * patience);
}

int
peer_flush(struct peer *p)
{
	int r = write_all(p->in.fd, p->m.out.p, p->m.out.n, p->in.deadline);

	buf_clear(&p->m.out);
	if (r == -1)
		peer_lost(p, errno == ETIMEDOUT ? "timeout" : strerror(errno));
	return r;
}

static enum milter_event
next(struct peer *p)
{
	for (;;) {
		enum milter_event e = milter_next(&p->m, &p->in.data);

		if (e == MILTER_BROKEN)
			return peer_lost(p, "not the milter protocol");
		if (e != MILTER_MORE)
			return e;
		if (p->m.out.n > 0 && peer_flush(p) == -1)
			return MILTER_BROKEN;
		switch (in_fill(&p->in)) {
		case IN_DATA:
			break;
		case IN_TIMEOUT:
			return peer_lost(p, "timeout");
		case IN_EOF:
			return peer_lost(p, "connection closed");
		case IN_FULL:
		case IN_ERROR:
			return peer_lost(p, strerror(errno));
		}
	}
}

enum milter_event
peer_next(struct peer *p)
{
	enum milter_event e;

	while ((e = next(p)) == MILTER_PROGRESS) {
		int64_t more = deadline_in(p->patience);

		p->in.deadline = more < p->last ? more : p->last;
	}
	return e;
}

static void
say_no(struct said *no, int code, const char *text)
{
	no->code = code;
	snprintf(no->text, sizeof(no->text), "%s", text);
}

/* Words of its own, or those for the class of its code. */
static void
take_words(struct peer *p, struct said *no)
{
	struct span text = buf_span(&p->m.text);

	no->code = p->m.code;
	if (text.n == 0 || !span_cstr(text, no->text, sizeof(no->text)))
		say_no(no, p->m.code,
		    p->m.code < 500 ? "4.7.1 try again later"
				    : "5.7.1 refused");
}

bool
peer_heed(struct peer *p, enum milter_event e, struct said *no)
{
	switch (e) {
	case MILTER_READY:
	case MILTER_CONTINUE:
	case MILTER_SKIP:
		return true;
	case MILTER_ACCEPT:
		p->done = true;
		return true;
	case MILTER_DISCARD:
		p->done = p->drop = true;
		return true;
	case MILTER_REJECT:
		say_no(no, 550, "5.7.1 refused");
		return false;
	case MILTER_TEMPFAIL:
		say_no(no, 451, "4.7.1 try again later");
		return false;
	case MILTER_REPLY:
		take_words(p, no);
		return false;
	case MILTER_CLOSE:
		say_no(no, 421, "4.7.0 try again later");
		return false;
	case MILTER_MORE:
	case MILTER_PROGRESS:
	case MILTER_ADD_FIELD:
	case MILTER_INSERT_FIELD:
	case MILTER_CHANGE_FIELD:
	case MILTER_ADD_RCPT:
	case MILTER_DELETE_RCPT:
	case MILTER_SENDER:
	case MILTER_BODY:
	case MILTER_QUARANTINE:
	case MILTER_BROKEN:
		break;
	}
	say_no(no, 451, "4.3.0 try again later");
	return p->stage->optional;
}

bool
peer_step(struct peer *p, bool asked, struct said *no)
{
	if (asked)
		return peer_heed(p, peer_next(p), no);
	return (p->m.out.n == 0 || peer_flush(p) == 0) ||
	    peer_heed(p, MILTER_BROKEN, no);
}

/* Connect, and agree on what is to be told. */
static bool
dial(struct mrecv *m, struct peer *p)
{
	struct milter_conf conf = { .macro = milter_macro, .arg = m };
	bool temp;
	int fd = command_connect(p->stage->number, p->in.deadline, &temp);

	if (fd == -1) {
		peer_lost(p, errno == ETIMEDOUT ? "timeout" : strerror(errno));
		return false;
	}
	fs_nonblock(fd, true);
	milter_init(&p->m, &conf);
	in_init(&p->in, fd, p->buf, sizeof(p->buf));
	p->up = true;
	peer_hurry(p, m->milter_time);
	milter_open(&p->m);
	return peer_next(p) == MILTER_READY;
}

/* What it said of the client holds until the client is another. */
static bool
settle(struct peer *p, bool asked, struct said *no)
{
	bool good = peer_step(p, asked, no);

	if (p->failed || (good && !p->done))
		return good;
	p->content = good;
	if (!good)
		p->no = *no;
	milter_quit(&p->m);
	if (peer_flush(p) == 0)
		hang_up(p);
	return good;
}

static bool
tell_connect(struct mrecv *m, struct peer *p, struct said *no)
{
	bool asked = milter_connect(&p->m, span_of(milter_client(m)),
	    span_of(m->peer.ip), m->peer.port);

	p->greeted = true;
	p->helo[0] = '\0';
	return settle(p, asked, no);
}

static bool
tell_helo(struct mrecv *m, struct peer *p, struct said *no)
{
	snprintf(p->helo, sizeof(p->helo), "%s", m->s.helo);
	return settle(p, milter_helo(&p->m, span_of(m->s.helo)), no);
}

/* STARTTLS and XCLIENT make another client of it. */
static void
notice_client(struct mrecv *m, struct peer *p)
{
	struct client c = { .port = m->peer.port };

	memcpy(c.ip, m->peer.ip, sizeof(c.ip));
	memcpy(c.tls, m->tls, sizeof(c.tls));
	if (strcmp(c.ip, p->client.ip) == 0 && c.port == p->client.port &&
	    strcmp(c.tls, p->client.tls) == 0)
		return;
	p->client = c;
	p->content = false;
	p->no.code = 0;
	if (!p->greeted)
		return;
	p->greeted = p->open = false;
	if (!milter_quit_nc(&p->m))
		hang_up(p);
}

/*
 * Nothing was asked, so what can be read is its end, or is not in its
 * place: another connection is a new start.
 */
static void
notice_end(struct peer *p)
{
	if (p->up &&
	    (p->in.data.n > 0 || deadline_wait(p->in.fd, POLLIN, 0) == 0))
		hang_up(p);
}

/*
 * Before MAIL: it is there, and knows who the client is.  False when that
 * is refused; p->done or p->failed when there is nothing to ask.
 */
static bool
enter(struct mrecv *m, struct peer *p, struct said *no)
{
	notice_client(m, p);
	notice_end(p);
	if (p->no.code != 0) {
		*no = p->no;
		return false;
	}
	if (p->content) {
		p->done = true;
		return true;
	}
	if (!p->up && !dial(m, p))
		return peer_heed(p, MILTER_BROKEN, no);
	if (!p->greeted && !tell_connect(m, p, no))
		return false;
	if (p->up && strcmp(p->helo, m->s.helo) != 0)
		return tell_helo(m, p, no);
	return true;
}

/* The parameters of MAIL. */
static struct span
mail_args(const struct mrecv *m)
{
	static char text[SMTPD_MAIL_ARGS + 32];

	if (m->s.declared == 0)
		return span_of(m->s.mail_args);
	snprintf(text, sizeof(text), "SIZE=%llu %s",
	    (unsigned long long)m->s.declared, m->s.mail_args);
	return span_of(text);
}

static bool
tell_mail(struct mrecv *m, struct peer *p, struct said *no)
{
	p->done = p->drop = p->failed = false;
	if (p->open)
		milter_abort(&p->m);
	p->open = false;
	peer_hurry(p, m->milter_time);
	if (!enter(m, p, no))
		return false;
	if (p->done || p->failed)
		return true;
	p->open = true;
	return peer_step(
	    p, milter_mail(&p->m, span_of(m->s.sender), mail_args(m)), no);
}

static bool
tell_rcpt(struct mrecv *m, struct peer *p, struct said *no)
{
	return peer_step(p,
	    milter_rcpt(&p->m, span_of(m->s.rcpt), span_of(m->s.rcpt_arg)), no);
}

static bool
tell_data(struct mrecv *m, struct peer *p, struct said *no)
{
	(void)m;
	return peer_step(p, milter_data(&p->m), no);
}

static bool
tell_more(struct mrecv *m, struct peer *p, struct said *no,
    bool (*tell)(struct mrecv *, struct peer *, struct said *))
{
	if (p->failed)
		return peer_heed(p, MILTER_BROKEN, no);
	if (p->done)
		return true;
	peer_hurry(p, m->milter_time);
	return tell(m, p, no);
}

/* Say no, and what it was about. */
static void
refuse_step(struct mrecv *m, const struct peer *p, const struct said *no,
    const char *id, const char *rcpt)
{
	char why[sizeof(no->text) + LIMIT_PATH];

	snprintf(why, sizeof(why), "%s: %s", p->stage->name, no->text);
	log_refusal(m, id, span_of(rcpt), no->code, span_of(why));
	if (no->code == 421)
		smtpd_turn_away(&m->s, no->code, span_of(no->text));
	else
		smtpd_say(&m->s, no->code, span_of(no->text));
}

bool
milters_mail(struct mrecv *m)
{
	struct said no;

	if (m->dry)
		return true;
	ident_mail(m->conn, m->ids, milter_id);
	m->s.rcpt[0] = '\0';
	for (size_t i = 0; i < m->nstages; i++) {
		struct peer *p = &peers[i];

		if (m->stages[i].argv != NULL)
			continue;
		p->stage = &m->stages[i];
		if (!tell_mail(m, p, &no)) {
			refuse_step(m, p, &no, NULL, NULL);
			return false;
		}
	}
	return true;
}

bool
milters_rcpt(struct mrecv *m)
{
	struct said no;

	for (size_t i = 0; i < m->nstages && !m->dry; i++) {
		struct peer *p = &peers[i];

		if (m->stages[i].argv == NULL &&
		    !tell_more(m, p, &no, tell_rcpt)) {
			refuse_step(m, p, &no, NULL, m->s.rcpt);
			return false;
		}
	}
	return true;
}

bool
milters_data(struct mrecv *m)
{
	struct said no;

	memcpy(milter_id, msg.id, sizeof(milter_id));
	for (size_t i = 0; i < m->nstages && !m->dry; i++) {
		struct peer *p = &peers[i];

		if (m->stages[i].argv == NULL &&
		    !tell_more(m, p, &no, tell_data)) {
			refuse_step(m, p, &no, msg.id, NULL);
			return false;
		}
	}
	return true;
}

void
milters_quit(struct mrecv *m)
{
	for (size_t i = 0; i < m->nstages; i++) {
		struct peer *p = &peers[i];

		if (!p->up)
			continue;
		p->in.deadline = 0; /* if it does not listen, well */
		milter_quit(&p->m);
		if (write_all(p->in.fd, p->m.out.p, p->m.out.n, 0) == -1)
			buf_clear(&p->m.out);
		hang_up(p);
	}
}
