#include "auth/session.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/in.h"

enum {
	HEADER_MAX = 2048,
	RECORD_MAX = HEADER_MAX + LIMIT_SESSION_STATE + LIMIT_SESSION_UNREAD,
	PATIENCE = 10 /* seconds; the record was written before the exec */
};

static const char format[] = "pneu-session 1";

/* The one-line fields, in the order of the record. */
static const struct field {
	const char *name;
	size_t at, size;
} fields[] = {
	/* clang-format off */
	{ "login", offsetof(struct session, login), LIMIT_LOGIN + 1 },
	{ "service", offsetof(struct session, service), 16 },
	{ "mech", offsetof(struct session, mech), 32 },
	{ "label", offsetof(struct session, label), 64 },
	{ "tls", offsetof(struct session, tls), 128 },
	{ "conn", offsetof(struct session, conn), 16 },
	/* clang-format on */
};

static bool
one_line(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

/*
 * The reader does not exist before our exec: what a pipe does not hold at
 * once will never be read, and waiting for it would be for ever.
 */
static int
write_now(int fd, struct span s)
{
	if (fs_nonblock(fd, true) == -1)
		return -1;
	return write_all(fd, s.p, s.n, deadline_now());
}

int
session_send(int fd, const struct session *s)
{
	struct buf b = { .max = RECORD_MAX };
	int r = -1, err;

	errno = EINVAL;
	buf_printf(&b, "%s\n", format);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *value = (const char *)s + fields[i].at;

		if (!one_line(span_of(value)))
			goto out;
		buf_printf(&b, "%s %s\n", fields[i].name, value);
	}
	if (s->nstate > sizeof(s->state) || s->nunread > sizeof(s->unread))
		goto out;
	buf_printf(&b, "state %zu\nunread %zu\n\n", s->nstate, s->nunread);
	buf_put(&b, (struct span){ s->state, s->nstate });
	if (buf_put(&b, (struct span){ s->unread, s->nunread }) && !b.over)
		r = write_now(fd, buf_span(&b));
out:
	err = errno;
	wipe(b.p, b.n);
	buf_free(&b);
	close(fd);
	errno = err;
	return r;
}

/* NAME SP value LF */
static bool
take_field(struct span *in, const char *name, struct span *value)
{
	struct span line, word;

	if (in->n == 0)
		return false;
	line = span_cut(in, '\n');
	if (line.n == 0)
		return false;
	word = span_cut(&line, ' ');
	*value = line;
	return span_is(word, name);
}

static bool
take_number(struct span *in, const char *name, size_t max, size_t *n)
{
	struct span v;
	uint64_t u;

	if (!take_field(in, name, &v) || !num_u64(v, &u) || u > max)
		return false;
	*n = (size_t)u;
	return true;
}

static bool
parse(struct span in, struct session *s)
{
	struct span v;

	if (in.n == 0 || !span_is(span_cut(&in, '\n'), format))
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!take_field(&in, fields[i].name, &v) || !one_line(v) ||
		    !span_cstr(v, (char *)s + fields[i].at, fields[i].size))
			return false;
	if (!take_number(&in, "state", sizeof(s->state), &s->nstate) ||
	    !take_number(&in, "unread", sizeof(s->unread), &s->nunread))
		return false;
	if (in.n != 1 + s->nstate + s->nunread || *in.p != '\n')
		return false;
	span_take(&in, 1);
	memcpy(s->state, in.p, s->nstate);
	memcpy(s->unread, in.p + s->nstate, s->nunread);
	return s->login[0] != '\0';
}

/* Only a pipe or a socket, so that no file is taken for a record. */
static bool
descriptor(const char *text, int *fd)
{
	struct stat st;
	uint32_t n;

	if (!num_u32(span_of(text), &n) || n < 3 || n > 65535)
		return false;
	*fd = (int)n;
	return fstat(*fd, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

enum session_result
session_receive(struct session *s)
{
	static char record[RECORD_MAX + 1];
	const char *text = getenv("PNEU_SESSION");
	enum in_result r;
	struct in in;
	int fd;
	bool ok;

	if (text == NULL)
		return SESSION_NONE;
	ok = descriptor(text, &fd);
	unsetenv("PNEU_SESSION");
	if (!ok)
		return SESSION_BAD;
	in_init(&in, fd, record, sizeof(record));
	in.deadline = deadline_in(PATIENCE);
	while ((r = in_fill(&in)) == IN_DATA)
		;
	close(fd);
	/* all but the last, which is large and not touched without need */
	memset(s, 0, offsetof(struct session, unread));
	ok = r == IN_EOF && parse(in.data, s);
	wipe(record, in.data.n);
	if (!ok)
		memset(s, 0, offsetof(struct session, unread));
	return ok ? SESSION_OK : SESSION_BAD;
}

int
session_again(void)
{
	const char *text = getenv("PNEU_AGAIN");
	int fd;

	if (text == NULL)
		return -1;
	if (!descriptor(text, &fd) || fs_cloexec(fd, true) == -1 ||
	    fs_nonblock(fd, true) == -1)
		fd = -1;
	unsetenv("PNEU_AGAIN");
	return fd;
}

/* A pipe holds 64 KiB, as much as a session may hand over. */
bool
session_leave(int fd, struct span unread)
{
	return unread.n <= LIMIT_SESSION_UNREAD &&
	    (unread.n == 0 ||
		write(fd, unread.p, unread.n) == (ssize_t)unread.n);
}
