#include "maildirin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/sha256.h"
#include "store/gzip.h"
#include "store/mdname.h"
#include "store/view.h"

/* Behind a base come sizes of 20 digits each, and the letters. */
enum { BASE_MAX = 160, BASE_SUM = 16 };

static struct target to;

/* The files in order: those with a UID first, the others by name. */
static void
put_in_order(struct maildirin *s)
{
	struct foreign *f = &s->theirs;
	bool *listed = die_calloc(f->files.n + 1, sizeof(*listed));
	size_t i;

	s->order = die_calloc(f->files.n + 1, sizeof(*s->order));
	for (size_t k = 0; k < f->n; k++) {
		i = scan_find(&f->files, mdname_base(f->msg[k].file));
		s->order[s->n++] = i;
		listed[i] = true;
	}
	for (i = 0; i < f->files.n; i++)
		if (!listed[i])
			s->order[s->n++] = i;
	free(listed);
}

/* Two files of one base are seen as one message, which must not be silent. */
static void
tell_twins(const struct maildirin *s)
{
	const struct scan *files = &s->theirs.files;
	char a[LIMIT_PATH + 512], b[LIMIT_PATH + 512], file[512];
	struct stat x, y;

	for (size_t i = 0; i < files->ntwins; i++) {
		const struct scan_twin *t = &files->twin[i];

		snprintf(a, sizeof(a), "%s/%s", s->path,
		    scan_path(files, &files->file[t->of], file));
		snprintf(b, sizeof(b), "%s/%s", s->path,
		    scan_path(files, &t->file, file));
		if (stat(a, &x) == -1 || stat(b, &y) == -1 ||
		    x.st_ino == y.st_ino)
			continue;
		warn("%s: not taken, another has this name, too", b);
		status = EXIT_TEMP;
	}
}

