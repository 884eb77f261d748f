/* ACL (RFC 4314): the rights that commands need, and the commands of it. */
#include "store/acl.h"

#include "imap.h"

/* Whose rights a command needs: of which mailbox, by argument or not. */
enum whose {
	OF_FIRST,
	OF_SECOND,
	OF_SELECTED,
	ABOVE_FIRST, /* the nearest mailbox above one that is to be made */
	ABOVE_SECOND
};

/* RFC 4314, section 4; STORE, FETCH, CLOSE and the flags of APPEND and COPY
 * take what is allowed of what was asked. */
static const struct {
	const char *command;
	enum whose whose;
	unsigned rights;
} needs[] = {
	/* clang-format off */
	{ "SELECT",       OF_FIRST,     ACL_R },
	{ "EXAMINE",      OF_FIRST,     ACL_R },
	{ "STATUS",       OF_FIRST,     ACL_R },
	{ "CREATE",       ABOVE_FIRST,  ACL_K },
	{ "DELETE",       OF_FIRST,     ACL_X },
	{ "RENAME",       OF_FIRST,     ACL_X },
	{ "RENAME",       ABOVE_SECOND, ACL_K },
	{ "APPEND",       OF_FIRST,     ACL_I },
	{ "COPY",         OF_SECOND,    ACL_I },
	{ "MOVE",         OF_SECOND,    ACL_I },
	{ "MOVE",         OF_SELECTED,  ACL_T | ACL_E },
	{ "REPLACE",      OF_SECOND,    ACL_I },
	{ "REPLACE",      OF_SELECTED,  ACL_T | ACL_E },
	{ "EXPUNGE",      OF_SELECTED,  ACL_E },
	{ "GETQUOTAROOT", OF_FIRST,     ACL_R },
	{ "GETMETADATA",  OF_FIRST,     ACL_L | ACL_R },
	{ "SETMETADATA",  OF_FIRST,     ACL_L | ACL_R },
	{ "GETACL",       OF_FIRST,     ACL_A },
	{ "SETACL",       OF_FIRST,     ACL_A },
	{ "DELETEACL",    OF_FIRST,     ACL_A },
	{ "LISTRIGHTS",   OF_FIRST,     ACL_A },
	/* clang-format on */
};

/* Of mailboxes that are not there the command itself will say so. */
static unsigned
rights_of(struct imap *im, enum whose whose)
{
	const struct imap_arg *arg = im->e.args;
	char path[LIMIT_PATH];
	struct span name;

	if (whose == OF_SELECTED)
		return im->rights;
	if (arg != NULL && arg->type == IMAP_LIST)
		arg = arg->next; /* options of GETMETADATA */
	if (arg != NULL && (whose == OF_SECOND || whose == ABOVE_SECOND))
		arg = arg->next;
	if (arg == NULL || imap_name_of(im, arg, &name) != NULL)
		return ACL_ALL;
	if (whose == ABOVE_FIRST || whose == ABOVE_SECOND
		? boxes_parent(&im->boxes, name, path, sizeof(path)) != BOX_OK
		: boxes_find(&im->boxes, name, path, sizeof(path)) != BOX_OK)
		return ACL_ALL;
	return acl_owner(path);
}

uint16_t
acl_flags(unsigned rights)
{
	return (uint16_t)((rights & ACL_S ? FLAG_SEEN : 0) |
	    (rights & ACL_T ? FLAG_DELETED : 0) |
	    (rights & ACL_W ? FLAG_ALL & ~(FLAG_SEEN | FLAG_DELETED) : 0));
}

void
acl_renew(struct imap *im)
{
	unsigned rights;

	if (im->folder == NULL)
		return;
	rights = acl_owner(im->path);
	if (acl_flags(rights) != acl_flags(im->rights))
		im->keywords = -1; /* PERMANENTFLAGS are told again */
	im->rights = rights;
}

bool
acl_allows(struct imap *im)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (span_iis(im->e.name, needs[i].command) &&
		    (rights_of(im, needs[i].whose) & needs[i].rights) !=
			needs[i].rights) {
			imap_reply(im, "NO [NOPERM] The rights are missing");
			return false;
		}
	return true;
}

/* The folder of the first argument; answers when there is none. */
static bool
mailbox(struct imap *im, struct span *name, char *path, size_t size)
{
	enum box_result r;

	if (!imap_name(im, im->e.args, name))
		return false;
	r = boxes_find(&im->boxes, *name, path, size);
	if (r != BOX_OK) {
		imap_box_failed(im, r);
		return false;
	}
	if (span_iis(*name, "INBOX"))
		*name = SPAN("INBOX");
	return true;
}

