/*
 * What the file `access` says about a client and its recipients.
 */
#include "dry.h"
#include "io/conf.h"
#include "io/log.h"
#include "policy.h"

enum { SAID_LATER = 1 << PATTERN_FROM | 1 << PATTERN_TO | 1 << PATTERN_HELO };

static struct pattern_facts
facts_of(struct mrecv *m)
{
	return (struct pattern_facts){ .from = span_of(m->s.sender),
		.to = span_of(m->s.rcpt),
		.auth = span_of(m->login),
		.peer = span_of(m->peer.ip),
		.helo = span_of(m->s.helo),
		.client = span_of(m->client),
		.lists = policy.lists,
		.nlists = policy.nlists,
		.client_unasked = !policy.foreign,
		.client_failed = policy.client_failed };
}

static bool
begins_with_status(struct span text)
{
	return text.n > 2 && is_digit(text.p[0]) && text.p[1] == '.' &&
	    is_digit(text.p[2]);
}

/* The words of a line: its own, or ours, of the class that is due. */
static void
put_words(
    struct ruling *r, const struct access_line *l, char cls, const char *dflt)
{
	struct span text = l->text.n > 0 ? l->text : span_of(dflt);
	bool whole = begins_with_status(text) && text.p[0] == cls;

	if (!whole && begins_with_status(text))
		span_word(&text); /* a status of the other class */
	text = span_trim(text);
	snprintf(r->text, sizeof(r->text), "%s%.*s",
	    whole            ? ""
		: cls == '5' ? "5.7.1 "
			     : "4.7.1 ",
	    (int)text.n, text.p);
}

static void
say_no(struct ruling *r, const struct access_line *l, bool for_good)
{
	int code = l->code;

	r->no = true;
	if (code == 0 || code / 100 != (for_good ? 5 : 4))
		code = for_good ? 550 : 450;
	if (l->code == 521 && !for_good)
		code = 421;
	r->code = code;
	put_words(r, l, for_good ? '5' : '4',
	    for_good ? "refused" : "try again later");
}

/* A drop in doubt is a later: nothing is lost to a slip of the pen. */
static void
apply(struct ruling *r, const struct access_verdict *v)
{
	const struct access_line *l = v->line;

	snprintf(r->why, sizeof(r->why), "access:%u%s", l->line,
	    v->doubt && (l->action == ACCESS_REJECT || l->action == ACCESS_DROP)
		? ", in doubt"
		: "");
	switch (l->action) {
	case ACCESS_REJECT:
		say_no(r, l, !v->doubt);
		break;
	case ACCESS_LATER:
		say_no(r, l, false);
		break;
	case ACCESS_DROP:
		if (v->doubt)
			say_no(r, l, false);
		else
			r->drop = true;
		break;
	case ACCESS_HOLD:
		if (l->text.n > 0)
			snprintf(r->hold, sizeof(r->hold), "%.*s",
			    (int)l->text.n, l->text.p);
		else
			snprintf(r->hold, sizeof(r->hold), "%s", r->why);
		break;
	case ACCESS_GREYLIST:
		r->greylist = true;
		r->code = l->code != 0 ? l->code : 451;
		if (l->text.n > 0)
			put_words(r, l, '4', "");
		break;
	case ACCESS_ALLOW:
		r->allow = true;
		break;
	}
}

/* With -v: of each line up to the one that decides, why it does not. */
static void
tell_line(const struct mrecv *m, const struct access_line *l,
    const struct pattern_facts *f)
{
	static const char *const answers[] = { "no", "yes",
		"DNS did not answer", "not known yet" };
	char step[32], because[LIMIT_SMTP_REPLY];
	enum pattern_answer all = access_judge(l, f);
	const struct pattern *p = l->patterns;

	while (all != PATTERN_YES && pattern_judge(p, f) != all)
		p++;
	snprintf(step, sizeof(step), "access:%u", l->line);
	snprintf(because, sizeof(because), "%s %s%.*s%s%.*s",
	    access_name(l->action), pattern_name(p->kind), (int)p->value.n,
	    p->value.p, p->among.n > 0 ? "=" : "", (int)p->among.n, p->among.p);
	dry_line(m, step, f->to, answers[all], because);
}

static void
tell(const struct mrecv *m, const struct pattern_facts *f,
    const struct access_verdict *v)
{
	for (size_t i = 0; m->verbose > 0 && i < policy.access.n; i++) {
		tell_line(m, &policy.access.v[i], f);
		if (&policy.access.v[i] == v->line)
			return;
	}
}

void
access_rule(struct mrecv *m, struct ruling *r)
{
	struct pattern_facts f = facts_of(m);
	struct access_verdict v;

	*r = (struct ruling){ .no = false };
	if (policy.access_broken) {
		*r = (struct ruling){ .no = true,
			.code = 451,
			.text = "4.3.0 try again later",
			.why = "access can't be read" };
		return;
	}
	access_find(&policy.access, &f, &v);
	tell(m, &f, &v);
	if (v.line != NULL)
		apply(r, &v);
}

bool
access_greeting(struct mrecv *m, struct ruling *r)
{
	struct pattern_facts f = facts_of(m);
	struct access_verdict v;

	*r = (struct ruling){ .no = false };
	if (policy.access_broken)
		return false;
	f.not_yet = SAID_LATER;
	access_find(&policy.access, &f, &v);
	if (v.line == NULL)
		return false;
	r->allow = v.line->action == ACCESS_ALLOW;
	if (v.line->code != 421 && v.line->code != 521)
		return false;
	apply(r, &v);
	return true;
}
