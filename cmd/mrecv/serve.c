/*
 * The dialogue: bytes to the engine, its events to those who decide, its
 * replies to the client, all that gathered in one write.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dry.h"
#include "io/deadline.h"
#include "io/log.h"
#include "io/stop.h"

enum { LINGER = 2, LINGER_MAX = 1 << 20 };

int
flush(struct mrecv *m)
{
	int r = 0;

	if (m->dry)
		dry_flush(m);
	else
		patience_tarpit(m);
	if (m->s.out.n > 0 && !m->dry) {
		m->answered = true;
		r = write_all(STDOUT_FILENO, m->s.out.p, m->s.out.n,
		    deadline_in(m->command_time));
	}
	buf_clear(&m->s.out);
	if (r == -1)
		m->why = "gone";
	return r;
}

static bool
in_octets(const struct mrecv *m)
{
	return m->s.state == SMTPD_IN_BODY || m->s.state == SMTPD_IN_CHUNK;
}

static int64_t
patience(const struct mrecv *m)
{
	int64_t t = deadline_in(in_octets(m) ? m->data_time : m->command_time);

	return t < m->end ? t : m->end;
}

/*
 * More input; false when the client will not say more, or when we are to
 * end and no message is on its way.
 */
static bool
listen_more(struct mrecv *m)
{
	if (m->dry)
		return dry_fill(m);
	/* a command that has begun does not get more time by going on */
	if (m->answered || m->in.data.n == 0 || in_octets(m))
		m->in.deadline = patience(m);
	m->answered = false;
	if (!smtpd_in_message(&m->s) &&
	    stop_wait(m->in.fd, m->in.deadline) == 1) {
		m->why = "shutdown";
		smtpd_bye(&m->s, SMTP_SHUT_DOWN);
		flush(m);
		return false;
	}
	switch (in_fill(&m->in)) {
	case IN_DATA:
		return true;
	case IN_TIMEOUT:
		m->why = "timeout";
		smtpd_bye(&m->s, SMTP_TIMEOUT);
		flush(m);
		return false;
	case IN_EOF:
	case IN_FULL:
	case IN_ERROR:
		m->why = "gone";
		return false;
	}
	return false;
}

/*
 * Close so that the client reads our last words: input that nobody reads
 * would make the kernel reset the connection and drop them.
 */
static void
linger(void)
{
	char waste[8192];
	int64_t until = deadline_in(LINGER);
	size_t n = 0;

	if (shutdown(STDOUT_FILENO, SHUT_WR) == -1)
		close(STDOUT_FILENO);
	while (
	    n < LINGER_MAX && deadline_wait(STDIN_FILENO, POLLIN, until) == 0) {
		ssize_t r = read(STDIN_FILENO, waste, sizeof(waste));

		if (r <= 0)
			break;
		n += (size_t)r;
	}
}

/* One event.  False at the end of the session. */
static bool
step(struct mrecv *m, enum smtpd_event event)
{
	switch (event) {
	case SMTPD_MORE:
		if (flush(m) == -1 || !listen_more(m))
			return false;
		m->s.now = unix_now();
		return true;
	case SMTPD_FLUSH:
		return flush(m) == 0;
	case SMTPD_MAIL:
		policy_mail(m);
		return true;
	case SMTPD_RCPT:
		policy_rcpt(m);
		return true;
	case SMTPD_DATA:
		message_begin(m);
		return true;
	case SMTPD_BODY:
		message_write(m);
		return true;
	case SMTPD_END:
		message_end(m);
		return true;
	case SMTPD_ABORT:
		if (m->s.aborted == SMTP_RESET)
			message_abort(m, SMTP_LATER, "reset");
		else
			message_abort(m, m->s.aborted, NULL);
		return true;
	case SMTPD_XCLIENT:
		xclient(m);
		return true;
	case SMTPD_TLS:
		m->why = "tls";
		return starttls(m) == 0;
	case SMTPD_CLOSE:
		m->why = m->s.quit ? "quit" : "refused";
		if (flush(m) == 0 && !m->s.quit && !m->dry)
			linger();
		return false;
	}
	return false;
}

static void
log_close(struct mrecv *m)
{
	struct logline l;

	if (m->dry)
		return;
	log_begin(&l, "close");
	if (m->peer.ip[0] != '\0')
		log_str(&l, "peer", m->peer.ip);
	log_str(&l, "svc",
	    m->lmtp             ? "lmtp"
		: m->submission ? "submission"
				: "smtp");
	if (m->login[0] != '\0')
		log_str(&l, "user", m->login);
	if (m->tls[0] != '\0')
		log_str(&l, "tls", m->tls);
	log_num(&l, "n", m->accepted);
	log_str(&l, "why", m->why);
	log_end(&l);
}

static enum smtpd_event
next(struct mrecv *m)
{
	size_t n = m->s.out.n;
	enum smtpd_event event = smtpd_next(&m->s, &m->in.data);

	dry_engine(m, n);
	return event;
}

void
serve(struct mrecv *m)
{
	if (m->by_login) {
		struct span name = m->hello, verb = span_word(&name);

		smtpd_resume(&m->s, span_trim(name), span_iis(verb, "EHLO"));
	} else if (policy_greet(m)) {
		smtpd_greet(&m->s);
	}
	while (step(m, next(m)))
		continue;
	message_abort(m, SMTP_LATER, m->why);
	milters_quit(m);
	log_close(m);
}
