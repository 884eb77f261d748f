#include "foreign.h"

#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "base/grow.h"
#include "base/num.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/uidl.h"
#include "store/uidlist.h"

enum { FILE_MAX = 268435456, LETTERS = 26 };

const char *const foreign_file[] = {
	[FOREIGN_NONE] = "",
	[FOREIGN_DOVECOT] = "dovecot-uidlist",
	[FOREIGN_COURIER] = "courierimapuiddb",
	[FOREIGN_ISYNC] = ".uidvalidity",
};

int
foreign_keyword(struct foreign *f, struct span name)
{
	for (int k = 0; k < f->nkeywords; k++)
		if (span_iis(name, f->keyword[k]))
			return k;
	if (f->nkeywords == LIMIT_KEYWORDS ||
	    !span_cstr(name, f->keyword_text[f->nkeywords], LIMIT_KEYWORD + 1))
		return -1;
	f->keyword[f->nkeywords] = f->keyword_text[f->nkeywords];
	return f->nkeywords++;
}

static void
add(struct foreign *f, uint32_t uid, size_t file, uint64_t wire)
{
	f->msg = grow_array(f->msg, f->n, &f->cap, sizeof(f->msg[0]));
	f->msg[f->n++] = (struct adopt_msg){ .uid = uid,
		.file = scan_name(&f->files, file),
		.in_new = f->files.file[file].in_new,
		.wire = wire };
}

struct adopt_msg *
foreign_find(struct foreign *f, struct span base)
{
	size_t i = scan_find(&f->files, base);

	return i == f->files.n || f->place[i] == 0 ? NULL
						   : &f->msg[f->place[i] - 1];
}

void
foreign_uidl(struct foreign *f, uint32_t uid, struct span name)
{
	if (!uidl_ok(name))
		return;
	buf_printf(&f->uidls, "%lu\t", (unsigned long)uid);
	buf_put(&f->uidls, name);
	buf_putc(&f->uidls, '\n');
	f->nuidls++;
}

/* What Dovecot says to POP3 unless its configuration says otherwise. */
static void
dovecot_uidl(struct foreign *f, uint32_t uid, struct span own)
{
	char text[32];

	if (own.n == 0) {
		snprintf(text, sizeof(text), "%08lx%08lx", (unsigned long)uid,
		    (unsigned long)f->uidvalidity);
		own = span_of(text);
	}
	foreign_uidl(f, uid, own);
}

/* Each file is one message, whatever the list says twice. */
static void
read_rows(struct foreign *f, struct uidlist *u, bool inbox)
{
	struct uidlist_row row;
	size_t i;

	f->place = die_calloc(f->files.n + 1, sizeof(*f->place));
	while (uidlist_next(u, &row)) {
		i = scan_find(&f->files, row.base);
		if (i == f->files.n) {
			f->gone++;
			continue;
		}
		if (f->place[i] != 0) {
			f->bad++;
			continue;
		}
		add(f, row.uid, i, row.wire);
		f->place[i] = f->n;
		if (inbox && f->kind == FOREIGN_DOVECOT)
			dovecot_uidl(f, row.uid, row.uidl);
	}
	f->unlisted = f->files.n - f->n;
}

static int
read_uidlist(struct foreign *f, int dirfd, bool inbox)
{
	struct uidlist u;
	struct buf b;
	int r = -1;

	buf_init(&b, FILE_MAX);
	if (fs_read(dirfd, foreign_file[f->kind], &b) == 0) {
		errno = EILSEQ;
		if (uidlist_begin(&u, buf_span(&b))) {
			f->uidvalidity = u.uidvalidity;
			read_rows(f, &u, inbox);
			f->uidnext = u.uidnext;
			f->bad += u.bad;
			r = 0;
		}
	}
	buf_free(&b);
	return r;
}

/* dovecot-keywords: "NUMBER NAME" lines; number 0 is the letter a. */
static int
dovecot_keywords(struct foreign *f, int dirfd)
{
	int number[LETTERS];
	struct buf b;
	struct span s, line;
	uint32_t n;

	memset(number, -1, sizeof(number));
	buf_init(&b, FILE_MAX);
	if (fs_read(dirfd, "dovecot-keywords", &b) == -1) {
		buf_free(&b);
		return errno == ENOENT ? 0 : -1;
	}
	s = buf_span(&b);
	while (s.n > 0) {
		line = span_cut(&s, '\n');
		if (!num_u32(span_cut(&line, ' '), &n) || line.n == 0)
			f->bad++;
		else if (n < LETTERS)
			number[n] = foreign_keyword(f, line);
		f->lettered = f->lettered || n >= LETTERS - 1;
	}
	buf_free(&b);
	for (size_t i = 0; i < f->n; i++) {
		struct mdname m = mdname_parse(f->msg[i].file);

		for (const char *p = m.extra; *p != '\0'; p++)
			if (*p >= 'a' && *p <= 'z' && number[*p - 'a'] != -1)
				f->msg[i].keywords |= UINT64_C(1)
				    << number[*p - 'a'];
	}
	return 0;
}

