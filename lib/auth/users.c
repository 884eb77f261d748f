#include "auth/users.h"

#include <pwd.h>
#include <unistd.h>

#include "auth/again.h"
#include "base/num.h"
#include "io/conf.h"
#include "mail/addr.h"
#include "mail/idn.h"

static const char users_file[] = "users";

/* number ["K" / "M" / "G" / "T"] */
static bool
parse_bytes(struct span s, uint64_t *n)
{
	static const char units[] = "KMGT";
	unsigned shift = 0;

	for (unsigned i = 0; s.n > 1 && units[i] != '\0'; i++)
		if (to_upper(s.p[s.n - 1]) == units[i])
			shift = 10 * (i + 1);
	if (shift > 0)
		s.n--;
	if (!num_u64(s, n) || *n > UINT64_C(1) << 62 >> shift)
		return false;
	*n <<= shift;
	return true;
}

/* quota = bytes ["," messages] */
static bool
parse_quota(struct span value, struct user *u)
{
	size_t at = span_chr(value, ',');
	struct span bytes = span_take(&value, at);

	return parse_bytes(bytes, &u->quota_bytes) &&
	    (value.n == 0 ||
		(span_take(&value, 1).n == 1 &&
		    num_u64(value, &u->quota_messages))) &&
	    u->quota_messages < UINT64_C(1) << 62;
}

static bool
parse_sessions(struct span value, struct user *u)
{
	uint32_t n;

	if (!num_u32(value, &n) || n > LIMIT_SESSIONS_MAX)
		return false;
	u->has_sessions = true;
	u->sessions = n;
	return true;
}

/* One "name=value" or "disabled" of the last field. */
static bool
parse_option(struct span o, struct user *u)
{
	struct span value = o, name = span_cut(&value, '=');

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
	} else if (span_is(name, "send")) {
		return span_cstr(value, u->send, sizeof(u->send));
	} else if (span_is(name, "separator")) {
		if (value.n != 1 || (*value.p != '/' && *value.p != '.'))
			return false;
		u->separator = *value.p;
	} else if (span_is(name, "prefix")) {
		u->has_prefix = true;
		return span_cstr(value, u->prefix, sizeof(u->prefix));
	} else if (span_is(name, "sessions")) {
		return parse_sessions(value, u);
	} else if (span_is(name, "quota")) {
		return parse_quota(value, u);
	} else {
		return false;
	}
	return true;
}

/* The fields of a line; nothing is copied before it is known to be meant. */
struct fields {
	struct span address, home, options;
	uint32_t uid, gid;
};

/* ADDRESS:UID:GID:HOME:OPTIONS; an address literal may hold colons */
static bool
split_user(struct span line, struct fields *f)
{
	struct span local, rest = line, uid, gid;
	size_t at = span_chr(line, '@');

	if (at < line.n && at + 1 < line.n && line.p[at + 1] == '[')
		at = span_chr(line, ']');
	local = span_take(&rest, at < line.n ? at : 0);
	f->address = span_cut(&rest, ':');
	f->address = (struct span){ local.p, local.n + f->address.n };
	uid = span_cut(&rest, ':');
	gid = span_cut(&rest, ':');
	f->home = span_cut(&rest, ':');
	f->options = rest;
	return num_u32(uid, &f->uid) && num_u32(gid, &f->gid) &&
	    f->home.n > 0 && *f->home.p == '/' &&
	    f->home.n + sizeof("/Maildir") <= LIMIT_PATH &&
	    /* a file that was cut off has this colon missing, too */
	    rest.p != NULL && rest.p > line.p && rest.p[-1] == ':' &&
	    f->address.n <= LIMIT_ADDRESS && addr_valid(f->address);
}

static bool
parse_options(struct span rest, struct user *u)
{
	for (;;) {
		struct span o = span_word(&rest);

		if (o.n == 0)
			return true;
		if (!parse_option(o, u))
			return false;
	}
}

