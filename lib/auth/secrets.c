#include "auth/secrets.h"

#include <errno.h>

#include "auth/hash.h"
#include "auth/loginkey.h"
#include "base/date.h"
#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"

enum {
	SETTLE = 3, /* seconds until a file that was changed is beyond doubt */
	AGAIN_MS = 500
};

struct question {
	const char *address, *scope;
	struct credential shown;
	int64_t now;
	char *label;
	struct scram_secret *found;
	struct scram_secret memo;
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

bool
secrets_scopes_known(struct span list)
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

bool
secrets_label_fit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]) || s.p[i] == ':')
			return false;
	return s.n <= SECRETS_LABEL_MAX;
}

const char *
secrets_parse(struct span line, struct secret *s)
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
	if (!secrets_label_fit(s->label))
		return "not a label";
	if (!secrets_scopes_known(s->scopes))
		return "not a scope";
	if (!hash_is_known(s->hash))
		return "not a hash that we know";
	if (expires.n > 0 && !date_parse_rfc3339(expires, &s->expires))
		return "not a date";
	return NULL;
}

static enum secrets_result
quality(const struct secret *s, const char *scope, int64_t now)
{
	if (s->expires <= now)
		return SECRETS_EXPIRED;
	return scopes_have(s->scopes, scope) ? SECRETS_OK : SECRETS_SCOPE;
}

/* Keep the best that any line has to say. */
static void
matched(struct question *q, const struct secret *s)
{
	enum secrets_result r = quality(s, q->scope, q->now);

	if (q->best != SECRETS_WRONG && r >= q->best)
		return;
	q->best = r;
	if (!span_cstr(s->label, q->label, SECRETS_LABEL_MAX + 1))
		q->label[0] = '\0';
	if (q->shown.password == NULL)
		(void)!hash_scram(s->hash, q->found);
}

/* A line of the user, against what was shown. */
static enum hash_result
compare(struct question *q, const struct secret *s)
{
	struct scram_secret keys;
	bool same;

	q->checked = true;
	if (q->shown.password != NULL)
		return hash_check(s->hash, q->shown.password, &q->memo);
	same =
	    hash_scram(s->hash, &keys) && scramd_proves(q->shown.proof, &keys);
	wipe(&keys, sizeof(keys));
	return same ? HASH_YES : HASH_NO;
}

/* The next line that is one: 1; 0 at the end, also after an error. */
static int
next_secret(struct conf *c, struct secret *s)
{
	struct span line;
	int r;

	while ((r = conf_next(c, &line)) != 0) {
		const char *what =
		    r == -1 ? strerror(errno) : secrets_parse(line, s);

		if (what == NULL)
			return 1;
		conf_bad(c, what);
		if (r == -1)
			return 0;
	}
	return 0;
}

