#include "store/boxfile.h"

#include <errno.h>
#include <fcntl.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/fresh.h"
#include "io/fs.h"
#include "store/format.h"

enum { LOCK_WAIT = 30 };

static const char subscriptions[] = "subscriptions";
static const char special_use[] = "pneu.special-use";

static const struct {
	const char *name;
	unsigned use;
} uses[] = {
	{ "drafts", BOX_DRAFTS },
	{ "junk", BOX_JUNK },
	{ "sent", BOX_SENT },
	{ "trash", BOX_TRASH },
	{ "archive", BOX_ARCHIVE },
};

enum { NUSES = sizeof(uses) / sizeof(uses[0]) };

unsigned
boxfile_use(struct span name)
{
	for (size_t i = 0; i < NUSES; i++)
		if (span_iis(name, uses[i].name))
			return uses[i].use;
	return 0;
}

unsigned
boxes_use(struct span attribute)
{
	if (attribute.n == 0 || *attribute.p != '\\')
		return 0;
	span_take(&attribute, 1);
	return boxfile_use(attribute);
}

void
boxes_put_uses(struct buf *b, unsigned attrs)
{
	const char *sep = "";

	for (size_t i = 0; i < NUSES; i++)
		if (attrs & uses[i].use) {
			buf_printf(b, "%s\\%c%s", sep,
			    to_upper(uses[i].name[0]), uses[i].name + 1);
			sep = " ";
		}
}

int
boxfile_lock(int rootfd)
{
	int fd = openat(rootfd, "pneu.lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1 || fs_lock(fd, true, deadline_in(LOCK_WAIT)) == 0)
		return fd;
	fs_close(fd);
	return -1;
}

int
boxfile_begin(int rootfd, const char *path, int *lock)
{
	int fd;

	if ((*lock = boxfile_lock(rootfd)) == -1)
		return -1;
	if ((fd = fs_open_dir(path)) == -1)
		fs_close(*lock);
	return fd;
}

void
boxfile_end(int fd, int lock)
{
	fs_close(fd);
	fs_close(lock);
}

/* A file that is missing is empty. */
static int
read_file(int rootfd, const char *name, struct buf *b)
{
	buf_init(b, BOXFILE_MAX);
	fresh_name(rootfd, name);
	if (fs_read(rootfd, name, b) == 0 || errno == ENOENT)
		return 0;
	buf_free(b);
	return -1;
}

/* "V", tab, "2", an empty line: levels are then separated by tabs. */
static bool
take_version(struct span *s)
{
	if (!span_starts(*s, "V\t2\n"))
		return false;
	span_take(s, 4);
	if (s->n > 0 && *s->p == '\n')
		span_take(s, 1);
	return true;
}

/* A line of the file as a folder: "A.B" or "A\tB" is ".A.B". */
static void
put_dir(struct buf *out, struct span line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0)
		return;
	if (span_iis(line, "INBOX")) {
		buf_puts(out, "INBOX\n");
		return;
	}
	buf_putc(out, '.');
	for (size_t i = 0; i < line.n; i++)
		buf_putc(out, line.p[i] == '\t' ? '.' : line.p[i]);
	buf_putc(out, '\n');
}

void
boxfile_dirs(struct span text, struct buf *dirs)
{
	take_version(&text);
	while (text.n > 0)
		put_dir(dirs, span_cut(&text, '\n'));
}

int
boxfile_subscribed(int rootfd, struct buf *dirs)
{
	struct buf b;

	if (read_file(rootfd, subscriptions, &b) == -1)
		return -1;
	boxfile_dirs(buf_span(&b), dirs);
	buf_free(&b);
	return 0;
}

static bool
same_dir(struct span line, const char *dir)
{
	struct buf b;
	bool same;

	buf_init(&b, line.n + 8);
	put_dir(&b, line);
	if (dir[0] == '\0')
		dir = "INBOX";
	same = b.n > 0 && span_is((struct span){ b.p, b.n - 1 }, dir);
	buf_free(&b);
	return same;
}

static void
put_line(struct buf *b, const char *dir, bool tabs)
{
	if (dir[0] == '\0')
		buf_puts(b, "INBOX");
	else
		for (dir++; *dir != '\0'; dir++)
			buf_putc(b, tabs && *dir == '.' ? '\t' : *dir);
	buf_putc(b, '\n');
}

bool
boxfile_edit(struct span text, const char *dir, bool subscribe, struct buf *new)
{
	bool tabs = take_version(&text), found = false;
	struct span line;

	if (tabs)
		buf_puts(new, "V\t2\n\n");
	while (text.n > 0) {
		line = span_cut(&text, '\n');
		if (same_dir(line, dir)) {
			found = true;
			continue;
		}
		buf_put(new, line);
		buf_putc(new, '\n');
	}
	if (subscribe)
		put_line(new, dir, tabs);
	return found != subscribe;
}

