/*
 * The passwd-file of Dovecot, a user a line:
 *	user:{SCHEME}password:uid:gid:gecos:home:shell:extra fields
 * where all behind the password may be missing.
 */
#include "auth/hash.h"
#include "auth/users.h"
#include "base/die.h"
#include "io/conf.h"
#include "mail/addr.h"
#include "mpasswd.h"

enum field { USER, PASSWORD, UID, GID, GECOS, HOME, SHELL, EXTRA, NFIELDS };

struct import {
	struct mpasswd *m;
	struct conf c;
	struct edit secrets, users;
	unsigned bad;
};

static void
say(struct import *im, const char *what, struct span which)
{
	warn("%s:%u: %s %.*s", im->c.path, im->c.line, what, (int)which.n,
	    which.p);
	im->bad++;
}

/* Names that others have for what crypt(3) or we understand. */
static const char *
our_scheme(struct span name)
{
	static const char *const names[][2] = { { "CLEARTEXT", "PLAIN" },
		{ "CLEAR", "PLAIN" }, { "PLAIN", "PLAIN" },
		{ "MD5-CRYPT", "CRYPT" }, { "CRYPT", "CRYPT" },
		{ "DES-CRYPT", "CRYPT" }, { "SHA256-CRYPT", "SHA256-CRYPT" },
		{ "SHA512-CRYPT", "SHA512-CRYPT" },
		{ "BLF-CRYPT", "BLF-CRYPT" },
		{ "SCRAM-SHA-256", "SCRAM-SHA-256" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(name, names[i][0]))
			return names[i][1];
	return NULL;
}

/* The password field as a hash of ours; false when it can't be one. */
static bool
take_hash(struct import *im, struct span p, const char *address, struct buf *b)
{
	const char *dflt = im->m->w.scheme;
	struct span name = span_of(dflt != NULL ? dflt : "CRYPT");
	char password[PASSWORD_ROOM];
	const char *scheme;

	if (p.n > 0 && *p.p == '{' && span_chr(p, '}') < p.n) {
		span_take(&p, 1);
		name = span_cut(&p, '}');
	}
	scheme = our_scheme(name);
	if (scheme == NULL) {
		say(im, "not a scheme that we know:", name);
		return false;
	}
	if (strcmp(scheme, "PLAIN") == 0) {
		if (p.n == 0 || !span_cstr(p, password, sizeof(password))) {
			say(im, "no password", SPAN(""));
			return false;
		}
		password_hash(
		    buf_span(&im->secrets.new), address, NULL, password, b);
		wipe(password, sizeof(password));
		return true;
	}
	buf_printf(b, "{%s}", scheme);
	buf_put(b, p);
	if (p.n == 0 || *p.p == '!' || *p.p == '*' ||
	    !hash_is_known(buf_span(b))) {
		say(im, "not a hash of", span_of(scheme));
		return false;
	}
	return true;
}

/* userdb_mail=maildir:PATH[:...], PATH as it stands or below ~ */
static bool
take_maildir(struct span v, struct buf *options)
{
	if (!span_starts(v, "maildir:"))
		return false;
	span_take(&v, 8);
	v = v.n > 0 ? span_cut(&v, ':') : v;
	if (span_starts(v, "~/"))
		span_take(&v, 2);
	if (v.n == 0 || span_chr(v, '%') < v.n || span_chr(v, '~') < v.n)
		return false;
	buf_puts(options, "maildir=");
	return buf_put(options, v);
}

/* "nologin" alone, or name=value; true when it is to have a secret. */
static bool
take_extra(struct import *im, struct span extra, struct span f[NFIELDS],
    struct buf *options)
{
	bool login = true;

	for (;;) {
		struct span v = span_word(&extra), all = v, name;

		if (v.n == 0)
			return login;
		name = span_cut(&v, '=');
		if (span_is(name, "userdb_uid"))
			f[UID] = v;
		else if (span_is(name, "userdb_gid"))
			f[GID] = v;
		else if (span_is(name, "userdb_home"))
			f[HOME] = v;
		else if (span_is(name, "nologin"))
			login = false;
		else if (!span_is(name, "userdb_mail") ||
		    !take_maildir(v, options))
			say(im, "not kept:", all);
	}
}

static bool
has_secret(const struct edit *e, const char *address, const char *label)
{
	struct span text = buf_span(&e->new);
	struct secret s;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (edit_is_of(line, address) &&
		    secrets_parse(line, &s) == NULL && span_is(s.label, label))
			return true;
	}
	return false;
}

