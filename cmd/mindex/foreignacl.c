/*
 * "IDENTIFIER RIGHTS" a line: courierimapacl (maildiracl(1)), dovecot-acl.
 */
#include <errno.h>
#include <unistd.h>

#include "foreign.h"
#include "io/fs.h"
#include "mindex.h"
#include "store/acl.h"

enum { FILE_MAX = 65536, MANY = LIMIT_ACL - 1 /* and the owner */ };

static const char *const file_name[] = { "courierimapacl", "dovecot-acl" };

struct line {
	char who[LIMIT_LOGIN + 2];
	unsigned rights;
};

/* A user of such a name would be somebody else here. */
static bool
is_special(struct span s)
{
	return span_is(s, "owner") || span_is(s, "anyone") ||
	    span_starts(s, "-");
}

/*
 * With us a group has no members, and nobody but the owner has a way in, and
 * that by a login.
 */
static bool
our_identifier(struct span s, char who[LIMIT_LOGIN + 2])
{
	bool minus = s.n > 0 && *s.p == '-';

	if (minus)
		span_take(&s, 1);
	if (span_is(s, "anonymous") || span_is(s, "authenticated"))
		s = SPAN("anyone");
	else if (span_starts(s, "user=")) {
		span_take(&s, 5);
		if (is_special(s))
			return false;
	} else if (!span_is(s, "owner") && !span_is(s, "anyone"))
		return false;
	if (s.n == 0 || s.n > LIMIT_LOGIN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	snprintf(
	    who, LIMIT_LOGIN + 2, "%s%.*s", minus ? "-" : "", (int)s.n, s.p);
	return true;
}

/* c is our k; there is no p, which goes with i. */
static bool
parse_courier(struct span s, struct line *l)
{
	size_t at = span_rchr(s, ' ');

	if (at == s.n)
		return false;
	if (!our_identifier((struct span){ s.p, at }, l->who))
		return false;
	span_take(&s, at + 1);
	if (!acl_parse(s, &l->rights))
		return false;
	if ((l->rights & ACL_I) != 0)
		l->rights |= ACL_P;
	return true;
}

/* A name of Dovecot's for a right. */
static bool
add_right(struct span word, unsigned *rights)
{
	static const struct {
		const char *name;
		unsigned right;
	} names[] = { { "lookup", ACL_L }, { "read", ACL_R },
		{ "write", ACL_W }, { "write-seen", ACL_S },
		{ "write-deleted", ACL_T }, { "insert", ACL_I },
		{ "post", ACL_P }, { "expunge", ACL_E }, { "create", ACL_K },
		{ "delete", ACL_X }, { "admin", ACL_A } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(word, names[i].name)) {
			*rights |= names[i].right;
			return true;
		}
	return false;
}

/* An identifier, which may be "quoted with \" and \\". */
static bool
take_identifier(struct span *s, struct buf *id)
{
	bool quoted = s->n > 0 && *s->p == '"';

	if (!quoted) {
		buf_put(id, span_take(s, span_chr(*s, ' ')));
		return !id->over;
	}
	span_take(s, 1);
	while (s->n > 0 && *s->p != '"') {
		if (*s->p == '\\')
			span_take(s, 1);
		if (s->n > 0)
			buf_put(id, span_take(s, 1));
	}
	if (s->n == 0 || id->over)
		return false;
	span_take(s, 1);
	return s->n == 0 || *s->p == ' ';
}

/* identifier [SP letters] [SP ":" names] */
static bool
parse_dovecot(struct span s, struct line *l)
{
	char text[LIMIT_LOGIN + 16];
	struct buf id = { .max = sizeof(text) };
	struct span word;
	bool good, named = false;

	good =
	    take_identifier(&s, &id) && our_identifier(buf_span(&id), l->who);
	buf_free(&id);
	l->rights = 0;
	while (good && (word = span_word(&s)).n > 0) {
		unsigned rights = 0;

		if (!named && *word.p == ':') {
			named = true;
			span_take(&word, 1);
			if (word.n == 0)
				continue;
		}
		good =
		    named ? add_right(word, &rights) : acl_parse(word, &rights);
		l->rights |= rights;
	}
	return good;
}

static void
set(const char *name, const char *path, const struct line *l)
{
	struct buf letters = { .max = 32 };

	acl_put(&letters, l->rights);
	say_more(name, "acl", "%s %s", l->who, buf_cstr(&letters));
	buf_free(&letters);
	if (!dry_run &&
	    acl_change(&boxes, path, span_of(l->who), ACL_ADD, l->rights) !=
		BOXTEXT_OK)
		failed(name);
}

/*
 * The owner has what a line says; without one nothing by Courier, all by
 * Dovecot.
 */
static void
take(const char *name, const char *path, struct span text, bool dovecot)
{
	static struct line line[MANY + 1];
	struct line owner = { .who = "owner" };
	bool told = !dovecot;
	size_t n = 0;

	while (text.n > 0) {
		struct span s = span_cut(&text, '\n');

		if (dovecot && (s.n == 0 || *s.p == '#'))
			continue;
		if (!(dovecot ? parse_dovecot : parse_courier)(s, &line[n]) ||
		    n == MANY)
			say_more(name, "acl", "left: %.*s", (int)s.n, s.p);
		else if (strcmp(line[n].who, "owner") != 0)
			n++;
		else {
			owner.rights |= line[n].rights;
			told = true;
		}
	}
	if (!told)
		owner.rights = ACL_ALL;
	if (n == 0 && owner.rights == ACL_ALL)
		return; /* as it is without a file */
	say(name, "acl", "%s", file_name[dovecot]);
	if (!dry_run &&
	    acl_change(&boxes, path, span_of(owner.who), ACL_SET, 0) !=
		BOXTEXT_OK) {
		failed(name);
		return;
	}
	set(name, path, &owner);
	for (size_t i = 0; i < n; i++)
		set(name, path, &line[i]);
}

/* One of ours that is there already stays. */
void
foreign_acl(const char *name, const char *path, bool dovecot)
{
	int fd = fs_open_dir(path);
	struct buf b;

	if (fd == -1) {
		failed(name);
		return;
	}
	buf_init(&b, FILE_MAX);
	if (faccessat(fd, "pneu.acl", F_OK, 0) == 0)
		say_more(name, "acl", "there is one, which stays");
	else if (fs_read(fd, file_name[dovecot], &b) == 0)
		take(name, path, buf_span(&b), dovecot);
	else if (errno != ENOENT)
		failed(name);
	fs_close(fd);
	buf_free(&b);
}