int
maildirin_open(struct maildirin *s, const char *path)
{
	char snapshot[LIMIT_PATH + 32];

	*s = (struct maildirin){ 0 };
	if (!span_cstr(span_of(path), s->path, sizeof(s->path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(snapshot, sizeof(snapshot), "%s/pneu.snapshot", path);
	if (access(snapshot, F_OK) == 0) {
		if (folder_open(&s->ours, path, false) == -1)
			return -1;
		s->n = folder_count(s->ours);
		s->uidvalidity = folder_uidvalidity(s->ours);
		s->uidnext = folder_uidnext(s->ours);
		return 0;
	}
	if (foreign_read(&s->theirs, path, false) == -1)
		return -1;
	s->uidvalidity = s->theirs.uidvalidity;
	s->uidnext = s->theirs.uidnext;
	put_in_order(s);
	tell_twins(s);
	return 0;
}

void
maildirin_close(struct maildirin *s)
{
	if (s->ours != NULL)
		folder_close(s->ours);
	else
		foreign_free(&s->theirs);
	free(s->order);
}

static bool
get_ours(struct maildirin *s, size_t i, struct maildirin_msg *m)
{
	const struct msg *msg = folder_msg(s->ours, i);

	index_file(&s->ours->ix, &s->ours->ix.entry[i], m->file);
	m->uid = msg->uid;
	m->flags = msg->flags & FLAG_ALL;
	keyword_words(s->ours, msg->keywords, &m->keywords);
	return !msg->gone;
}

bool
maildirin_get(struct maildirin *s, size_t i, struct maildirin_msg *m)
{
	struct foreign *f = &s->theirs;
	struct mdname name;

	buf_clear(&m->keywords);
	if (s->ours != NULL)
		return get_ours(s, i, m);
	scan_path(&f->files, &f->files.file[s->order[i]], m->file);
	name = mdname_parse(scan_name(&f->files, s->order[i]));
	m->flags = name.flags;
	m->uid = i < f->n ? f->msg[i].uid : 0;
	if (name.passed)
		buf_puts(&m->keywords, "$Forwarded");
	for (int k = 0; i < f->n && k < f->nkeywords; k++)
		if ((f->msg[i].keywords >> k & 1) != 0) {
			buf_putc(&m->keywords, ' ');
			buf_puts(&m->keywords, f->keyword[k]);
		}
	return true;
}

int
maildirin_file(struct maildirin *s, size_t i)
{
	char path[LIMIT_PATH + 512], file[512];
	int fd;

	if (s->ours != NULL)
		return folder_open_msg(s->ours, i);
	scan_path(&s->theirs.files, &s->theirs.files.file[s->order[i]], file);
	snprintf(path, sizeof(path), "%s/%s", s->path, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd == -1 ? -1 : gzip_plain(s->path, fd);
}

/* A base without the sizes, which are put behind it again. */
static struct span
plain(struct span base)
{
	size_t n;

	while ((n = span_rchr(base, ',')) < base.n && base.n - n > 2 &&
	    (base.p[n + 1] == 'S' || base.p[n + 1] == 'W') &&
	    base.p[n + 2] == '=')
		base.n = n;
	return base;
}

/*
 * The base with us: a long one, which has no room for sizes and flags, by
 * its sum.
 */
static void
our_base(const struct maildirin_msg *m, char base[MDNAME_MAX + 1])
{
	struct span theirs = plain(mdname_base(span_of(m->file + 4)));
	struct buf hex = { .max = 2 * BASE_SUM + 1 };
	unsigned char digest[SHA256_LEN];
	struct sha256 sha;

	if (theirs.n <= BASE_MAX) {
		memcpy(base, theirs.p, theirs.n);
		base[theirs.n] = '\0';
		return;
	}
	sha256_init(&sha);
	sha256_put(&sha, theirs);
	sha256_end(&sha, digest);
	enc_hex(&hex, (struct span){ (const char *)digest, BASE_SUM });
	snprintf(base, MDNAME_MAX + 1, "%s.long", buf_cstr(&hex));
	buf_free(&hex);
}

/* The bytes, and the time of the file. */
static bool
copy(int fd, int64_t *date)
{
	static char buf[65536];
	struct stat st;
	ssize_t n;

	if (bring_create(&to.bring) == -1)
		die_sys(EXIT_TEMP, "%s", to.name);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		maildir_write(&to.bring.file, (struct span){ buf, (size_t)n });
	if (n == -1 || fstat(fd, &st) == -1)
		return false;
	*date = (int64_t)st.st_mtime;
	return true;
}

/* -n: as long as it would be. */
static bool
measure(int fd)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) == -1 ||
	    (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
		return false;
	to.size = (uint64_t)st.st_size;
	to.open_line = last != '\n';
	return true;
}

static void
copy_message(struct maildirin *s, size_t i, const struct bring_msg *msg)
{
	struct bring_msg m = *msg;
	int fd;

	if (dry_run && !target_foretells()) {
		target_done(&to, &m);
		return;
	}
	if ((fd = maildirin_file(s, i)) == -1) {
		failed(m.base);
		return;
	}
	if (dry_run ? measure(fd) : copy(fd, &m.date)) {
		target_done(&to, &m);
	} else {
		failed(m.base);
		if (!dry_run)
			bring_drop(&to.bring);
	}
	close(fd);
}

static void
copy_all(struct maildirin *s, bool uids)
{
	struct maildirin_msg m;
	char base[MDNAME_MAX + 1];

	buf_init(&m.keywords, LIMIT_KEYWORDS * (LIMIT_KEYWORD + 1));
	for (size_t i = 0; i < s->n; i++) {
		if (!maildirin_get(s, i, &m))
			continue;
		our_base(&m, base);
		if (target_has(&to, base))
			continue;
		say_more(to.name, "copy", "%s", base);
		copy_message(s, i,
		    &(struct bring_msg){ .base = base,
			.uid = uids ? m.uid : 0,
			.flags = m.flags,
			.keywords = buf_span(&m.keywords) });
	}
	buf_free(&m.keywords);
}

void
maildirin_copy(const char *name, const char *from, bool uids)
{
	struct maildirin s;

	if (maildirin_open(&s, from) == -1) {
		failed(from);
		return;
	}
	if (target_open(&to, name)) {
		uids = uids && target_keeps(&to, s.uidvalidity);
		copy_all(&s, uids);
		if (uids) {
			target_commit(&to);
			target_uidnext(&to, s.uidnext);
		}
		target_close(&to);
	}
	maildirin_close(&s);
}