static void
take_secret(struct import *im, const char *address, struct span password)
{
	const struct words *w = &im->m->w;
	const char *label = w->label != NULL ? w->label : "imported";
	struct buf hash = { .max = LIMIT_HASH + 64 };

	if (has_secret(&im->secrets, address, label)) {
		say(im, "has a secret of that label:", span_of(address));
	} else if (take_hash(im, password, address, &hash)) {
		buf_printf(&im->secrets.new, "%s:%s:%s:", address, label,
		    w->scopes != NULL ? w->scopes : "all");
		buf_put(&im->secrets.new, buf_span(&hash));
		buf_puts(&im->secrets.new, ":\n");
		printf("%s\tsecret\n", address);
	}
	wipe(hash.p, hash.n);
	buf_free(&hash);
}

static bool
has_user(const struct edit *e, const char *address)
{
	struct span text = buf_span(&e->new);

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (edit_is_record(line) &&
		    span_iis(span_cut(&line, ':'), address))
			return true;
	}
	return false;
}

static void
take_user(struct import *im, const char *address, const struct span f[NFIELDS],
    struct buf *options)
{
	struct buf b = { .max = LIMIT_CONF_LINE };

	if (has_user(&im->users, address))
		return;
	buf_printf(&b, "%s:", address);
	for (int i = UID; i <= HOME; i++)
		if (i != GECOS) {
			buf_put(&b, f[i]);
			buf_putc(&b, ':');
		}
	buf_put(&b, buf_span(options));
	if (f[UID].n == 0 || f[GID].n == 0 || f[HOME].n == 0) {
		say(im, "without uid, gid and home, so not in users:",
		    span_of(address));
	} else if (!users_line_ok(buf_span(&b))) {
		say(im, "not a line of users:", buf_span(&b));
	} else {
		edit_put(&im->users, buf_span(&b));
		printf("%s\tuser\n", address);
	}
	buf_free(&b);
}

static void
take_line(struct import *im, struct span line)
{
	struct buf options = { .max = LIMIT_PATH };
	struct span f[NFIELDS] = { 0 };
	char address[LIMIT_ADDRESS + 1];
	bool login;
	int n;

	for (int i = 0; i < EXTRA && line.n > 0; i++)
		f[i] = span_cut(&line, ':');
	f[EXTRA] = line;
	n = snprintf(address, sizeof(address), "%.*s%s%s", (int)f[USER].n,
	    f[USER].p,
	    span_chr(f[USER], '@') == f[USER].n && im->m->w.domain ? "@" : "",
	    span_chr(f[USER], '@') == f[USER].n && im->m->w.domain
		? im->m->w.domain
		: "");
	if (n < 0 || (size_t)n >= sizeof(address) ||
	    !addr_valid(span_of(address))) {
		say(im, "not an address (domain= adds one):", f[USER]);
		return;
	}
	login = take_extra(im, f[EXTRA], f, &options);
	if (login)
		take_secret(im, address, f[PASSWORD]);
	take_user(im, address, f, &options);
	buf_free(&options);
}

static void
copy(struct edit *e)
{
	struct span line;

	while (edit_next(e, &line))
		edit_put(e, line);
}

int
verb_import(struct mpasswd *m, const char *file)
{
	static struct import im;
	struct span line;
	int r;

	im.m = m;
	edit_open(&im.secrets, "secrets", 0600);
	edit_open(&im.users, "users", 0644);
	copy(&im.secrets);
	copy(&im.users);
	r = strcmp(file, "-") == 0 ? conf_open_fd(&im.c, 0, "standard input")
				   : conf_open_path(&im.c, file);
	if (r == -1)
		die_sys(EXIT_NOINPUT, "%s", file);
	while ((r = conf_next(&im.c, &line)) == 1)
		take_line(&im, line);
	if (r == -1)
		die_sys(EXIT_IOERR, "%s", file);
	conf_close(&im.c);
	wipe(im.c.buf, sizeof(im.c.buf));
	edit_commit(&im.secrets);
	edit_commit(&im.users);
	edit_free(&im.secrets);
	edit_free(&im.users);
	if (fflush(stdout) != 0)
		die_sys(EXIT_IOERR, "standard output");
	return im.bad > 0 ? EXIT_DATAERR : EXIT_OK;
}