static int
rewrite_subscriptions(int rootfd, const char *dir, bool subscribe)
{
	struct buf old, new;
	bool changes;
	int r = 0;

	if (read_file(rootfd, subscriptions, &old) == -1)
		return -1;
	buf_init(&new, BOXFILE_MAX);
	changes = boxfile_edit(buf_span(&old), dir, subscribe, &new);
	if (new.over) {
		errno = EFBIG;
		r = -1;
	} else if (changes) {
		r = fs_replace(rootfd, subscriptions, buf_span(&new), 0600);
	}
	buf_free(&old);
	buf_free(&new);
	return r;
}

int
boxfile_subscribe(int rootfd, const char *dir, bool subscribe)
{
	int lock = boxfile_lock(rootfd), r;

	if (lock == -1)
		return -1;
	r = rewrite_subscriptions(rootfd, dir, subscribe);
	fs_close(lock);
	return r;
}

/* Lines "use DIR", after the one that names the format. */
static int
read_uses(int rootfd, struct buf *b, struct span *s)
{
	if (read_file(rootfd, special_use, b) == -1)
		return -1;
	*s = buf_span(b);
	if (s->n > 0 && format_of(*s, "special-use") == FORMAT_NEWER) {
		buf_free(b);
		errno = EPROTO;
		return -1;
	}
	if (s->n > 0)
		span_cut(s, '\n');
	return 0;
}

void
boxfile_use_lines(struct span text, struct buf *lines)
{
	struct span line, word;

	while (text.n > 0) {
		line = span_cut(&text, '\n');
		word = span_word(&line);
		if (boxfile_use(word) == 0)
			continue;
		buf_printf(lines, "%u ", boxfile_use(word));
		buf_put(lines, span_trim(line));
		buf_putc(lines, '\n');
	}
}

int
boxfile_uses(int rootfd, struct buf *lines)
{
	struct buf b;
	struct span s;

	if (read_uses(rootfd, &b, &s) == -1)
		return -1;
	boxfile_use_lines(s, lines);
	buf_free(&b);
	return 0;
}

bool
boxfile_edit_use(
    struct span text, const char *dir, unsigned use, struct buf *new)
{
	struct span line, rest;
	bool had = false;
	unsigned has;

	while (text.n > 0) {
		rest = line = span_cut(&text, '\n');
		has = boxfile_use(span_word(&rest));
		/* what a later release may know stays */
		if (has != 0 &&
		    ((has & use) != 0 || span_is(span_trim(rest), dir))) {
			had = true;
			continue;
		}
		buf_put(new, line);
		buf_putc(new, '\n');
	}
	for (size_t i = 0; i < NUSES; i++)
		if (uses[i].use & use)
			buf_printf(new, "%s %s\n", uses[i].name, dir);
	return had || use != 0;
}

static int
rewrite_uses(int rootfd, const char *dir, unsigned use)
{
	struct buf b, new;
	struct span s;
	bool changes;
	int r = 0;

	if (read_uses(rootfd, &b, &s) == -1)
		return -1;
	buf_init(&new, BOXFILE_MAX);
	buf_puts(&new, "pneu-special-use 1\n");
	changes = boxfile_edit_use(s, dir, use, &new);
	if (new.over) {
		errno = EFBIG;
		r = -1;
	} else if (changes) {
		r = fs_replace(rootfd, special_use, buf_span(&new), 0600);
	}
	buf_free(&b);
	buf_free(&new);
	return r;
}

int
boxfile_set_use(int rootfd, const char *dir, unsigned use)
{
	int lock = boxfile_lock(rootfd), r;

	if (lock == -1)
		return -1;
	r = rewrite_uses(rootfd, dir, use);
	fs_close(lock);
	return r;
}

/* The uses that the file gives to a folder, 0 for none. */
static int
use_of(int rootfd, const char *dir, unsigned *use)
{
	struct buf b;
	struct span s, word, line;

	*use = 0;
	if (read_uses(rootfd, &b, &s) == -1)
		return -1;
	while (s.n > 0) {
		line = span_cut(&s, '\n');
		word = span_word(&line);
		if (span_is(span_trim(line), dir))
			*use |= boxfile_use(word);
	}
	buf_free(&b);
	return 0;
}

int
boxfile_move_use(int rootfd, const char *from, const char *to)
{
	unsigned use;

	if (use_of(rootfd, from, &use) == -1)
		return -1;
	return use == 0 ? 0 : boxfile_set_use(rootfd, to, use);
}
