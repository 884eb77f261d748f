#include "store/quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/view.h"

enum {
	FILE_MAX = 5120, /* as Maildir++ has it */
	BELIEVED = 900,  /* seconds that "no room" is believed */
	TRIES = 3
};

static const int64_t sum_max = INT64_MAX / 2;

static const char file_name[] = "maildirsize";

/* A file as it was read. */
struct state {
	struct quota_use use;
	size_t lines; /* behind the first */
	off_t size;
	ino_t ino;
	int64_t mtime;
};

void
quota_init(struct quota *q, const char *root, uint64_t max_bytes,
    uint64_t max_messages)
{
	*q = (struct quota){ .max_bytes = max_bytes,
		.max_messages = max_messages,
		.told = max_bytes != 0 || max_messages != 0 };
	if (!span_cstr(span_of(root), q->root, sizeof(q->root)))
		q->told = false;
}

/* definition = number ("S" / "C") *("," number ("S" / "C")) */
static bool
parse_limits(struct span line, struct quota_use *u)
{
	while (line.n > 0) {
		struct span one = span_trim(span_cut(&line, ','));
		uint64_t n;
		char kind;

		if (one.n == 0)
			continue;
		kind = one.p[--one.n];
		if (!num_u64(one, &n))
			return false;
		if (kind == 'S')
			u->max_bytes = n;
		else if (kind == 'C')
			u->max_messages = n;
	}
	return true;
}

static bool
parse_signed(struct span s, int64_t *n)
{
	bool minus = s.n > 0 && *s.p == '-';
	uint64_t u;

	if (minus)
		span_take(&s, 1);
	if (!num_u64(s, &u) || u > (uint64_t)sum_max)
		return false;
	*n = minus ? -(int64_t)u : (int64_t)u;
	return true;
}

/* Sums stay as small as their parts, so that none runs over. */
static bool
add(int64_t *sum, int64_t n)
{
	*sum += n;
	return *sum <= sum_max && *sum >= -sum_max;
}

bool
quota_parse(struct span text, struct quota_use *u, size_t *lines)
{
	int64_t bytes = 0, messages = 0, b, m;

	*u = (struct quota_use){ 0 };
	*lines = 0;
	if (span_chr(text, '\n') == text.n ||
	    !parse_limits(span_cut(&text, '\n'), u) || text.n == 0 ||
	    text.p[text.n - 1] != '\n')
		return false;
	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');
		struct span first = span_word(&line);

		if (!parse_signed(first, &b) ||
		    !parse_signed(span_word(&line), &m) ||
		    span_trim(line).n > 0 || !add(&bytes, b) ||
		    !add(&messages, m))
			return false;
		++*lines;
	}
	if (*lines == 0 || bytes < 0 || messages < 0)
		return false;
	u->bytes = (uint64_t)bytes;
	u->messages = (uint64_t)messages;
	return true;
}

/* 1; 0 when it is not there or not usable; -1 and errno. */
static int
load(int rootfd, struct state *st)
{
	char text[FILE_MAX + 1];
	struct stat s;
	ssize_t n;
	int fd = openat(rootfd, file_name, O_RDONLY | O_CLOEXEC);

	*st = (struct state){ 0 };
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	n = fstat(fd, &s) == 0 ? read(fd, text, sizeof(text)) : -1;
	fs_close(fd);
	if (n == -1)
		return -1;
	st->size = s.st_size;
	st->ino = s.st_ino;
	st->mtime = (int64_t)s.st_mtime;
	if (quota_parse((struct span){ text, (size_t)n }, &st->use, &st->lines))
		return n <= FILE_MAX;
	return 0;
}

uint64_t
quota_size(int fd, const char *name)
{
	const char *slash = strrchr(name, '/');
	struct mdname n =
	    mdname_parse(span_of(slash == NULL ? name : slash + 1));
	struct stat st;

	if (n.has_s)
		return n.s;
	return fstatat(fd, name, &st, 0) == 0 && S_ISREG(st.st_mode)
	    ? (uint64_t)st.st_size
	    : 0;
}