static bool
fill_user(const struct fields *f, struct user *u)
{
	*u = (struct user){ .uid = f->uid, .gid = f->gid };
	memcpy(u->address, f->address.p, f->address.n);
	memcpy(u->home, f->home.p, f->home.n);
	snprintf(u->maildir, sizeof(u->maildir), "%.*s/Maildir", (int)f->home.n,
	    f->home.p);
	return parse_options(f->options, u);
}

bool
users_line_ok(struct span line)
{
	static struct user u;
	struct fields f;

	return split_user(line, &f) && fill_user(&f, &u) && u.uid != 0;
}

/* What one look through the file looks for. */
struct want {
	struct span address; /* p NULL: by uid, or the first */
	bool by_uid;
	uid_t uid;
};

/* A disabled user gets nobody else's mail. */
static bool
is_meant(const struct want *w, const struct fields *f)
{
	if (w->address.p != NULL)
		return addr_alike(f->address, w->address);
	if (w->by_uid)
		return f->uid == w->uid;
	return span_find(f->options, SPAN("disabled")) == f->options.n;
}

/* Lines that are not meant are checked only for what can be seen quickly. */
static enum verdict
look(const struct want *w, struct user *u)
{
	static struct conf c;
	static struct user found;
	enum verdict v = PERM;
	bool exact = false;
	struct span line;
	int r = 0;

	if (conf_open(&c, users_file) == -1)
		return TEMP;
	while (!exact && (r = conf_next(&c, &line)) == 1) {
		struct fields f;
		bool good = split_user(line, &f),
		     meant = good && is_meant(w, &f);

		if (meant || (good && f.options.n > 0))
			good = fill_user(&f, &found);
		if (!good)
			conf_bad(&c, "not ADDRESS:UID:GID:HOME:OPTIONS");
		if (!good || !meant)
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

	do {
		fresh = conf_file_fresh(users_file);
		v = look(w, u);
	} while (v == TEMP && fresh && again(&a));
	return v;
}

enum verdict
users_find(struct span address, struct user *u)
{
	struct want w = { .address = address };

	return address.n == 0 ? PERM : look_again(&w, u);
}

enum verdict
users_find_now(struct span address, struct user *u)
{
	struct want w = { .address = address };

	return address.n == 0 ? PERM : look(&w, u);
}

enum verdict
users_find_uid(uid_t uid, struct user *u)
{
	struct want w = { .by_uid = true, .uid = uid };

	return look(&w, u);
}

enum verdict
users_first(struct user *u)
{
	struct want w = { .by_uid = false };

	return look(&w, u);
}

enum verdict
users_may_send(const struct user *u, struct span address)
{
	static struct rcpt r;
	struct span list = span_of(u->send), targets;

	if (addr_same(address, span_of(u->address)) ||
	    addr_alike(address, span_of(u->address)))
		return OK;
	while (list.n > 0) {
		struct span one = span_trim(span_cut(&list, ','));

		if (addr_same(one, address) || span_is(one, "*"))
			return OK;
		if (one.n > 1 && *one.p == '@') {
			size_t at = span_rchr(address, '@');
			struct span domain = { address.p + at, address.n - at };

			span_take(&one, 1);
			if (domain.n > 0)
				span_take(&domain, 1);
			if (idn_same(one, domain))
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

/* $HOME, else what passwd says; NULL: neither. */
static const char *
home_of_caller(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home == NULL || home[0] != '/') {
		pw = getpwuid(getuid());
		home = pw != NULL ? pw->pw_dir : NULL;
	}
	return home != NULL && home[0] == '/' ? home : NULL;
}

bool
users_maildir(const char *arg, char *path, size_t size)
{
	const char *env = getenv("MAILDIR"), *home;
	struct user u;
	int n;

	if (arg == NULL && env != NULL && env[0] != '\0')
		arg = env;
	if (arg == NULL && conf_exists() && users_find_uid(getuid(), &u) == OK)
		arg = u.maildir;
	if (arg != NULL)
		n = snprintf(path, size, "%s", arg);
	else if ((home = home_of_caller()) != NULL)
		n = snprintf(path, size, "%s/Maildir", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}