static int
by_uid(const void *a, const void *b)
{
	const struct adopt_msg *x = a, *y = b;

	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* .uidvalidity: two lines, UIDVALIDITY and the highest UID; ",U=UID". */
static int
isync(struct foreign *f, int dirfd)
{
	struct buf b;
	struct span s, base;
	uint32_t highest = 0, uid;
	bool ok;

	buf_init(&b, 256);
	if (fs_read(dirfd, foreign_file[FOREIGN_ISYNC], &b) == -1) {
		buf_free(&b);
		return -1;
	}
	s = buf_span(&b);
	ok = num_u32(span_cut(&s, '\n'), &f->uidvalidity) &&
	    num_u32(span_cut(&s, '\n'), &highest) && f->uidvalidity != 0 &&
	    highest < UINT32_MAX; /* one is next */
	buf_free(&b);
	if (!ok) {
		errno = EILSEQ;
		return -1;
	}
	for (size_t i = 0; i < f->files.n; i++) {
		size_t at;

		base = scan_base(&f->files, i);
		at = span_find(base, SPAN(",U="));
		if (at == base.n)
			continue;
		span_take(&base, at + 3);
		base.n = span_chr(base, ',');
		if (num_u32(base, &uid) && uid > 0 && uid <= highest)
			add(f, uid, i, 0);
	}
	if (f->n > 0)
		qsort(f->msg, f->n, sizeof(f->msg[0]), by_uid);
	for (size_t i = 1; i < f->n; i++)
		if (f->msg[i].uid == f->msg[i - 1].uid) {
			errno = EILSEQ;
			return -1;
		}
	f->unlisted = f->files.n - f->n;
	f->uidnext = highest + 1;
	return 0;
}

/* Of several, the one that was written last. */
static enum foreign_kind
kind_of(int dirfd)
{
	enum foreign_kind found = FOREIGN_NONE;
	int64_t latest = -1, t;

	for (int k = FOREIGN_DOVECOT; k <= FOREIGN_ISYNC; k++) {
		t = fs_mtime_ns(dirfd, foreign_file[k]);
		if (t > latest) {
			latest = t;
			found = (enum foreign_kind)k;
		}
	}
	return found;
}

static int
read_kind(struct foreign *f, int dirfd, bool inbox)
{
	switch (f->kind) {
	case FOREIGN_NONE:
		return 0;
	case FOREIGN_DOVECOT:
		return read_uidlist(f, dirfd, inbox) == -1
		    ? -1
		    : dovecot_keywords(f, dirfd);
	case FOREIGN_COURIER:
		if (read_uidlist(f, dirfd, inbox) == -1 ||
		    courier_keywords(f, dirfd) == -1)
			return -1;
		return inbox ? courier_uidls(f, dirfd) : 0;
	case FOREIGN_ISYNC:
		return isync(f, dirfd);
	}
	return 0;
}

int
foreign_read(struct foreign *f, const char *path, bool inbox)
{
	int fd, r;

	*f = (struct foreign){ 0 };
	buf_init(&f->uidls, UIDL_FILE_MAX);
	fd = fs_open_dir(path);
	if (fd == -1)
		return -1;
	f->kind = kind_of(fd);
	r = scan_read(&f->files, fd, SCAN_ALL);
	if (r == 0)
		r = read_kind(f, fd, inbox);
	fs_close(fd);
	if (r == -1)
		foreign_free(f);
	return r;
}

struct adopt
foreign_adopt(const struct foreign *f)
{
	return (struct adopt){ .uidvalidity = f->uidvalidity,
		.uidnext = f->uidnext,
		.keyword = f->keyword,
		.nkeywords = f->nkeywords,
		.msg = f->msg,
		.n = f->n };
}

void
foreign_free(struct foreign *f)
{
	scan_free(&f->files);
	buf_free(&f->uidls);
	free(f->msg);
	free(f->place);
	f->msg = NULL;
	f->place = NULL;
	f->n = f->cap = 0;
}
