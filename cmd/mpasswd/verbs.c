#include "auth/hash.h"
#include "auth/users.h"
#include "base/date.h"
#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "mpasswd.h"

/* Printed once it is good, and never again. */
static void
print_generated(const struct mpasswd *m, const char *password)
{
	if (m->w.generate && (puts(password) == EOF || fflush(stdout) != 0))
		die_sys(EXIT_IOERR,
		    "it was changed, but the password could not be printed");
}

static void
put_secret(struct buf *b, const char *address, struct span label,
    struct span scopes, struct span hash, struct span expires)
{
	buf_printf(b, "%s:", address);
	buf_put(b, label);
	buf_putc(b, ':');
	buf_put(b, scopes);
	buf_putc(b, ':');
	buf_put(b, hash);
	buf_putc(b, ':');
	buf_put(b, expires);
}

/* Whether a line is a secret of a user; of a label, if there is one. */
static bool
is_meant(
    struct span line, const char *address, const char *label, struct secret *s)
{
	return edit_is_of(line, address) && secrets_parse(line, s) == NULL &&
	    (label == NULL || span_is(s->label, label));
}

static unsigned
count(const struct edit *e, const char *address, const char *label)
{
	struct span text = buf_span(&e->old);
	struct secret s;
	unsigned n = 0;

	while (text.n > 0)
		n += is_meant(span_cut(&text, '\n'), address, label, &s);
	return n;
}

bool
add_user(struct edit *e, const char *address, struct span rest)
{
	struct buf b = { .max = LIMIT_CONF_LINE };
	struct span line;
	bool there = false;

	buf_printf(&b, "%s:", address);
	buf_put(&b, rest);
	if (!users_line_ok(buf_span(&b)))
		die(EXIT_USAGE, "%s: not UID:GID:HOME[:OPTIONS] of a user",
		    buf_cstr(&b) + strlen(address) + 1);
	while (edit_next(e, &line)) {
		edit_put(e, line);
		there = there ||
		    (edit_is_record(line) &&
			span_iis(span_cut(&line, ':'), address));
	}
	if (!there)
		edit_put(e, buf_span(&b));
	buf_free(&b);
	return !there;
}

/* user=UID:GID:HOME[:OPTIONS]; the last colon may be left out */
static void
make_user(const char *address, const char *user)
{
	struct buf b = { .max = LIMIT_CONF_LINE };
	struct edit e;
	unsigned colons = 0;

	for (const char *p = user; *p != '\0'; p++)
		colons += *p == ':';
	buf_printf(&b, "%s%s", user, colons < 3 ? ":" : "");
	edit_open(&e, "users", 0644);
	if (!add_user(&e, address, buf_span(&b)))
		die(EXIT_DATAERR, "%s: in %s already", address, e.path);
	edit_commit(&e);
	edit_free(&e);
	buf_free(&b);
}

void
verb_add(struct mpasswd *m, const char *address)
{
	static char password[PASSWORD_ROOM];
	const struct words *w = &m->w;
	struct buf line = { .max = LIMIT_CONF_LINE },
		   hash = { .max = LIMIT_HASH };
	char expires[32];
	struct span old;
	struct edit e;

	expiry_parse(w->expires, expires);
	if (w->user != NULL)
		make_user(address, w->user);
	else
		address = known_address(address);
	edit_open(&e, "secrets", 0600);
	if (count(&e, address, w->label != NULL ? w->label : "") > 0)
		die(EXIT_DATAERR, "%s: has a secret of the label \"%s\"",
		    address, w->label != NULL ? w->label : "");
	password_get(m, address, true, password);
	password_hash(buf_span(&e.old), address, NULL, password, &hash);
	put_secret(&line, address, span_of(w->label),
	    span_of(w->scopes != NULL ? w->scopes : "all"), buf_span(&hash),
	    span_of(expires));
	while (edit_next(&e, &old))
		edit_put(&e, old);
	edit_put(&e, buf_span(&line));
	edit_commit(&e);
	print_generated(m, password);
	wipe(password, sizeof(password));
	edit_free(&e);
	buf_free(&line);
	buf_free(&hash);
}

/* The one that is meant, or die: several need a label. */
static void
one_secret(const struct edit *e, const char *address, const char *label)
{
	unsigned n = count(e, address, label);

	if (n == 0)
		die(EXIT_NOINPUT, "%s: has no such secret", address);
	if (n > 1 && label == NULL)
		die(EXIT_USAGE, "%s: has %u secrets, say label=", address, n);
	if (n > 1)
		die(EXIT_DATAERR, "%s: has %u secrets of that label", address,
		    n);
}

static struct span
or_else(const char *said, struct span old)
{
	return said != NULL ? span_of(said) : old;
}

