/* links: cmd/mindex/foreign.c cmd/mindex/courier.c cmd/mindex/foreignacl.c */
/*
 * mindex: what another server says of a folder.  The first byte names it,
 * the rest is its files, with a NUL between: dovecot-uidlist and
 * dovecot-keywords; courierimapuiddb, the list of keywords, those of one
 * message and courierpop3dsizelist; courierimapacl or dovecot-acl; or isync's
 * .uidvalidity.  What is read can be an index of ours, with the UIDs that it
 * told, and rights of ours.
 */
#include "../../cmd/mindex/foreign.h"

#include <sys/stat.h>

#include "../../cmd/mindex/mindex.h"
#include "place.h"
#include "store/acl.h"
#include "store/index.h"
#include "store/uidl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const char *const messages[] = { "cur/1000.M1.h,S=20:2,Sab",
	"cur/1001.M2.h,U=3:2,", "cur/1002.M3.h,U=1,S=9,W=10:2,FSz",
	"new/1003.M4.h", "cur/odd,U=4294967295" };

static const char *const of_dovecot[] = { "dovecot-uidlist", "dovecot-keywords",
	NULL };
static const char *const of_courier[] = { "courierimapuiddb",
	"courierimapkeywords/:list", "courierimapkeywords/1000.M1.h,S=20",
	"courierpop3dsizelist", NULL };
static const char *const of_isync[] = { ".uidvalidity", NULL };
static const char *const of_rights[] = { "courierimapacl", NULL };
static const char *const of_dovecot_rights[] = { "dovecot-acl", NULL };

/* What adopt has around it. */
bool dry_run;
struct boxes boxes;

void
say(const char *step, const char *decision, const char *fmt, ...)
{
	assert(step != NULL && decision != NULL && fmt != NULL);
}

void
say_more(const char *step, const char *decision, const char *fmt, ...)
{
	assert(step != NULL && decision != NULL && fmt != NULL);
}

static bool has_failed;

void
failed(const char *what)
{
	has_failed = what != NULL;
}

static char root[128];
static int dir;

static void
write_file(const char *name, struct span text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd != -1 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

/* Anew each time: an index keeps in mind which UIDs it gave. */
static void
begin(void)
{
	static const char *const parts[] = { "", "/new", "/cur", "/tmp",
		"/courierimapkeywords" };
	char path[200];

	snprintf(root, sizeof(root), "%s/mail", place_path());
	if (access(root, F_OK) == 0)
		assert(fs_remove_tree(AT_FDCWD, root) == 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", root, parts[i]);
		assert(mkdir(path, 0700) == 0);
	}
	dir = open(root, O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		write_file(messages[i], SPAN("Subject: x\n\n"));
}

static void
write_files(const char *const *name, struct span all)
{
	for (; *name != NULL; name++)
		write_file(*name, all.n > 0 ? span_cut(&all, '\0') : all);
}

static void
check_uidls(const struct foreign *f)
{
	struct uidl u = { 0 };

	assert(uidl_write(dir, 7, buf_span(&f->uidls)) == 0);
	assert(uidl_read(&u, dir, 7) == 0);
	for (size_t i = 0; i < f->n; i++)
		uidl_find(&u, f->msg[i].uid);
	uidl_free(&u);
	unlinkat(dir, "pneu.uidl", 0);
}

/* An index of it has what was told. */
static void
check_index(const struct foreign *f)
{
	struct adopt a = foreign_adopt(f);
	struct folder *x = NULL;

	if (adopt_index(root, &a) == -1) { /* UIDs are at their end */
		assert(f->uidnext > UINT32_MAX - 1 - f->files.n);
		return;
	}
	assert(folder_open(&x, root, true) == 0);
	assert(folder_uidvalidity(x) == f->uidvalidity);
	assert(folder_uidnext(x) >= f->uidnext);
	assert(folder_count(x) == f->files.n);
	for (size_t i = 0; i < f->n; i++) {
		size_t k = folder_lower(x, f->msg[i].uid);

		assert(k < folder_count(x));
		assert(folder_msg(x, k)->uid == f->msg[i].uid);
	}
	folder_close(x);
}

static void
check(const struct foreign *f)
{
	uint32_t last = 0;

	if (f->kind == FOREIGN_NONE)
		return;
	assert(f->uidvalidity != 0);
	for (size_t i = 0; i < f->n; i++) {
		assert(f->msg[i].uid > last && f->msg[i].uid < f->uidnext);
		last = f->msg[i].uid;
	}
	assert(f->n + f->unlisted == f->files.n);
	check_uidls(f);
	check_index(f);
}

/* Lines of ours that can be read, and the owner is not locked out. */
static void
check_rights(size_t size, bool dovecot)
{
	struct acl a;
	struct span who;
	unsigned rights;
	size_t at = 0, lines = 0;

	boxes.fd = dir;
	has_failed = false;
	foreign_acl("INBOX", root, dovecot);
	assert(!has_failed || size > 65536);
	assert(acl_load(&a, root) == 0);
	while (acl_next(&a, &at, &who, &rights))
		lines++;
	assert(lines <= LIMIT_ACL);
	assert((acl_rights(&a) & ACL_OWNER) == ACL_OWNER);
	acl_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span rest = { (const char *)p + 1, n - 1 };
	const char *const *files;
	struct foreign f;

	if (n == 0)
		return 0;
	begin();
	files = p[0] == 'c' ? of_courier
	    : p[0] == 'i'   ? of_isync
	    : p[0] == 'r'   ? of_rights
	    : p[0] == 'R'   ? of_dovecot_rights
			    : of_dovecot;
	write_files(files, rest);
	if (files == of_rights || files == of_dovecot_rights)
		check_rights(rest.n, files == of_dovecot_rights);
	else if (foreign_read(&f, root, true) == 0) {
		check(&f);
		foreign_free(&f);
	}
	close(dir);
	return 0;
}