/* Compare with all lines of the user, until one is good. */
static void
scan(struct conf *c, struct question *q, char *other, size_t size)
{
	struct secret s;

	while (q->best != SECRETS_OK && next_secret(c, &s) == 1) {
		enum hash_result h;

		if (other[0] == '\0' && !span_cstr(s.hash, other, size))
			other[0] = '\0';
		if (!span_iis(s.address, q->address))
			continue;
		h = compare(q, &s);
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
	q->label[0] = '\0';
	if (conf_open(&c, "secrets") == -1) {
		warn_sys("%s/secrets", conf_dir());
		return SECRETS_LATER;
	}
	scan(&c, q, other, sizeof(other));
	doubt = conf_doubtful(&c);
	age = unix_now() - c.mtime;
	*fresh = age >= 0 && age < SETTLE;
	conf_close(&c);
	in_wipe(&c.in);
	if (!q->checked && other[0] != '\0' && q->shown.password != NULL)
		(void)hash_check(span_of(other), q->shown.password, &q->memo);
	wipe(&q->memo, sizeof(q->memo));
	return q->best == SECRETS_WRONG && doubt ? SECRETS_LATER : q->best;
}

/* Look again? An editor may be writing. */
static bool
once_more(int64_t give_up)
{
	if (deadline_now() >= give_up)
		return false;
	nanosleep(&(struct timespec){ .tv_nsec = AGAIN_MS * 1000000L }, NULL);
	return true;
}

enum secrets_result
secrets_check(const char *address, const char *scope,
    const struct credential *shown, int64_t now,
    char label[SECRETS_LABEL_MAX + 1], struct scram_secret *found)
{
	struct question q = { .address = address,
		.scope = scope,
		.shown = *shown,
		.now = now,
		.label = label,
		.found = found };
	int64_t give_up = deadline_in(SETTLE);
	enum secrets_result r;
	bool fresh;

	do
		r = ask(&q, &fresh);
	while (r == SECRETS_LATER && fresh && once_more(give_up));
	return r;
}

/* For nobody: as if made by mpasswd when the first of the file was. */
static void
invent(const char *name, struct span other, struct scram_secret *s)
{
	unsigned char digest[SHA256_LEN];
	char lower[LIMIT_LOGIN + 1];
	size_t n = 0;

	for (; name[n] != '\0' && n < LIMIT_LOGIN; n++)
		lower[n] = to_lower(name[n]);
	loginkey_mac("salt", (struct span){ lower, n }, other, digest);
	if (s->nsalt > SHA256_LEN)
		s->nsalt = SHA256_LEN;
	memcpy(s->salt, digest, s->nsalt);
}

/* One reading: whether the user has a SCRAM secret, the best for now. */
static bool
find_salt(struct conf *c, const char *address, const char *scope, int64_t now,
    struct scram_secret *found, char *other, size_t size)
{
	enum secrets_result best = SECRETS_WRONG, r;
	struct scram_secret keys = { 0 };
	struct secret s;
	bool first = true;

	while (next_secret(c, &s) == 1) {
		bool meant = span_iis(s.address, address);

		if ((!meant && !first) || !hash_scram(s.hash, &keys))
			continue;
		if (first && best == SECRETS_WRONG) {
			*found = keys;
			if (!span_cstr(s.hash, other, size))
				other[0] = '\0';
		}
		first = false;
		r = quality(&s, scope, now);
		if (!meant || (best != SECRETS_WRONG && r >= best))
			continue;
		best = r;
		*found = keys;
	}
	wipe(&keys, sizeof(keys));
	return best != SECRETS_WRONG;
}

bool
secrets_salt(const char *address, const char *name, const char *scope,
    int64_t now, struct scram_secret *s)
{
	static struct conf c;
	char other[LIMIT_HASH + 32];
	int64_t give_up = deadline_in(SETTLE), age;
	bool found, fresh;

	do {
		other[0] = '\0';
		*s = (struct scram_secret){ .rounds = SCRAM_ROUNDS,
			.nsalt = SCRAM_SALT };
		if (conf_open(&c, "secrets") == -1) {
			warn_sys("%s/secrets", conf_dir());
			return false;
		}
		found =
		    find_salt(&c, address, scope, now, s, other, sizeof(other));
		age = unix_now() - c.mtime;
		fresh = age >= 0 && age < SETTLE;
		conf_close(&c);
		in_wipe(&c.in);
	} while (!found && fresh && once_more(give_up));
	if (!found)
		invent(name, span_of(other), s);
	wipe(s->stored, sizeof(s->stored));
	wipe(s->server, sizeof(s->server));
	wipe(other, sizeof(other));
	return true;
}

/* ADDRESS ":" LABEL ":" SCOPES ":{SCRAM-SHA-256}": no more is looked at. */
bool
secrets_are_scram(void)
{
	static struct conf c;
	struct span line;
	bool ok = true;
	unsigned n = 0;

	if (conf_open(&c, "secrets") == -1)
		return false;
	while (ok && conf_next(&c, &line) == 1) {
		for (int i = 0; i < 3 && line.n > 0; i++)
			span_cut(&line, ':');
		ok = span_istarts(line, "{SCRAM-SHA-256}");
		n++;
	}
	conf_close(&c);
	in_wipe(&c.in);
	return ok && n > 0;
}
