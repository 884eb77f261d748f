/* What Courier keeps of keywords and of POP3. */
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "foreign.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/uidl.h"

static const char dir_name[] = "courierimapkeywords";

enum { LIST_MAX = 268435456, WORDS_MAX = 65536 };

/*
 * courierimapkeywords/:list: a name a line, an empty line, and then
 * "BASE:NUMBER NUMBER" lines, counted from 0.
 */
static void
parse_list(struct foreign *f, struct span s)
{
	int number[LIMIT_KEYWORDS];
	struct span line, base;
	struct adopt_msg *m;
	uint32_t k, n = 0;

	while (s.n > 0 && (line = span_cut(&s, '\n')).n > 0)
		if (n < LIMIT_KEYWORDS)
			number[n++] = foreign_keyword(f, line);
		else
			f->bad++;
	while (s.n > 0) {
		line = span_cut(&s, '\n');
		base = span_cut(&line, ':');
		if ((m = foreign_find(f, base)) == NULL)
			continue;
		while (line.n > 0)
			if (num_u32(span_word(&line), &k) && k < n &&
			    number[k] != -1)
				m->keywords |= UINT64_C(1) << number[k];
	}
}

static void
parse_words(struct foreign *f, struct adopt_msg *m, struct span s)
{
	struct span line;
	int k;

	m->keywords = 0;
	while (s.n > 0) {
		line = span_trim(span_cut(&s, '\n'));
		if (line.n > 0 && (k = foreign_keyword(f, line)) != -1)
			m->keywords |= UINT64_C(1) << k;
	}
}

/*
 * "BASE" or ".NUMBER.BASE": what the message has now, a name a line; the
 * largest number counts, and more than that a name without one.
 */
static void
one_file(struct foreign *f, int dirfd, const char *name, uint64_t *latest)
{
	struct span base = span_of(name);
	uint64_t number = UINT64_MAX;
	struct adopt_msg *m;
	struct buf b;

	if (*name == ':')
		return;
	if (*name == '.') {
		span_take(&base, 1);
		if (!num_u64(span_cut(&base, '.'), &number))
			return;
		number++;
	}
	if ((m = foreign_find(f, base)) == NULL || number < latest[m - f->msg])
		return;
	latest[m - f->msg] = number;
	buf_init(&b, WORDS_MAX);
	if (fs_read(dirfd, name, &b) == 0)
		parse_words(f, m, buf_span(&b));
	else
		f->bad++;
	buf_free(&b);
}

static int
read_files(struct foreign *f, int fd)
{
	uint64_t *latest = die_calloc(f->n + 1, sizeof(*latest));
	DIR *dir = fs_list_dir(fd, ".");
	struct dirent *d;

	if (dir == NULL) {
		free(latest);
		return -1;
	}
	while ((d = readdir(dir)) != NULL)
		one_file(f, fd, d->d_name, latest);
	closedir(dir);
	free(latest);
	return 0;
}

int
courier_keywords(struct foreign *f, int dirfd)
{
	int fd = fs_open_dir_at(dirfd, dir_name), r;
	struct buf b;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	buf_init(&b, LIST_MAX);
	r = fs_read(fd, ":list", &b);
	if (r == 0)
		parse_list(f, buf_span(&b));
	else if (errno == ENOENT)
		r = 0;
	if (r == 0)
		r = read_files(f, fd);
	fs_close(fd);
	buf_free(&b);
	return r;
}

/*
 * courierpop3dsizelist: "/3 NEXT VALIDITY", then "FILE SIZE
 * UID:VALIDITY[:...]" lines.  UID 0, and a list that is older than "/2":
 * the name in POP3 is that of the file.
 */
static void
parse_sizes(struct span s, struct foreign *f, char (*names)[UIDL_MAX + 1])
{
	struct span line, base, uid, validity;
	struct adopt_msg *m;
	char *to;

	if (!span_starts(s, "/2 ") && !span_starts(s, "/3 "))
		return;
	span_cut(&s, '\n');
	while (s.n > 0) {
		line = span_cut(&s, '\n');
		base = mdname_base(span_word(&line));
		span_word(&line);
		validity = span_word(&line);
		uid = span_cut(&validity, ':');
		validity = span_cut(&validity, ':');
		if ((m = foreign_find(f, base)) == NULL)
			continue;
		to = names[m - f->msg];
		if (span_is(uid, "0"))
			snprintf(to, UIDL_MAX + 1, "%.*s", (int)base.n, base.p);
		else if (uid.n > 0 && uid.n <= 10 && validity.n <= 10)
			snprintf(to, UIDL_MAX + 1, "UID%.*s-%.*s", (int)uid.n,
			    uid.p, (int)validity.n, validity.p);
	}
}

int
courier_uidls(struct foreign *f, int dirfd)
{
	char(*names)[UIDL_MAX + 1];
	struct buf b;

	buf_init(&b, LIST_MAX);
	if (fs_read(dirfd, "courierpop3dsizelist", &b) == -1) {
		buf_free(&b);
		return errno == ENOENT ? 0 : -1;
	}
	names = die_calloc(f->n + 1, sizeof(*names));
	parse_sizes(buf_span(&b), f, names);
	for (size_t i = 0; i < f->n; i++)
		foreign_uidl(f, f->msg[i].uid, span_of(names[i]));
	free(names);
	buf_free(&b);
	return 0;
}
