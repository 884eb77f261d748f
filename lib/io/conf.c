#include "io/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "io/deadline.h"

enum { FRESH = 2 }; /* seconds in which a file may still be changing */

static const char *directory;

void
conf_set_dir(const char *dir)
{
	directory = dir;
}

const char *
conf_dir(void)
{
	if (directory == NULL)
		directory = getenv("PNEU_CONF");
	if (directory == NULL || directory[0] == '\0')
		directory = "/etc/pneu";
	return directory;
}

bool
conf_exists(void)
{
	struct stat st;

	return stat(conf_dir(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool
conf_file(char *path, size_t size, const char *name)
{
	int n = snprintf(path, size, "%s/%s", conf_dir(), name);

	return n > 0 && (size_t)n < size;
}

int
conf_open(struct conf *c, const char *name)
{
	char path[sizeof(c->path)];

	c->fd = -1;
	if (!conf_file(path, sizeof(path), name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return conf_open_path(c, path);
}

int
conf_open_path(struct conf *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return conf_open_fd(c, fd, path);
}

int
conf_open_fd(struct conf *c, int fd, const char *path)
{
	struct stat st;

	c->line = c->records = 0;
	c->bad = c->unfinished = false;
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->fd = fd;
	if (c->fd == -1)
		return -1;
	if (fstat(c->fd, &st) == -1 || S_ISDIR(st.st_mode)) {
		if (S_ISDIR(st.st_mode))
			errno = EISDIR;
		conf_close(c);
		return -1;
	}
	c->mtime = (int64_t)st.st_mtime;
	in_init(&c->in, c->fd, c->buf, sizeof(c->buf));
	return 0;
}

static bool
is_fresh(int64_t mtime)
{
	int64_t age = unix_now() - mtime;

	return age < FRESH && age > -FRESH;
}

bool
conf_file_fresh(const char *name)
{
	char path[LIMIT_PATH];
	struct stat st;

	return conf_file(path, sizeof(path), name) && stat(path, &st) == 0 &&
	    is_fresh((int64_t)st.st_mtime);
}

/* A file is read for every question: its bad lines are told only once. */
static bool
told_before(const struct conf *c)
{
	enum { REMEMBERED = 64 };
	static uint64_t told[REMEMBERED];
	static size_t n;
	uint64_t h = 14695981039346656037U;

	for (const char *p = c->path; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211U;
	h = (h ^ c->line) * 1099511628211U;
	h = (h ^ (uint64_t)c->mtime) * 1099511628211U;
	for (size_t i = 0; i < REMEMBERED; i++)
		if (told[i] == h)
			return true;
	told[n++ % REMEMBERED] = h;
	return false;
}

void
conf_bad(struct conf *c, const char *what)
{
	c->bad = true;
	if (!told_before(c))
		warn("%s:%u: %s", c->path, c->line, what);
}

/* Drop the rest of a line that does not fit. */
static int
skip_line(struct conf *c)
{
	for (;;) {
		size_t at = span_chr(c->in.data, '\n');

		if (at < c->in.data.n) {
			span_take(&c->in.data, at + 1);
			return 1;
		}
		span_take(&c->in.data, at);
		switch (in_fill(&c->in)) {
		case IN_DATA:
			break;
		case IN_EOF:
			return 1;
		case IN_TIMEOUT:
		case IN_FULL:
		case IN_ERROR:
			return -1;
		}
	}
}

/* "# pneu-NAME NUMBER" as the first line, of a release to come. */
static bool
is_newer(const struct conf *c, struct span line)
{
	const char *slash = strrchr(c->path, '/');
	char mark[64];
	uint32_t n;

	snprintf(mark, sizeof(mark), "# pneu-%.40s ",
	    slash != NULL ? slash + 1 : c->path);
	if (!span_starts(line, mark))
		return false;
	span_take(&line, strlen(mark));
	return num_u32(span_trim(line), &n) && n > CONF_FORMAT;
}

int
conf_next(struct conf *c, struct span *line)
{
	for (;;) {
		int r = in_line(&c->in, line);

		if (r == 0)
			return 0;
		c->line++;
		if (r == -1 && errno == ENOBUFS) {
			conf_bad(c, "line too long");
			if (skip_line(c) == -1)
				return -1;
			continue;
		}
		if (r == -1)
			return -1;
		if (c->line == 1 && is_newer(c, *line)) {
			errno = EPROTO;
			return -1;
		}
		if (c->in.eof && c->in.data.n == 0 &&
		    line->p + line->n == c->in.data.p) {
			c->unfinished = true;
			conf_bad(c, "no end of line");
			continue;
		}
		if (line->n > 0 && line->p[line->n - 1] == '\r')
			line->n--;
		if (line->n == 0 || line->p[0] == '#' ||
		    span_trim(*line).n == 0)
			continue;
		c->records++;
		return 1;
	}
}

bool
conf_fresh(const struct conf *c)
{
	return is_fresh(c->mtime);
}

bool
conf_doubtful(const struct conf *c)
{
	return c->bad || c->records == 0 || conf_fresh(c);
}

void
conf_close(struct conf *c)
{
	int err = errno;

	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	errno = err;
}

const char *
conf_me(void)
{
	static char me[LIMIT_DOMAIN + 1];
	static struct conf c;
	struct utsname u;
	struct span line;

	if (me[0] != '\0')
		return me;
	if (conf_open(&c, "me") == 0) {
		if (conf_next(&c, &line) == 1) {
			struct span word = span_word(&line);

			if (!span_cstr(word, me, sizeof(me)))
				conf_bad(&c, "not a host name");
		}
		conf_close(&c);
	}
	if (me[0] == '\0' && uname(&u) == 0)
		snprintf(me, sizeof(me), "%.255s", u.nodename);
	if (me[0] == '\0')
		snprintf(me, sizeof(me), "localhost");
	return me;
}

static const char path_names[4][8] = { "queue", "state", "run", "bin" };

static char paths[4][LIMIT_PATH];

/* Once.  False, and errno, when the file is there and can't be read. */
static bool
read_paths(void)
{
	static const char *const dflt[4] = { "/var/spool/pneu", "/var/lib/pneu",
		"/run/pneu", "" };
	static struct conf c;
	static bool known;
	struct span line;

	if (known)
		return true;
	for (int i = 0; i < 4; i++)
		snprintf(paths[i], LIMIT_PATH, "%s", dflt[i]);
	if (conf_open(&c, "paths") == -1) {
		known = errno == ENOENT;
		return known;
	}
	known = true;
	while (conf_next(&c, &line) == 1) {
		struct span name = span_word(&line), to = span_trim(line);
		char path[LIMIT_PATH];
		int i;

		for (i = 0; i < 4; i++)
			if (span_is(name, path_names[i]))
				break;
		if (i == 4 || to.n == 0 || !span_cstr(to, path, sizeof(path)))
			conf_bad(&c, "not a path of ours");
		else if (path[0] == '/')
			snprintf(paths[i], LIMIT_PATH, "%s", path);
		else if (snprintf(paths[i], LIMIT_PATH, "%s/%s", conf_dir(),
			     path) >= LIMIT_PATH)
			die(EXIT_TEMP, "%s:%u: path too long", c.path, c.line);
	}
	conf_close(&c);
	return true;
}

const char *
conf_path(const char *name)
{
	char path[LIMIT_PATH];

	if (!read_paths()) {
		if (!conf_file(path, sizeof(path), "paths"))
			path[0] = '\0';
		die_sys(EXIT_TEMP, "%s", path);
	}
	for (int i = 0; i < 4; i++)
		if (strcmp(name, path_names[i]) == 0)
			return paths[i];
	return "";
}

const char *
conf_bin(void)
{
	return read_paths() ? conf_path("bin") : "";
}

void
conf_limits(struct conf_row *rows, size_t n)
{
	static struct conf c;
	struct span line;

	if (conf_open(&c, "limits") == -1)
		return;
	while (conf_next(&c, &line) == 1) {
		struct span key = span_word(&line);
		uint64_t v;

		if (!num_u64(span_trim(line), &v)) {
			conf_bad(&c, "not NAME NUMBER");
			continue;
		}
		for (size_t i = 0; i < n; i++)
			if (span_is(key, rows[i].name))
				rows[i].value =
				    v > rows[i].max ? rows[i].max : v;
	}
	conf_close(&c);
}

uint64_t
conf_limit(const char *name, uint64_t max, uint64_t dflt)
{
	struct conf_row row = { name, max, dflt };

	conf_limits(&row, 1);
	return row.value;
}

static bool
account_of_conf(const char *name, uid_t *uid, gid_t *gid)
{
	static struct conf c;
	struct span line;
	bool found = false;

	if (conf_open(&c, "uids") == -1)
		return false;
	while (!found && conf_next(&c, &line) == 1) {
		struct span who = span_word(&line), u = span_word(&line);
		uint32_t un, gn;

		if (!num_u32(u, &un) || !num_u32(span_trim(line), &gn)) {
			conf_bad(&c, "not NAME UID GID");
		} else if (span_is(who, name)) {
			*uid = un;
			*gid = gn;
			found = true;
		}
	}
	conf_close(&c);
	return found;
}

int
conf_account(const char *name, uid_t *uid, gid_t *gid)
{
	struct span s = span_of(name), u;
	struct passwd *pw;
	uint32_t un, gn;

	if (account_of_conf(name, uid, gid))
		return 0;
	pw = getpwnam(name);
	if (pw != NULL) {
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
		return 0;
	}
	u = span_cut(&s, ':');
	if (!num_u32(u, &un) || (s.n > 0 && !num_u32(s, &gn))) {
		errno = ENOENT;
		return -1;
	}
	*uid = un;
	*gid = s.n > 0 ? gn : un;
	return 0;
}
