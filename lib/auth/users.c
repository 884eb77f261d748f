#include "auth/users.h"

#include <unistd.h>

#include "auth/again.h"
#include "base/num.h"
#include "io/conf.h"
#include "mail/addr.h"

static const char users_file[] = "users";

/* One "name=value" or "disabled" of the last field. */
static bool
parse_option(struct span o, struct user *u)
{
	struct span value = o, name = span_cut(&value, '=');
	uint64_t n;

	if (span_is(o, "disabled")) {
		u->disabled = true;
	} else if (span_is(name, "maildir")) {
		char dir[LIMIT_PATH];

		if (value.n == 0 || !span_cstr(value, dir, sizeof(dir)))
			return false;
		if (dir[0] == '/')
			return span_cstr(value, u->maildir, sizeof(u->maildir));
		return snprintf(u->maildir, sizeof(u->maildir), "%s/%s",
			   u->home, dir) < (int)sizeof(u->maildir);
	} else if (span_is(name, "quota")) {
		if (!num_u64(value, &n))
			return false;
		u->quota = n;
	} else if (span_is(name, "send")) {
		return span_cstr(value, u->send, sizeof(u->send));
	} else if (span_is(name, "separator")) {
		if (value.n != 1 || (*value.p != '/' && *value.p != '.'))
			return false;
		u->separator = *value.p;
	} else if (span_is(name, "prefix")) {
		return span_cstr(value, u->prefix, sizeof(u->prefix));
	} else {
		return false;
	}
	return true;
}

/* ADDRESS:UID:GID:HOME:OPTIONS; an address literal may hold colons */
static bool
parse_user(struct span line, struct user *u)
{
	struct span local, rest = line, address, uid, gid, home;
	size_t at = span_chr(line, '@');
	uint32_t un, gn;

	*u = (struct user){ .separator = '/' };
	if (at < line.n && at + 1 < line.n && line.p[at + 1] == '[')
		at = span_chr(line, ']');
	local = span_take(&rest, at < line.n ? at : 0);
	address = span_cut(&rest, ':');
	address = (struct span){ local.p, local.n + address.n };
	uid = span_cut(&rest, ':');
	gid = span_cut(&rest, ':');
	home = span_cut(&rest, ':');
	if (!addr_valid(address) || !num_u32(uid, &un) || !num_u32(gid, &gn) ||
	    home.n == 0 || home.p[0] != '/' ||
	    !span_cstr(address, u->address, sizeof(u->address)) ||
	    !span_cstr(home, u->home, sizeof(u->home)) ||
	    snprintf(u->maildir, sizeof(u->maildir), "%s/Maildir", u->home) >=
		(int)sizeof(u->maildir))
		return false;
	u->uid = un;
	u->gid = gn;
	for (;;) {
		struct span o = span_word(&rest);

		if (o.n == 0)
			return true;
		if (!parse_option(o, u))
			return false;
	}
}

/* What one look through the file looks for. */
struct want {
	struct span address; /* p NULL: by uid, or the first */
	bool by_uid, first;
	uid_t uid;
};

static bool
may_match(const struct want *w, struct span line)
{
	return w->address.p == NULL ||
	    (line.n > w->address.n &&
		span_ieq((struct span){ line.p, w->address.n }, w->address) &&
		line.p[w->address.n] == ':');
}

/*
 * One look.  Lines that are not meant are only checked roughly: a bad one
 * is found by the number of its colons.
 */
static enum verdict
look(const struct want *w, struct user *u, bool *fresh)
{
	static struct conf c;
	enum verdict v = PERM;
	bool exact = false;
	struct span line;
	int r = 0;

	*fresh = false;
	if (conf_open(&c, users_file) == -1)
		return TEMP;
	*fresh = conf_fresh(&c);
	while (!exact && (r = conf_next(&c, &line)) == 1) {
		struct user found;

		if (!may_match(w, line)) {
			size_t colons = 0;

			for (size_t i = 0; i < line.n; i++)
				colons += line.p[i] == ':';
			if (colons < 4)
				conf_bad(
				    &c, "not ADDRESS:UID:GID:HOME:OPTIONS");
			continue;
		}
		if (!parse_user(line, &found)) {
			conf_bad(&c, "not ADDRESS:UID:GID:HOME:OPTIONS");
			continue;
		}
		if (w->by_uid && found.uid != w->uid)
			continue;
		exact = w->address.p == NULL ||
		    addr_same(span_of(found.address), w->address);
		if (exact || v != OK)
			*u = found;
		v = OK;
	}
	if (v == PERM && (r == -1 || conf_doubtful(&c)))
		v = TEMP;
	conf_close(&c);
	return v;
}

static enum verdict
look_again(const struct want *w, struct user *u)
{
	struct again a = { 0 };
	enum verdict v;
	bool fresh;

	while ((v = look(w, u, &fresh)) == TEMP && fresh && again(&a))
		continue;
	return v;
}

enum verdict
users_find(struct span address, struct user *u)
{
	struct want w = { .address = address };

	if (address.n == 0)
		return PERM;
	return look_again(&w, u);
}

enum verdict
users_find_uid(uid_t uid, struct user *u)
{
	struct want w = { .by_uid = true, .uid = uid };
	bool fresh;

	return look(&w, u, &fresh);
}

enum verdict
users_first(struct user *u)
{
	struct want w = { .first = true };

	return look_again(&w, u);
}

enum verdict
users_may_send(const struct user *u, struct span address)
{
	static struct rcpt r;
	struct span list = span_of(u->send), targets;

	if (addr_same(address, span_of(u->address)) ||
	    span_ieq(address, span_of(u->address)))
		return OK;
	while (list.n > 0) {
		struct span one = span_trim(span_cut(&list, ','));

		if (addr_same(one, address) || span_is(one, "*"))
			return OK;
		if (one.n > 1 && *one.p == '@') {
			size_t at = span_rchr(address, '@');
			struct span domain = { address.p + at, address.n - at };

			if (span_ieq(one, domain))
				return OK;
		}
	}
	switch (rcpt_find(address, &r)) {
	case RCPT_USER:
		return addr_same(span_of(r.user.address), span_of(u->address))
		    ? OK
		    : PERM;
	case RCPT_ALIAS:
		targets = span_of(r.targets);
		while (targets.n > 0)
			if (addr_same(span_trim(span_cut(&targets, ',')),
				span_of(u->address)))
				return OK;
		return PERM;
	case RCPT_LATER:
		return TEMP;
	case RCPT_RELAY:
	case RCPT_FOREIGN:
	case RCPT_UNKNOWN:
		break;
	}
	return PERM;
}

bool
users_maildir(const char *arg, char *path, size_t size)
{
	const char *env = getenv("MAILDIR"), *home = getenv("HOME");
	struct user u;
	int n;

	if (arg == NULL && env != NULL && env[0] != '\0')
		arg = env;
	if (arg == NULL && conf_exists() && users_find_uid(getuid(), &u) == OK)
		arg = u.maildir;
	if (arg != NULL)
		n = snprintf(path, size, "%s", arg);
	else if (home != NULL && home[0] == '/')
		n = snprintf(path, size, "%s/Maildir", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}