/* The identifier of an argument as it is kept; answers when it is none. */
static bool
identifier(struct imap *im, const struct imap_arg *arg, struct span *who)
{
	struct span s = arg == NULL ? SPAN("") : arg->text, rest;
	bool minus;

	if (arg == NULL || !imap_is_string(arg) || s.n == 0 ||
	    s.n > LIMIT_LOGIN || !utf8_valid(s)) {
		imap_bad(im, "Not an identifier");
		return false;
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f) {
			imap_reply(im, "NO [CANNOT] Not an identifier here");
			return false;
		}
	rest = s;
	minus = *rest.p == '-' && rest.n > 1;
	if (minus)
		span_take(&rest, 1);
	if (span_is(rest, im->owner) ||
	    (im->login[0] != '\0' && span_is(rest, im->login)))
		s = minus ? SPAN("-owner") : SPAN("owner");
	*who = s;
	return true;
}

static void
put_identifier(struct imap *im, struct span who)
{
	struct buf b = { .max = 2048 };

	if (span_is(who, "owner") || span_is(who, "-owner")) {
		if (*who.p == '-')
			buf_putc(&b, '-');
		buf_puts(&b, im->owner);
		who = buf_span(&b);
	}
	imap_put_astring(im, who);
	buf_free(&b);
}

static void
put_rights(struct imap *im, unsigned rights)
{
	struct buf b = { .max = 64 };

	acl_put(&b, rights);
	out_putc(&im->out, ' ');
	imap_put_astring(im, buf_span(&b));
	buf_free(&b);
}

/* acl-data = "ACL" SP mailbox *(SP identifier SP rights) */
void
cmd_getacl(struct imap *im)
{
	char path[LIMIT_PATH];
	struct span name, who;
	bool owner = false;
	unsigned rights;
	size_t at = 0;
	struct acl a;

	if (!mailbox(im, &name, path, sizeof(path)))
		return;
	if (acl_load(&a, path) == -1) {
		imap_failed(im, "acl");
	} else {
		out_puts(&im->out, "* ACL ");
		imap_put_name(im, name);
		while (acl_next(&a, &at, &who, &rights)) {
			owner = owner || span_is(who, "owner");
			out_putc(&im->out, ' ');
			put_identifier(im, who);
			put_rights(im, rights);
		}
		if (!owner) {
			out_putc(&im->out, ' ');
			put_identifier(im, SPAN("owner"));
			put_rights(im, ACL_ALL);
		}
		out_puts(&im->out, "\r\n");
		imap_done(im, "OK Getacl completed");
	}
	acl_free(&a);
}

static void
change(struct imap *im, enum acl_op op, unsigned rights, const char *done)
{
	char path[LIMIT_PATH];
	struct span name, who;

	if (!mailbox(im, &name, path, sizeof(path)) ||
	    !identifier(im, im->e.args->next, &who))
		return;
	switch (acl_change(&im->boxes, path, who, op, rights)) {
	case BOXTEXT_OK:
		imap_done(im, done);
		return;
	case BOXTEXT_TOOMANY:
		imap_reply(im, "NO [LIMIT] Too many identifiers");
		return;
	case BOXTEXT_FAILED:
		break;
	}
	imap_failed(im, "acl");
}

/* "SETACL" SP mailbox SP identifier SP ["+" / "-"] rights */
void
cmd_setacl(struct imap *im)
{
	const struct imap_arg *arg = im->e.args->next->next;
	enum acl_op op = ACL_SET;
	struct span s = arg->text;
	unsigned rights;

	if (s.n > 0 && (*s.p == '+' || *s.p == '-'))
		op = *span_take(&s, 1).p == '+' ? ACL_ADD : ACL_REMOVE;
	if (!imap_is_string(arg) || !acl_parse(s, &rights)) {
		imap_bad(im, "Not rights");
		return;
	}
	change(im, op, rights, "OK Setacl completed");
}

void
cmd_deleteacl(struct imap *im)
{
	change(im, ACL_DELETE, 0, "OK Deleteacl completed");
}

/* listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights
 * *(SP rights): those that are always there, then groups of others */
void
cmd_listrights(struct imap *im)
{
	char path[LIMIT_PATH];
	struct span name, who;

	if (!mailbox(im, &name, path, sizeof(path)) ||
	    !identifier(im, im->e.args->next, &who))
		return;
	out_puts(&im->out, "* LISTRIGHTS ");
	imap_put_name(im, name);
	out_putc(&im->out, ' ');
	put_identifier(im, who);
	out_puts(&im->out,
	    span_is(who, "owner") ? " la r s w i p k x t e c d\r\n"
				  : " \"\" l r s w i p k x t e a c d\r\n");
	imap_done(im, "OK Listrights completed");
}

void
acl_put_myrights(struct imap *im, struct span name, const char *path)
{
	out_puts(&im->out, "* MYRIGHTS ");
	imap_put_name(im, name);
	put_rights(im, acl_owner(path));
	out_puts(&im->out, "\r\n");
}

void
cmd_myrights(struct imap *im)
{
	char path[LIMIT_PATH];
	struct span name;

	if (!mailbox(im, &name, path, sizeof(path)))
		return;
	acl_put_myrights(im, name, path);
	imap_done(im, "OK Myrights completed");
}
