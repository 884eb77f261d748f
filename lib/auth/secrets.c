#include "auth/secrets.h"

#include <errno.h>

#include "auth/hash.h"
#include "base/date.h"
#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"

enum {
	SETTLE = 3, /* seconds until a file that was changed is beyond doubt */
	AGAIN_MS = 500
};

struct secret {
	struct span address, label, scopes, hash;
	int64_t expires; /* INT64_MAX: never */
};

struct question {
	const char *address, *scope, *password;
	int64_t now;
	char *label;
	bool checked; /* a hash was computed */
	enum secrets_result best;
};

static const char *const scope_names[] = { "all", "imap", "pop", "send",
	"sieve" };

static bool
scope_is_known(struct span s)
{
	for (size_t i = 0; i < sizeof(scope_names) / sizeof(scope_names[0]);
	     i++)
		if (span_is(s, scope_names[i]))
			return true;
	return false;
}

/* The next of a list with commas or blanks; empty at its end. */
static struct span
next_scope(struct span *list)
{
	struct span s;

	while (list->n > 0 && (is_blank(*list->p) || *list->p == ','))
		span_take(list, 1);
	s = (struct span){ list->p, 0 };
	while (list->n > 0 && !is_blank(*list->p) && *list->p != ',') {
		span_take(list, 1);
		s.n++;
	}
	return s;
}

static bool
scopes_are_known(struct span list)
{
	struct span s;
	size_t n = 0;

	for (; (s = next_scope(&list)).n > 0; n++)
		if (!scope_is_known(s))
			return false;
	return n > 0;
}

static bool
scopes_have(struct span list, const char *scope)
{
	struct span s;

	while ((s = next_scope(&list)).n > 0)
		if (span_is(s, "all") || span_is(s, scope))
			return true;
	return false;
}

static bool
label_is_fit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]))
			return false;
	return s.n <= SECRETS_LABEL_MAX;
}

/* Why a line is bad, or NULL. */
static const char *
parse(struct span line, struct secret *s)
{
	struct span *part[4] = { &s->address, &s->label, &s->scopes, &s->hash };
	struct span expires;

	for (int i = 0; i < 4; i++) {
		if (line.n == 0)
			return "not ADDRESS:LABEL:SCOPES:HASH:EXPIRES";
		*part[i] = span_cut(&line, ':');
	}
	expires = span_trim(line);
	s->expires = INT64_MAX;
	if (s->address.n == 0)
		return "no address";
	if (!label_is_fit(s->label))
		return "not a label";
	if (!scopes_are_known(s->scopes))
		return "not a scope";
	if (!hash_is_known(s->hash))
		return "not a hash that we know";
	if (expires.n > 0 && !date_parse_rfc3339(expires, &s->expires))
		return "not a date";
	return NULL;
}

/* Keep the best that any line has to say. */
static void
matched(struct question *q, const struct secret *s)
{
	enum secrets_result r = SECRETS_OK;

	if (s->expires <= q->now)
		r = SECRETS_EXPIRED;
	else if (!scopes_have(s->scopes, q->scope))
		r = SECRETS_SCOPE;
	if (q->best != SECRETS_WRONG && r >= q->best)
		return;
	q->best = r;
	if (!span_cstr(s->label, q->label, SECRETS_LABEL_MAX + 1))
		q->label[0] = '\0';
}

/* Compare with all lines of the user, until one is good. */
static void
scan(struct conf *c, struct question *q, char *other, size_t size)
{
	struct span line;
	struct secret s;
	int r;

	while (q->best != SECRETS_OK && (r = conf_next(c, &line)) != 0) {
		const char *what = r == -1 ? strerror(errno) : parse(line, &s);
		enum hash_result h;

		if (what != NULL) {
			conf_bad(c, what);
			if (r == -1)
				return;
			continue;
		}
		if (other[0] == '\0' && !span_cstr(s.hash, other, size))
			other[0] = '\0';
		if (!span_iis(s.address, q->address))
			continue;
		q->checked = true;
		h = hash_check(s.hash, q->password);
		if (h == HASH_BAD)
			conf_bad(c, "a hash that crypt(3) does not know");
		else if (h == HASH_YES)
			matched(q, &s);
	}
}

/*
 * One reading of the file.  Somebody who is not in it costs the time of a
 * wrong password: the first hash of the file is computed for nobody.
 */
static enum secrets_result
ask(struct question *q, bool *fresh)
{
	static struct conf c;
	char other[LIMIT_HASH + 32] = "";
	int64_t age;
	bool doubt;

	*fresh = false;
	q->best = SECRETS_WRONG;
	q->checked = false;
	if (conf_open(&c, "secrets") == -1) {
		warn_sys("%s/secrets", conf_dir());
		return SECRETS_LATER;
	}
	scan(&c, q, other, sizeof(other));
	doubt = conf_doubtful(&c);
	age = unix_now() - c.mtime;
	*fresh = age >= 0 && age < SETTLE;
	conf_close(&c);
	wipe(c.buf, sizeof(c.buf));
	if (!q->checked && other[0] != '\0')
		(void)hash_check(span_of(other), q->password);
	return q->best == SECRETS_WRONG && doubt ? SECRETS_LATER : q->best;
}

enum secrets_result
secrets_check(const char *address, const char *scope, const char *password,
    int64_t now, char label[SECRETS_LABEL_MAX + 1])
{
	struct question q = { .address = address,
		.scope = scope,
		.password = password,
		.now = now,
		.label = label };
	int64_t give_up = deadline_in(SETTLE);
	enum secrets_result r;
	bool fresh;

	for (;;) {
		label[0] = '\0';
		r = ask(&q, &fresh);
		if (r != SECRETS_LATER || !fresh || deadline_now() >= give_up)
			return r;
		nanosleep(
		    &(struct timespec){ .tv_nsec = AGAIN_MS * 1000000L }, NULL);
	}
}
