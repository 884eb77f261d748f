/*
 * adopt: a Maildir that another server kept, with its UIDs, keywords,
 * names of POP3 and subscriptions.  What that server wrote stays as it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foreign.h"
#include "io/fs.h"
#include "mindex.h"
#include "store/boxfile.h"
#include "store/boxname.h"
#include "store/bring.h"
#include "store/mdname.h"
#include "store/mutf7.h"
#include "store/uidl.h"
#include "store/uidmem.h"

enum { FILE_MAX = 4194304 };

static void
write_uidls(const char *name, const char *path, const struct foreign *f)
{
	int fd;

	if (f->nuidls == 0)
		return;
	say_more(name, "uidl", "%zu names of POP3", f->nuidls);
	if (dry_run)
		return;
	fd = fs_open_dir(path);
	if (fd == -1 ||
	    uidl_write(fd, f->uidvalidity, buf_span(&f->uidls)) == -1)
		failed(name);
	fs_close(fd);
}

static void
explain(const char *name, const struct foreign *f)
{
	for (int k = 0; k < f->nkeywords; k++)
		say_more(name, "keyword", "%s", f->keyword[k]);
	if (f->gone > 0)
		say_more(name, "gone", "%zu UIDs have no file", f->gone);
	if (f->unlisted > 0)
		say_more(name, "new", "%zu files get UIDs from %lu on",
		    f->unlisted, (unsigned long)f->uidnext);
	if (f->lettered)
		say(name, "leave",
		    "keywords after the 26th, which Dovecot's own index has");
	if (f->bad > 0)
		say_more(name, "passed over", "%u lines of %s", f->bad,
		    foreign_file[f->kind]);
}

static void
take(const char *name, const char *path, struct foreign *f)
{
	struct adopt a = foreign_adopt(f);

	if (f->uidnext == 0 || f->uidnext > BRING_UID_MAX) {
		say(name, "leave", "too few UIDs are left");
		warn("%s: UIDNEXT is %lu: too few UIDs are left", name,
		    (unsigned long)f->uidnext);
		status = EXIT_DATAERR;
		return;
	}
	say(name, "adopt", "%s: UIDVALIDITY %lu, UIDNEXT %lu, %zu messages",
	    foreign_file[f->kind], (unsigned long)f->uidvalidity,
	    (unsigned long)f->uidnext, f->n);
	explain(name, f);
	if (!dry_run && adopt_index(path, &a) == -1) {
		failed(name);
		return;
	}
	write_uidls(name, path, f);
	if (f->kind == FOREIGN_COURIER || f->kind == FOREIGN_DOVECOT)
		foreign_acl(name, path, f->kind == FOREIGN_DOVECOT);
}

static void
adopt_box(const char *name, const char *path)
{
	uint32_t uidvalidity;
	struct foreign f;

	if (!replace && adopt_has_index(path, &uidvalidity) == 0) {
		say(name, "leave", "it has an index, UIDVALIDITY %lu",
		    (unsigned long)uidvalidity);
		return;
	}
	if (foreign_read(&f, path, *dir_of(path) == '\0') == -1) {
		if (errno == EILSEQ)
			say(name, "leave", "its list of UIDs is none");
		failed(name);
		return;
	}
	if (f.kind == FOREIGN_NONE)
		say(name, "leave", "no other server has given UIDs");
	else
		take(name, path, &f);
	foreign_free(&f);
}

/*
 * Newer Couriers write the names of folders in UTF-8: the name ".A.B" in
 * the form that ours have.  A level that is modified UTF-7 is left.
 */
static bool
our_dir(struct span theirs, char dir[BOXNAME_DIR])
{
	struct buf b, plain;
	struct span level;
	bool ok = true;

	buf_init(&b, BOXNAME_DIR - 1);
	buf_init(&plain, BOXNAME_DIR);
	while (ok && theirs.n > 0) {
		span_take(&theirs, 1);
		level = theirs;
		level.n = span_chr(level, '.');
		span_take(&theirs, level.n);
		buf_putc(&b, '.');
		buf_clear(&plain);
		if (mutf7_decode(&plain, level))
			buf_put(&b, level);
		else
			ok = mutf7_encode(&b, level);
	}
	ok = ok && !b.over && span_cstr(buf_span(&b), dir, BOXNAME_DIR);
	buf_free(&b);
	buf_free(&plain);
	return ok;
}