void
verb_set(struct mpasswd *m, const char *address)
{
	static char password[PASSWORD_ROOM];
	const struct words *w = &m->w;
	struct buf line = { .max = LIMIT_CONF_LINE },
		   hash = { .max = LIMIT_HASH };
	bool ask = w->generate || w->password ||
	    (w->scopes == NULL && w->expires == NULL && w->rename == NULL);
	char expires[32], label[SECRETS_LABEL_MAX + 1];
	struct span old, when;
	struct secret s;
	struct edit e;

	expiry_parse(w->expires, expires);
	edit_open(&e, "secrets", 0600);
	one_secret(&e, address, w->label);
	if (w->rename != NULL && count(&e, address, w->rename) > 0)
		die(EXIT_DATAERR, "%s: has a secret of the label \"%s\"",
		    address, w->rename);
	if (ask)
		password_get(m, address, true, password);
	while (edit_next(&e, &old)) {
		if (!is_meant(old, address, w->label, &s)) {
			edit_put(&e, old);
			continue;
		}
		if (ask && span_cstr(s.label, label, sizeof(label)))
			password_hash(
			    buf_span(&e.old), address, label, password, &hash);
		when = old;
		when.p = s.hash.p + s.hash.n + 1;
		when.n = (size_t)(old.p + old.n - when.p);
		put_secret(&line, address, or_else(w->rename, s.label),
		    or_else(w->scopes, s.scopes),
		    ask ? buf_span(&hash) : s.hash,
		    w->expires != NULL ? span_of(expires) : when);
		edit_put(&e, buf_span(&line));
	}
	edit_commit(&e);
	print_generated(m, password);
	wipe(password, sizeof(password));
	edit_free(&e);
	buf_free(&line);
	buf_free(&hash);
}

static bool
remove_user(const char *address)
{
	struct span line, name;
	bool found = false;
	struct edit e;

	edit_open(&e, "users", 0644);
	while (edit_next(&e, &line)) {
		name = line;
		if (edit_is_record(line) &&
		    span_iis(span_cut(&name, ':'), address))
			found = true;
		else
			edit_put(&e, line);
	}
	if (found)
		edit_commit(&e);
	edit_free(&e);
	return found;
}

void
verb_rm(struct mpasswd *m, const char *address)
{
	const struct words *w = &m->w;
	bool all = w->all || w->remove_user, found = false;
	struct secret s;
	struct span line;
	struct edit e;

	if (!all && w->label == NULL)
		die(EXIT_USAGE, "rm %s: say label=, all or user", address);
	edit_open(&e, "secrets", 0600);
	while (edit_next(&e, &line)) {
		if (is_meant(line, address, all ? NULL : w->label, &s))
			found = true;
		else
			edit_put(&e, line);
	}
	if (found)
		edit_commit(&e);
	edit_free(&e);
	if (w->remove_user && remove_user(address))
		found = true;
	if (!found)
		die(EXIT_NOINPUT, "%s: has no such secret", address);
}

static void
json(const char *key, struct span v, bool last)
{
	printf("\"%s\":\"", key);
	for (size_t i = 0; i < v.n; i++)
		printf(v.p[i] == '"' || v.p[i] == '\\' ? "\\%c" : "%c", v.p[i]);
	fputs(last ? "\"}\n" : "\",", stdout);
}

static void
print_secret(const struct mpasswd *m, const struct secret *s)
{
	char when[DATE_RFC3339_SIZE] = "";
	const char *scheme = hash_scheme(s->hash);

	if (s->expires != INT64_MAX)
		date_rfc3339(s->expires, when);
	if (m->json) {
		putchar('{');
		json("address", s->address, false);
		json("label", s->label, false);
		json("scopes", s->scopes, false);
		json("scheme", span_of(scheme), false);
		json("expires", span_of(when), true);
		return;
	}
	printf("%.*s\t%.*s\t%.*s\t%s\t%s\n", (int)s->address.n, s->address.p,
	    (int)s->label.n, s->label.p, (int)s->scopes.n, s->scopes.p, scheme,
	    when);
}

static bool
is_wanted(char *const *addresses, struct span address)
{
	if (addresses[0] == NULL)
		return true;
	for (; *addresses != NULL; addresses++)
		if (span_iis(address, *addresses))
			return true;
	return false;
}

int
verb_ls(struct mpasswd *m, char *const *addresses)
{
	static struct conf c;
	struct span line;
	struct secret s;
	int r;

	if (conf_open(&c, "secrets") == -1)
		die_sys(EXIT_TEMP, "%s/secrets", conf_dir());
	while ((r = conf_next(&c, &line)) == 1) {
		const char *what = secrets_parse(line, &s);

		if (what != NULL)
			conf_bad(&c, what);
		else if (is_wanted(addresses, s.address))
			print_secret(m, &s);
	}
	if (r == -1)
		die_sys(EXIT_TEMP, "%s", c.path);
	conf_close(&c);
	in_wipe(&c.in);
	if (fflush(stdout) != 0)
		die_sys(EXIT_IOERR, "standard output");
	return EXIT_OK;
}

int
verb_check(struct mpasswd *m, const char *address)
{
	static char password[PASSWORD_ROOM];
	struct credential shown = { .password = password };
	const char *scope = m->w.scopes != NULL ? m->w.scopes : "all";
	char label[SECRETS_LABEL_MAX + 1];
	struct scram_secret keys;
	enum secrets_result r;

	address = known_address(address);
	password_get(m, address, false, password);
	r = secrets_check(address, scope, &shown, unix_now(), label, &keys);
	wipe(password, sizeof(password));
	switch (r) {
	case SECRETS_OK:
		puts(label);
		return EXIT_OK;
	case SECRETS_SCOPE:
		die(EXIT_NOPERM, "%s: \"%s\" is not for %s", address, label,
		    scope);
	case SECRETS_EXPIRED:
		die(EXIT_NOPERM, "%s: \"%s\" has expired", address, label);
	case SECRETS_WRONG:
		die(EXIT_NOPERM, "%s: wrong password", address);
	case SECRETS_LATER:
		break;
	}
	return EXIT_TEMP;
}
