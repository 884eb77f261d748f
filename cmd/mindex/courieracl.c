/* courierimapacl: "IDENTIFIER RIGHTS" a line (maildiracl(1)). */
#include <errno.h>
#include <unistd.h>

#include "foreign.h"
#include "io/fs.h"
#include "mindex.h"
#include "store/acl.h"

enum { FILE_MAX = 65536, MANY = LIMIT_ACL - 1 /* and the owner */ };

static const char file_name[] = "courierimapacl";

struct line {
	char who[LIMIT_LOGIN + 2];
	unsigned rights;
};

/* With us a group has no members, and nobody but the owner has a way in. */
static bool
our_identifier(struct span s, char who[LIMIT_LOGIN + 2])
{
	bool minus = s.n > 0 && *s.p == '-';

	if (minus)
		span_take(&s, 1);
	if (span_is(s, "anonymous"))
		s = SPAN("anyone");
	else if (span_starts(s, "user="))
		span_take(&s, 5);
	else if (!span_is(s, "owner") && !span_is(s, "anyone"))
		return false;
	if (s.n == 0 || s.n > LIMIT_LOGIN)
		return false;
	snprintf(
	    who, LIMIT_LOGIN + 2, "%s%.*s", minus ? "-" : "", (int)s.n, s.p);
	return true;
}

/* c is our k; there is no p, which goes with i. */
static bool
parse(struct span s, struct line *l)
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

/* The owner has what a line says, and nothing without one. */
static void
take(const char *name, const char *path, struct span text)
{
	static struct line line[MANY + 1];
	struct line owner = { .who = "owner" };
	size_t n = 0;

	while (text.n > 0) {
		struct span s = span_cut(&text, '\n');

		if (!parse(s, &line[n]) || n == MANY)
			say_more(name, "acl", "left: %.*s", (int)s.n, s.p);
		else if (strcmp(line[n].who, "owner") == 0)
			owner.rights |= line[n].rights;
		else
			n++;
	}
	if (n == 0 && owner.rights == ACL_ALL)
		return; /* as it is without a file */
	say(name, "acl", "%s", file_name);
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
courier_acl(const char *name, const char *path)
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
	else if (fs_read(fd, file_name, &b) == 0)
		take(name, path, buf_span(&b));
	else if (errno != ENOENT)
		failed(name);
	fs_close(fd);
	buf_free(&b);
}
