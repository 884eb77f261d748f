/*
 * Who may send, and to whom.
 */
#include "policy.h"
#include "dry.h"
#include "io/conf.h"
#include "io/fs.h"
#include "io/log.h"
#include "mail/addr.h"

/* Where a recipient leads. */
static struct rcpt found;

static void
answer(struct mrecv *m, const char *step, struct span rcpt, enum smtp_reply r,
    const char *because)
{
	const struct smtp_text *t = smtp_text(r);

	if (t->code >= 400)
		log_refusal(m, NULL, rcpt, t->code, span_of(t->text));
	dry_reply(m, step, rcpt.n > 0 ? rcpt : span_of(m->s.sender), t->code,
	    t->text, because);
	smtpd_reply(&m->s, r);
}

/* Room for the message as it was announced, and the floor below it. */
static bool
has_space(const struct mrecv *m)
{
	uint64_t room = fs_free_bytes(m->queue.fd);

	return room >= m->floor && room - m->floor >= m->s.declared;
}

/*
 * A login may send as addresses that are its own.  The null sender is
 * nobody's: clients use it for the notices that RFC 8098 asks them to send.
 */
static enum verdict
may_send(struct mrecv *m, struct span sender)
{
	if (sender.n == 0 || m->trusted)
		return OK;
	if (m->lookup == OK)
		return users_may_send(&m->user, sender);
	if (addr_same(span_of(m->login), sender))
		return OK;
	return m->lookup;
}

static enum smtp_reply
judge_sender(struct mrecv *m)
{
	enum verdict v;

	if (m->submission && !m->known)
		return SMTP_NEED_LOGIN;
	if (m->ids >= MRECV_MESSAGES)
		return SMTP_LATER;
	if (m->direct && m->queue.fd == -1 && !m->dry)
		return SMTP_LATER;
	if (m->direct && m->queue.fd != -1 && !has_space(m))
		return SMTP_NO_SPACE;
	v = m->known ? may_send(m, span_of(m->s.sender)) : OK;
	if (v != OK)
		return v == PERM ? SMTP_NOT_YOURS : SMTP_LATER;
	return SMTP_SENDER_OK;
}

/* For -n. */
static const char *
sender_because(const struct mrecv *m)
{
	if (m->submission && !m->known)
		return "nobody has logged in";
	return m->known ? m->login : "anybody may send";
}

void
policy_mail(struct mrecv *m)
{
	enum smtp_reply v = judge_sender(m);

	m->hold[0] = '\0';
	policy.counted = false;
	if (v == SMTP_SENDER_OK && !milters_mail(m))
		return;
	answer(m, "mail", SPAN(""), v, sender_because(m));
}

/* The first domain that is delivered here, or our own name. */
static const char *
first_domain(struct mrecv *m, char *to, size_t size)
{
	static struct conf c;
	struct span line;

	if (conf_open(&c, "domains") == -1)
		return m->s.conf.host;
	while (conf_next(&c, &line) == 1) {
		struct span name = span_word(&line);

		if (!span_is(span_word(&line), "relay") &&
		    addr_domain_valid(name) && span_cstr(name, to, size)) {
			conf_close(&c);
			return to;
		}
	}
	conf_close(&c);
	return m->s.conf.host;
}

/* "postmaster" alone, or at our own name, gets a domain that has a route. */
static void
qualify(struct mrecv *m, const struct rcpt *r)
{
	char domain[LIMIT_DOMAIN + 1];
	size_t n = span_rchr(span_of(m->s.rcpt), '@');

	if (r->own_name || m->s.rcpt[n] == '\0')
		snprintf(m->s.rcpt + n, sizeof(m->s.rcpt) - n, "@%s",
		    first_domain(m, domain, sizeof(domain)));
}

/* *ours: a mailbox of this host. */
static enum smtp_reply
judge_rcpt(struct mrecv *m, bool *ours)
{
	*ours = false;
	switch (rcpt_find(span_of(m->s.rcpt), &found)) {
	case RCPT_USER:
		if (found.user.disabled)
			return SMTP_DISABLED;
		*ours = true;
		qualify(m, &found);
		return SMTP_RCPT_OK;
	case RCPT_ALIAS:
		*ours = true;
		qualify(m, &found);
		return SMTP_RCPT_OK;
	case RCPT_RELAY:
		return m->lmtp ? SMTP_NO_RELAY : SMTP_RCPT_OK;
	case RCPT_FOREIGN:
		return m->known ? SMTP_RCPT_OK : SMTP_NO_RELAY;
	case RCPT_UNKNOWN:
		return SMTP_NO_USER;
	case RCPT_LATER:
		return SMTP_LATER;
	}
	return SMTP_LATER;
}

/* Who must be reached, whatever is wrong (RFC 5321, section 4.5.1). */
static bool
is_postmaster(struct span address)
{
	struct span local = span_take(&address, span_rchr(address, '@'));

	return span_iis(local, "postmaster") || span_iis(local, "abuse");
}

static void
say_ruling(struct mrecv *m, const struct ruling *r)
{
	char why[sizeof(r->why) + sizeof(r->text) + 2];

	snprintf(why, sizeof(why), "%s: %s", r->why, r->text);
	log_refusal(m, NULL, span_of(m->s.rcpt), r->code, span_of(why));
	dry_reply(m, "rcpt", span_of(m->s.rcpt), r->code, r->text, r->why);
	if (r->code == 421 || r->code == 521)
		smtpd_turn_away(&m->s, r->code, span_of(r->text));
	else
		smtpd_say(&m->s, r->code, span_of(r->text));
}

/* The client is told that all is well. */
static void
drop_rcpt(struct mrecv *m, const struct ruling *r)
{
	struct logline l;

	if (!m->dry) {
		log_message(m, &l, "drop", NULL);
		log_str(&l, "rcpt", m->s.rcpt);
		log_str(&l, "why", r->why);
		log_end(&l);
	}
	dry_line(m, "rcpt", span_of(m->s.rcpt), "250, dropped", r->why);
	smtpd_reply(&m->s, SMTP_RCPT_OK);
	smtpd_pass_over(&m->s);
}

/* All that may stand against a recipient that is known here. */
static void
judge_policy(struct mrecv *m, enum smtp_reply known, struct ruling *r)
{
	access_rule(m, r);
	if (r->no || known != SMTP_RCPT_OK || r->drop)
		return;
	if (r->greylist)
		greylist_rule(m, r);
	if (!r->no && !r->allow)
		rate_rule(m, r);
}

void
policy_rcpt(struct mrecv *m)
{
	static struct ruling r;
	char because[128];
	bool ours;
	enum smtp_reply v = judge_rcpt(m, &ours);

	r = (struct ruling){ .no = false };
	if (!m->lmtp && !(ours && is_postmaster(span_of(m->s.rcpt))))
		judge_policy(m, v, &r);
	if (r.no) {
		say_ruling(m, &r);
	} else if (v == SMTP_RCPT_OK && r.drop) {
		drop_rcpt(m, &r);
	} else if (v != SMTP_RCPT_OK || milters_rcpt(m)) {
		if (v == SMTP_RCPT_OK && r.hold[0] != '\0')
			memcpy(m->hold, r.hold, sizeof(m->hold));
		snprintf(because, sizeof(because), "%s%s%s", found.because,
		    v == SMTP_RCPT_OK && r.why[0] != '\0' ? ", " : "",
		    v == SMTP_RCPT_OK ? r.why : "");
		answer(m, "rcpt", span_of(m->s.rcpt), v, because);
	}
}