/* courierimapsubscribed: "INBOX.A.B" a line. */
static void
subscribe(struct span line)
{
	char dir[BOXNAME_DIR] = "";

	if (span_istarts(line, "INBOX.")) {
		span_take(&line, 5);
		if (!our_dir(line, dir))
			return;
	} else if (!span_iis(line, "INBOX")) {
		return;
	}
	say_more(
	    "subscriptions", "subscribe", "%s", dir[0] == '\0' ? "INBOX" : dir);
	if (!dry_run && boxfile_subscribe(boxes.fd, dir, true) == -1)
		failed("subscriptions");
}

static void
adopt_subscriptions(void)
{
	struct buf b;
	struct span s;

	buf_init(&b, FILE_MAX);
	if (fs_read(boxes.fd, "courierimapsubscribed", &b) == 0) {
		say("subscriptions", "adopt", "courierimapsubscribed");
		s = buf_span(&b);
		while (s.n > 0)
			subscribe(span_trim(span_cut(&s, '\n')));
	} else if (errno != ENOENT) {
		failed("courierimapsubscribed");
	}
	buf_free(&b);
}

/* The folders whose names are not as ours are. */
static void
rename_dirs(void)
{
	DIR *list = fs_list_dir(boxes.fd, ".");
	char dir[BOXNAME_DIR], cur[MDNAME_MAX + 8];
	struct dirent *d;
	struct stat st;

	if (list == NULL)
		die_sys(EXIT_TEMP, "%s", boxes.root);
	while ((d = readdir(list)) != NULL) {
		snprintf(cur, sizeof(cur), "%s/cur", d->d_name);
		if (d->d_name[0] != '.' || d->d_name[1] == '.' ||
		    d->d_name[1] == '\0' ||
		    fstatat(boxes.fd, cur, &st, 0) != 0 ||
		    !our_dir(span_of(d->d_name), dir) ||
		    strcmp(dir, d->d_name) == 0 ||
		    fstatat(boxes.fd, dir, &st, 0) == 0)
			continue;
		say(d->d_name, "rename", "%s", dir);
		if (!dry_run &&
		    renameat(boxes.fd, d->d_name, boxes.fd, dir) == -1)
			failed(d->d_name);
	}
	closedir(list);
}

/*
 * dovecot-uidvalidity: the highest that it gave, in hexadecimal.  It is
 * kept in mind as that of a folder which can't be.
 */
static void
adopt_uidvalidity(void)
{
	char path[LIMIT_PATH + 32], text[16];
	struct uidmem m;
	unsigned long v;
	struct buf b;

	buf_init(&b, sizeof(text));
	if (fs_read(boxes.fd, "dovecot-uidvalidity", &b) == 0 &&
	    span_cstr(span_trim(buf_span(&b)), text, sizeof(text)) &&
	    (v = strtoul(text, NULL, 16)) > 0 && v < UINT32_MAX) {
		say("uidvalidity", "remember", "%lu", v);
		snprintf(path, sizeof(path), "%s/.dovecot:", boxes.root);
		if (!dry_run && uidmem_open(&m, path) == 0) {
			if (uidmem_set(&m, (uint32_t)v, 0) == -1)
				failed("uidvalidity");
			uidmem_close(&m);
		}
	}
	buf_free(&b);
}

/* What clients saw of names there, and what makes us show the same. */
static void
advise(void)
{
	struct stat st;

	if (fstatat(boxes.fd, "courierimapuiddb", &st, 0) == 0)
		say_more("users", "set",
		    "separator=. prefix=INBOX. where the "
		    "names shall stay as they were");
	else if (fstatat(boxes.fd, "dovecot-uidlist", &st, 0) == 0)
		say_more("users", "set",
		    "separator=. where Dovecot had no "
		    "separator of its own");
}

int
adopt_main(int argc, char **argv)
{
	bool all;

	verb_options(argc, argv, "nvR");
	all = argv[optind] == NULL;
	open_maildir(false);
	if (all) {
		rename_dirs();
		adopt_uidvalidity();
		adopt_subscriptions();
	}
	each_box(argv + optind, adopt_box);
	if (all)
		advise();
	return status;
}
