/*
 * Where an address leads: domains first, then users, then aliases.
 */
#include <errno.h>

#include "auth/again.h"
#include "auth/users.h"
#include "io/conf.h"
#include "mail/addr.h"
#include "mail/idn.h"

enum { SAME_AS_MAX = 4 };

struct domain {
	bool relay;
	char separator; /* of subaddresses, '\0' for none */
	char same_as[LIMIT_DOMAIN + 1];
	char catchall[LIMIT_ADDRESS + 1];
};

/* DOMAIN [relay] [same-as=DOMAIN] [sep=+] [catchall=ADDRESS] */
static bool
parse_domain(struct span rest, struct domain *d)
{
	*d = (struct domain){ .separator = '+' };
	for (;;) {
		struct span word = span_word(&rest), value = word, name;

		if (word.n == 0)
			return true;
		name = span_cut(&value, '=');
		if (span_is(word, "relay"))
			d->relay = true;
		else if (span_is(name, "same-as") && addr_domain_valid(value)) {
			if (!span_cstr(value, d->same_as, sizeof(d->same_as)))
				return false;
		} else if (span_is(name, "sep") && value.n <= 1)
			d->separator = value.n == 0 ? '\0' : *value.p;
		else if (span_is(name, "catchall") && addr_valid(value)) {
			if (!span_cstr(value, d->catchall, sizeof(d->catchall)))
				return false;
		} else
			return false;
	}
}

static enum verdict
find_domain(struct span name, struct domain *d)
{
	static struct conf c;
	enum verdict v = PERM;
	struct span line;
	int r = 0;

	if (conf_open(&c, "domains") == -1)
		return TEMP;
	while (v == PERM && (r = conf_next(&c, &line)) == 1) {
		struct span rest = line, word = span_word(&rest);
		struct domain found;

		if (!addr_domain_valid(word) || !parse_domain(rest, &found))
			conf_bad(&c,
			    "not DOMAIN [relay] [same-as=] [sep=] "
			    "[catchall=]");
		else if (idn_same(word, name)) {
			*d = found;
			v = OK;
		}
	}
	if (v == PERM && (r == -1 || conf_doubtful(&c)))
		v = TEMP;
	conf_close(&c);
	return v;
}

/*
 * ADDRESS or NAME: TARGET, ...
 * A quoted local part may hold a colon.
 */
static bool
split_alias(struct span line, struct span *name, struct span *targets)
{
	size_t n = 0;

	if (line.n > 0 && line.p[0] == '"')
		for (n = 1; n < line.n && line.p[n] != '"'; n++)
			n += line.p[n] == '\\';
	if (n >= line.n)
		return false;
	n += span_chr((struct span){ line.p + n, line.n - n }, ':');
	if (n >= line.n)
		return false;
	*name = span_trim((struct span){ line.p, n });
	*targets = span_trim((struct span){ line.p + n + 1, line.n - n - 1 });
	return name->n > 0 && targets->n > 0;
}

/* OK: an alias stands for local@domain, and its targets are in r. */
static enum verdict
find_alias(struct span local, struct span domain, struct rcpt *r)
{
	static struct conf c;
	enum verdict v = PERM;
	struct span line;
	int got = 0;

	if (conf_open(&c, "aliases") == -1)
		return errno == ENOENT ? PERM : TEMP;
	while (v == PERM && (got = conf_next(&c, &line)) == 1) {
		struct span name, targets, l, d;

		if (!split_alias(line, &name, &targets)) {
			conf_bad(&c, "not NAME: TARGET, ...");
			continue;
		}
		if (!addr_split(name, &l, &d)) {
			l = name;
			d = domain;
		}
		if (!addr_local_alike(l, local) || !idn_same(d, domain))
			continue;
		if (!span_cstr(targets, r->targets, sizeof(r->targets))) {
			conf_bad(&c, "too many targets");
			continue;
		}
		v = OK;
	}
	/* a file without records is no reason for doubt: it may be empty */
	c.records++;
	if (v == PERM && (got == -1 || conf_doubtful(&c)))
		v = TEMP;
	conf_close(&c);
	return v;
}

static enum rcpt_kind
set(struct rcpt *r, enum rcpt_kind kind, const char *because)
{
	r->kind = kind;
	r->because = because;
	return kind;
}

/* An alias or a user of this very address.  PERM: neither. */
static enum verdict
find_name(struct rcpt *r)
{
	char whole[LIMIT_ADDRESS + 2];
	enum verdict alias, user;

	alias = find_alias(span_of(r->local), span_of(r->domain), r);
	if (alias == OK) {
		set(r, RCPT_ALIAS, "aliases");
		return OK;
	}
	snprintf(whole, sizeof(whole), "%s@%s", r->local, r->domain);
	user = users_find_now(span_of(whole), &r->user);
	if (user == OK)
		set(r, RCPT_USER, "users");
	else if (user == TEMP || alias == TEMP)
		set(r, RCPT_LATER, user == TEMP ? "users" : "aliases");
	return user == PERM ? alias : user;
}