static int
count_dir(int fd, const char *name, uint64_t *bytes, uint64_t *messages)
{
	DIR *dir = fs_list_dir(fd, name);
	struct dirent *d;
	int err;

	if (dir == NULL)
		return errno == ENOENT ? 0 : -1;
	while (errno = 0, (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.') {
			*bytes += quota_size(dirfd(dir), d->d_name);
			++*messages;
		}
	err = errno;
	closedir(dir);
	errno = err;
	return err == 0 ? 0 : -1;
}

static int
count_folder(int fd, const char *name, uint64_t *bytes, uint64_t *messages)
{
	char sub[MDNAME_MAX + 8];

	snprintf(sub, sizeof(sub), "%s/new", name);
	if (count_dir(fd, sub, bytes, messages) == -1)
		return -1;
	snprintf(sub, sizeof(sub), "%s/cur", name);
	return count_dir(fd, sub, bytes, messages);
}

int
quota_count(const char *folder, uint64_t *bytes, uint64_t *messages)
{
	int fd = fs_open_dir(folder), r;

	*bytes = *messages = 0;
	if (fd == -1)
		return -1;
	r = count_folder(fd, ".", bytes, messages);
	fs_close(fd);
	return r;
}

/* The root and every ".folder" in it. */
static int
count_all(int rootfd, struct quota_use *u)
{
	DIR *dir = fs_list_dir(rootfd, ".");
	struct dirent *d;
	int r, err;

	if (dir == NULL)
		return -1;
	u->bytes = u->messages = 0;
	r = count_folder(rootfd, ".", &u->bytes, &u->messages);
	while (r == 0 && (errno = 0, (d = readdir(dir)) != NULL))
		if (d->d_name[0] == '.' && d->d_name[1] != '.' &&
		    d->d_name[1] != '\0' &&
		    count_folder(rootfd, d->d_name, &u->bytes, &u->messages) ==
			-1 &&
		    errno != ENOTDIR)
			r = -1;
	err = errno;
	closedir(dir);
	errno = err;
	return r == -1 || err != 0 ? -1 : 0;
}

static int
write_new(int rootfd, const struct quota_use *u)
{
	struct buf b = { .max = 256 };
	int r;

	if (u->max_bytes != 0)
		buf_printf(&b, "%lluS%s", (unsigned long long)u->max_bytes,
		    u->max_messages != 0 ? "," : "");
	if (u->max_messages != 0)
		buf_printf(&b, "%lluC", (unsigned long long)u->max_messages);
	buf_printf(&b, "\n%llu %llu\n", (unsigned long long)u->bytes,
	    (unsigned long long)u->messages);
	r = fs_replace(rootfd, file_name, buf_span(&b), 0600);
	buf_free(&b);
	return r;
}

/* Count; again when somebody has added a line meanwhile. */
static int
recount(int rootfd, struct state *st)
{
	struct quota_use u = st->use;

	for (int i = 0; i < TRIES; i++) {
		struct stat before = { 0 }, after = { 0 };

		if (fstatat(rootfd, file_name, &before, 0) == -1)
			before.st_ino = 0;
		if (count_all(rootfd, &u) == -1)
			return -1;
		if (fstatat(rootfd, file_name, &after, 0) == -1)
			after.st_ino = 0;
		if (before.st_ino == after.st_ino &&
		    before.st_size == after.st_size)
			break;
	}
	st->use = u;
	st->lines = 1;
	st->mtime = unix_now();
	return write_new(rootfd, &u);
}

/*
 * The file, with the limits that hold.  2: it must be made anew; 1; 0: no
 * quota; -1 and errno.
 */
static int
read_file(const struct quota *q, int rootfd, struct state *st)
{
	int r = load(rootfd, st);

	if (r == -1)
		return -1;
	if (!q->told && st->use.max_bytes == 0 && st->use.max_messages == 0) {
		*st = (struct state){ 0 };
		return 0;
	}
	if (q->told &&
	    (st->use.max_bytes != q->max_bytes ||
		st->use.max_messages != q->max_messages)) {
		st->use.max_bytes = q->max_bytes;
		st->use.max_messages = q->max_messages;
		r = 0;
	}
	return r == 0 ? 2 : 1;
}

/* The file, made anew if need be.  1; 0: no quota; -1 and errno. */
static int
look(struct quota *q, int rootfd, struct state *st)
{
	int r = read_file(q, rootfd, st);

	if (r == 2)
		return recount(rootfd, st) == -1 ? -1 : 1;
	return r;
}

bool
quota_fits(const struct quota_use *u, uint64_t bytes, uint64_t messages)
{
	if (u->max_bytes != 0 &&
	    (u->bytes > u->max_bytes || bytes > u->max_bytes - u->bytes))
		return false;
	return u->max_messages == 0 ||
	    (u->messages <= u->max_messages &&
		messages <= u->max_messages - u->messages);
}

int
quota_get(struct quota *q, struct quota_use *u)
{
	struct state st;
	int fd = fs_open_dir(q->root), r;

	*u = (struct quota_use){ 0 };
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	r = look(q, fd, &st);
	fs_close(fd);
	if (r == 1)
		*u = st.use;
	return r == -1 ? -1 : 0;
}

int
quota_peek(const struct quota *q, struct quota_use *u)
{
	struct state st;
	int fd = fs_open_dir(q->root), r;

	*u = (struct quota_use){ 0 };
	if (fd == -1)
		return -1;
	r = read_file(q, fd, &st);
	if (r > 0)
		r = count_all(fd, &st.use);
	if (r == 0)
		*u = st.use;
	fs_close(fd);
	return r;
}

bool
quota_room(struct quota *q, uint64_t bytes, uint64_t messages)
{
	struct state st;
	int fd = fs_open_dir(q->root), r;
	bool room = true;

	if (fd == -1)
		return true;
	r = look(q, fd, &st);
	if (r == 1 && !(room = quota_fits(&st.use, bytes, messages)) &&
	    (st.lines > 1 || unix_now() - st.mtime > BELIEVED) &&
	    recount(fd, &st) == 0)
		room = quota_fits(&st.use, bytes, messages);
	close(fd);
	return room;
}

/* Whether the folder is one in a Maildir, not a Maildir itself. */
static bool
is_inferior(const char *folder, struct span parent)
{
	char path[LIMIT_PATH + 32];
	const char *last = folder + parent.n;

	snprintf(path, sizeof(path), "%s/maildirfolder", folder);
	if (access(path, F_OK) == 0)
		return true;
	if (last[0] != '/' || last[1] != '.')
		return false;
	snprintf(path, sizeof(path), "%.*s/cur", (int)parent.n, folder);
	return access(path, F_OK) == 0;
}

void
quota_add(const char *folder, int64_t bytes, int64_t messages)
{
	char path[LIMIT_PATH + 32], line[64];
	struct span s = span_of(folder), parent = s;
	int err = errno, fd, n;

	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	parent.n = span_rchr(s, '/');
	if (parent.n < s.n && is_inferior(folder, parent))
		s = parent;
	snprintf(path, sizeof(path), "%.*s/%s", (int)s.n, s.p, file_name);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd != -1) {
		n = snprintf(line, sizeof(line), "%lld %lld\n",
		    (long long)bytes, (long long)messages);
		/* half a line is damage, and the file is made anew */
		(void)!write(fd, line, (size_t)n);
		close(fd);
	}
	errno = err;
}

uint64_t
quota_messages(struct folder *f, const size_t *idx, size_t n)
{
	uint64_t sum = 0;
	char path[512];

	for (size_t k = 0; k < n; k++) {
		const struct entry *e = &f->ix.entry[idx[k]];

		if (!e->msg.gone)
			sum +=
			    quota_size(f->ix.fd, index_file(&f->ix, e, path));
	}
	return sum;
}
