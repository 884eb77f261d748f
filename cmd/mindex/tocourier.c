/* export courier: courierimapuiddb, courierimapkeywords, ... */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export.h"
#include "io/fs.h"
#include "store/boxfile.h"
#include "store/boxname.h"
#include "store/mdname.h"

enum { FILE_MAX = 268435456 };

static const char dir_name[] = "courierimapkeywords";

static void
write_uiddb(struct exported *e)
{
	struct buf b;
	struct span base;

	buf_init(&b, FILE_MAX);
	buf_printf(&b, "1 %lu %lu\n",
	    (unsigned long)folder_uidvalidity(e->folder),
	    (unsigned long)folder_uidnext(e->folder));
	for (size_t i = 0; i < folder_count(e->folder); i++)
		if (exported_base(e, i, &base)) {
			buf_printf(&b, "%lu ",
			    (unsigned long)folder_msg(e->folder, i)->uid);
			buf_put(&b, base);
			buf_putc(&b, '\n');
		}
	if (b.over)
		die(EXIT_TEMP, "%s: too many messages", e->name);
	exported_put(e, "courierimapuiddb", buf_span(&b));
	buf_free(&b);
}

/* The names, an empty line, and "BASE:NUMBER NUMBER" lines. */
static void
put_list(struct exported *e, struct buf *b)
{
	int number[LIMIT_KEYWORDS], n = 0;
	struct span base;

	for (int k = 0; k < LIMIT_KEYWORDS; k++) {
		const char *name = folder_keyword_name(e->folder, k);

		if ((e->keywords >> k & 1) == 0 || name == NULL)
			continue;
		number[k] = n++;
		buf_printf(b, "%s\n", name);
		say_more(e->name, "keyword", "%s", name);
	}
	buf_putc(b, '\n');
	for (size_t i = 0; i < folder_count(e->folder); i++) {
		uint64_t has = folder_msg(e->folder, i)->keywords & e->keywords;
		char sep = ':';

		if (has == 0 || !exported_base(e, i, &base))
			continue;
		buf_put(b, base);
		for (int k = 0; k < LIMIT_KEYWORDS; k++)
			if ((has >> k & 1) != 0) {
				buf_putc(b, sep);
				buf_putu(b, (uint64_t)number[k]);
				sep = ' ';
			}
		buf_putc(b, '\n');
	}
}

/* Drop what the messages had before. */
static void
clear_dir(int fd)
{
	DIR *dir = fs_list_dir(fd, ".");
	struct dirent *d;

	if (dir == NULL)
		die_sys(EXIT_TEMP, "%s", dir_name);
	while ((d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			unlinkat(fd, d->d_name, 0);
	closedir(dir);
}

static void
write_keywords(struct exported *e)
{
	struct buf b;
	int fd;

	buf_init(&b, FILE_MAX);
	put_list(e, &b);
	if (!dry_run) {
		if (mkdirat(e->fd, dir_name, 0700) == -1 && errno != EEXIST)
			die_sys(EXIT_TEMP, "%s/%s", e->path, dir_name);
		fd = fs_open_dir_at(e->fd, dir_name);
		if (fd == -1)
			die_sys(EXIT_TEMP, "%s/%s", e->path, dir_name);
		clear_dir(fd);
		if (fs_replace(fd, ":list", buf_span(&b), 0600) == -1)
			die_sys(EXIT_TEMP, "%s/%s", e->path, dir_name);
		close(fd);
	}
	buf_free(&b);
}

/*
 * courierpop3dsizelist.  Courier's names of POP3 are UIDn-v, or that of
 * the file; it makes new ones where there is another.
 */
static void
write_sizes(struct exported *e)
{
	struct span base, own, n;
	struct buf b;
	uint64_t size;

	if (e->uidl.n == 0)
		return;
	buf_init(&b, FILE_MAX);
	buf_printf(&b, "/3 %lu %lu\n", (unsigned long)folder_uidnext(e->folder),
	    (unsigned long)folder_uidvalidity(e->folder));
	for (size_t i = 0; i < folder_count(e->folder); i++) {
		if (!exported_base(e, i, &base) ||
		    folder_size(e->folder, i, &size) == -1)
			continue;
		own = uidl_find(&e->uidl, folder_msg(e->folder, i)->uid);
		if (!span_eq(own, base) && !span_starts(own, "UID"))
			continue;
		buf_put(&b, base);
		buf_printf(&b, " %llu ", (unsigned long long)size);
		if (span_eq(own, base)) {
			buf_puts(&b, "0:0:0\n");
			continue;
		}
		span_take(&own, 3);
		n = span_cut(&own, '-');
		buf_put(&b, n);
		buf_putc(&b, ':');
		buf_put(&b, own);
		buf_puts(&b, ":0\n");
	}
	exported_put(e, "courierpop3dsizelist", buf_span(&b));
	buf_free(&b);
}

void
export_courier(struct exported *e)
{
	write_uiddb(e);
	write_keywords(e);
	write_sizes(e);
}

/* ".A.B" as Courier 5 has it, in UTF-8. */
static bool
their_dir(const char *dir, struct buf *b)
{
	buf_clear(b);
	buf_putc(b, '.');
	return boxname_of(b, dir, '.');
}

static void
write_subscriptions(void)
{
	struct buf dirs, b, dir;
	struct span s, line;
	char text[BOXNAME_DIR];

	buf_init(&dirs, BOXFILE_MAX);
	buf_init(&b, BOXFILE_MAX);
	buf_init(&dir, 1024);
	if (boxfile_subscribed(boxes.fd, &dirs) == -1)
		failed("subscriptions");
	s = buf_span(&dirs);
	while (s.n > 0) {
		line = span_cut(&s, '\n');
		if (!span_cstr(line, text, sizeof(text)))
			continue;
		buf_puts(&b, "INBOX");
		if (!span_is(line, "INBOX") && their_dir(text, &dir))
			buf_put(&b, buf_span(&dir));
		buf_putc(&b, '\n');
	}
	say("subscriptions", "export", "courierimapsubscribed");
	if (!dry_run &&
	    fs_replace(boxes.fd, "courierimapsubscribed", buf_span(&b), 0600) ==
		-1)
		failed("courierimapsubscribed");
	buf_free(&dirs);
	buf_free(&b);
	buf_free(&dir);
}

/* Folders get the names that Courier looks for. */
static void
rename_dirs(void)
{
	DIR *list = fs_list_dir(boxes.fd, ".");
	struct dirent *d;
	struct stat st;
	struct buf b;

	if (list == NULL)
		die_sys(EXIT_TEMP, "%s", boxes.root);
	buf_init(&b, 1024);
	while ((d = readdir(list)) != NULL) {
		if (strchr(d->d_name, '&') == NULL ||
		    !their_dir(d->d_name, &b) ||
		    fstatat(boxes.fd, buf_cstr(&b), &st, 0) == 0)
			continue;
		say(d->d_name, "rename", "%s", buf_cstr(&b));
		if (!dry_run &&
		    renameat(boxes.fd, d->d_name, boxes.fd, buf_cstr(&b)) == -1)
			failed(d->d_name);
	}
	closedir(list);
	buf_free(&b);
}

void
export_courier_root(uint32_t uidvalidity)
{
	(void)uidvalidity;
	write_subscriptions();
	rename_dirs();
}