/* Move what stands behind the separator to detail; false: nothing does. */
static bool
cut_detail(struct rcpt *r, char separator)
{
	struct span local = span_of(r->local);
	size_t at = separator == '\0' ? local.n : span_chr(local, separator);

	if (at == 0 || at == local.n || *local.p == '"')
		return false;
	snprintf(r->detail, sizeof(r->detail), "%s", r->local + at + 1);
	r->local[at] = '\0';
	return true;
}

/* Names that are always answered: RFC 5321, section 4.5.1; RFC 2142. */
static bool
always_known(struct span local)
{
	return span_iis(local, "postmaster") || span_iis(local, "abuse");
}

/* Who has the mail of postmaster and abuse when nothing is said. */
static enum rcpt_kind
find_postmaster(struct rcpt *r)
{
	char whole[LIMIT_ADDRESS + 2];
	enum verdict v;

	v = find_alias(SPAN("postmaster"), span_of(r->domain), r);
	if (v == OK)
		return set(r, RCPT_ALIAS, "aliases");
	if (v == TEMP)
		return set(r, RCPT_LATER, "aliases");
	snprintf(whole, sizeof(whole), "postmaster@%s", r->domain);
	v = users_find_now(span_of(whole), &r->user);
	if (v == PERM)
		v = users_first(&r->user);
	return v == OK ? set(r, RCPT_USER, "postmaster")
		       : set(r, RCPT_LATER, "users");
}

static enum rcpt_kind
find_local(struct rcpt *r, const struct domain *d)
{
	bool known = always_known(span_of(r->local));
	enum verdict v = find_name(r);

	/* a doubt about the whole name does not hold up who is found now */
	if (v != OK && cut_detail(r, d->separator)) {
		enum verdict short_name = find_name(r);

		if (v == PERM || short_name == OK)
			v = short_name;
	}
	if (v != PERM)
		return r->kind;
	if (d->catchall[0] != '\0') {
		snprintf(r->targets, sizeof(r->targets), "%s", d->catchall);
		return set(r, RCPT_ALIAS, "catchall");
	}
	return known ? find_postmaster(r) : set(r, RCPT_UNKNOWN, "users");
}

static enum rcpt_kind
look(struct span address, struct rcpt *r)
{
	struct span local = address, domain = span_of(conf_me());
	struct domain d;

	memset(r, 0, offsetof(struct rcpt, targets));
	r->targets[0] = '\0';
	if (addr_split(address, &local, &domain) == false &&
	    !span_iis(address, "postmaster"))
		return set(r, RCPT_UNKNOWN, "syntax");
	if (!span_cstr(local, r->local, sizeof(r->local)) ||
	    !span_cstr(domain, r->domain, sizeof(r->domain)))
		return set(r, RCPT_UNKNOWN, "syntax");
	for (int hops = 0;; hops++) {
		enum verdict v = find_domain(span_of(r->domain), &d);

		if (v == TEMP)
			return set(r, RCPT_LATER, "domains");
		if (v == PERM && hops > 0)
			return set(r, RCPT_LATER, "same-as leads nowhere");
		if (v == PERM) {
			/* "postmaster" alone, or at this host's own name */
			if (!always_known(span_of(r->local)) ||
			    !idn_same(span_of(r->domain), span_of(conf_me())))
				return set(r, RCPT_FOREIGN, "domains");
			d = (struct domain){ 0 };
			r->own_name = true;
			break;
		}
		if (d.relay)
			return set(r, RCPT_RELAY, "domains");
		if (d.same_as[0] == '\0')
			break;
		if (hops == SAME_AS_MAX)
			return set(r, RCPT_LATER, "same-as goes in a circle");
		memcpy(r->domain, d.same_as, sizeof(r->domain));
	}
	return find_local(r, &d);
}

/* Whether any "no" may rest on a file that is being written. */
static bool
fresh(void)
{
	return conf_file_fresh("domains") || conf_file_fresh("users") ||
	    conf_file_fresh("aliases");
}

enum rcpt_kind
rcpt_find(struct span address, struct rcpt *r)
{
	struct again a = { 0 };
	enum rcpt_kind kind;
	bool doubt;

	do {
		doubt = fresh();
		kind = look(address, r);
	} while (kind == RCPT_LATER && doubt && again(&a));
	return kind;
}
