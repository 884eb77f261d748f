#include "store/events.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enc.h"
#include "base/num.h"
#include "base/words.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/out.h"

enum { LOCK_WAIT = 10 };

static const char queue_name[] = "pneu.event-queue";

static const struct {
	const char *name;
	enum event_kind kind;
} kinds[] = {
	{ "moved", EVENT_MOVED },
	{ "copied", EVENT_COPIED },
	{ "appended", EVENT_APPENDED },
	{ "flagged", EVENT_FLAGGED },
	{ "expunged", EVENT_EXPUNGED },
};

const char *
event_name(enum event_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "";
}

static unsigned
kind_of(struct span word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (span_is(word, kinds[i].name))
			return kinds[i].kind;
	return 0;
}

/* EVENT[,EVENT...] */
static unsigned
parse_kinds(struct span s)
{
	unsigned all = 0, k;

	do {
		if ((k = kind_of(span_cut(&s, ','))) == 0)
			return 0;
		all |= k;
	} while (s.n > 0);
	return all;
}

/* EVENT[,EVENT...] [from=MAILBOX] [to=MAILBOX] [flag=FLAG] COMMAND */
const char *
events_rule(struct events *e, struct span line)
{
	struct event_rule r = { .kinds = parse_kinds(span_word(&line)) };
	struct event_rule **tail = &e->rules, *copy;
	char **w;

	if (r.kinds == 0)
		return "not an event";
	if (arena_left(&e->arena) < LIMIT_CONF_LINE * 4)
		return "too many rules";
	if (span_trim(line).n == 0)
		return "no command";
	if ((w = words_split(&e->arena, line)) == NULL)
		return "a quote is not closed";
	for (; *w != NULL; w++)
		if (strncmp(*w, "from=", 5) == 0)
			r.from = *w + 5;
		else if (strncmp(*w, "to=", 3) == 0)
			r.to = *w + 3;
		else if (strncmp(*w, "flag=", 5) == 0)
			r.flag = *w + 5;
		else
			break;
	if (*w == NULL)
		return "no command";
	r.argv = w;
	copy = arena_alloc(&e->arena, sizeof(r));
	*copy = r;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = copy;
	return NULL;
}

static void
read_rules(struct events *e, struct conf *c, int opened, const char *what)
{
	struct span line;
	const char *wrong;
	int r;

	if (opened == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			log_error(what, NULL);
		return;
	}
	while ((r = conf_next(c, &line)) == 1)
		if ((wrong = events_rule(e, line)) != NULL)
			conf_bad(c, wrong);
	if (r == -1)
		log_error(what, NULL);
	conf_close(c);
}

void
events_open(struct events *e, const char *root, const char *login)
{
	static struct conf c;
	char path[LIMIT_PATH + 16];

	*e = (struct events){ .dir = -1, .queue = -1, .kick = -1 };
	e->arena.max = LIMIT_EVENT_RULES;
	buf_init(&e->lines, LIMIT_EVENT_QUEUE);
	if (!span_cstr(span_of(root), e->root, sizeof(e->root)) ||
	    !span_cstr(span_of(login), e->login, sizeof(e->login)))
		return;
	read_rules(e, &c, conf_open(&c, "events"), "events");
	snprintf(path, sizeof(path), "%s/pneu.events", root);
	read_rules(e, &c, conf_open_path(&c, path), path);
}

bool
events_want(const struct events *e, enum event_kind kind)
{
	for (const struct event_rule *r = e->rules; r != NULL; r = r->next)
		if ((r->kinds & kind) != 0)
			return true;
	return false;
}

static bool
is_box(const char *want, struct span box)
{
	if (want == NULL || (want[0] == '*' && want[1] == '\0'))
		return true;
	return span_iis(box, "INBOX") ? span_iis(box, want)
				      : span_is(box, want);
}

static bool
has_flag(const char *want, struct span changed)
{
	struct span word;

	if (want == NULL)
		return true;
	while ((word = span_word(&changed)).n > 0)
		if (span_iis(word, want))
			return true;
	return false;
}

bool
events_match(const struct event_rule *r, const struct event *ev)
{
	return (r->kinds & ev->kind) != 0 && is_box(r->from, ev->from) &&
	    is_box(r->to, ev->to) && has_flag(r->flag, ev->changed);
}

/* A field, "-" for an empty one: fields are never empty. */
static void
put_field(struct buf *b, struct span s)
{
	buf_putc(b, '\t');
	if (s.n == 0)
		buf_putc(b, '-');
	else if (s.n == 1 && *s.p == '-')
		buf_puts(b, "%2D");
	else
		enc_pct(b, s);
}

void
events_note(struct events *e, const struct event *ev)
{
	const struct event_rule *r = e->rules;
	size_t begun = e->lines.n;

	while (r != NULL && !events_match(r, ev))
		r = r->next;
	if (r == NULL)
		return;
	buf_printf(&e->lines, "+%s\t%lu\t%lu", event_name(ev->kind),
	    (unsigned long)ev->uidvalidity, (unsigned long)ev->uid);
	put_field(&e->lines, ev->dir);
	put_field(&e->lines, ev->from);
	put_field(&e->lines, ev->to);
	put_field(&e->lines, ev->flags);
	put_field(&e->lines, ev->changed);
	buf_putc(&e->lines, '\n');
	if (e->lines.over)
		e->lines.n = begun;
}

static bool
take_field(struct span *line, struct buf *b, struct span *to)
{
	struct span s = span_cut(line, '\t');
	size_t at = b->n;

	if (span_is(s, "-")) {
		*to = SPAN("");
		return true;
	}
	if (s.n == 0 || !dec_pct(b, s))
		return false;
	*to = (struct span){ b->p + at, b->n - at };
	return true;
}

bool
events_parse(struct span line, struct event *ev, struct buf *fields)
{
	*ev = (struct event){ 0 };
	if (line.n < 2)
		return false;
	span_take(&line, 1);
	buf_clear(fields);
	if (buf_room(fields, line.n) == NULL) /* so that spans stay */
		return false;
	ev->kind = (enum event_kind)kind_of(span_cut(&line, '\t'));
	return ev->kind != 0 &&
	    num_u32(span_cut(&line, '\t'), &ev->uidvalidity) &&
	    num_u32(span_cut(&line, '\t'), &ev->uid) &&
	    take_field(&line, fields, &ev->dir) &&
	    take_field(&line, fields, &ev->from) &&
	    take_field(&line, fields, &ev->to) &&
	    take_field(&line, fields, &ev->flags) &&
	    take_field(&line, fields, &ev->changed) && line.n == 0;
}

static int
open_queue(struct events *e)
{
	if (e->queue == -1)
		e->queue = openat(e->dir, queue_name,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return e->queue == -1 ? -1 : 0;
}

/* What a power cut left of a line is a line of its own. */
static int
end_torn_line(int fd, off_t size)
{
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		return -1;
	return last == '\n' || write_all(fd, "\n", 1, INT64_MAX) == 0 ? 0 : -1;
}

/* Under the lock of the file, which the one who empties it takes too. */
static int
append(struct events *e)
{
	struct stat st;
	int r = -1;

	if (fs_lock(e->queue, true, deadline_in(LOCK_WAIT)) == -1)
		return -1;
	if (fstat(e->queue, &st) == 0) {
		errno = EFBIG;
		if ((uint64_t)st.st_size + e->lines.n <= LIMIT_EVENT_QUEUE &&
		    lseek(e->queue, 0, SEEK_END) != -1 &&
		    end_torn_line(e->queue, st.st_size) == 0)
			r = write_all(
			    e->queue, e->lines.p, e->lines.n, INT64_MAX);
		if (r == -1 && ftruncate(e->queue, st.st_size) == -1)
			r = -1; /* a torn line is passed over */
	}
	fs_unlock(e->queue);
	return r;
}

void
events_flush(struct events *e)
{
	if (e->lines.n == 0)
		return;
	if (open_queue(e) == -1 || append(e) == -1)
		log_error("events", NULL);
	else if (e->kick != -1 && write(e->kick, "", 1) == -1 &&
	    errno != EAGAIN)
		log_error("events", NULL);
	buf_clear(&e->lines);
}

/* The process that runs them: of the session it keeps the log alone. */
static _Noreturn void
serve(struct events *e, int fd)
{
	char c[64];

	setsid();
	fs_close_others((int[]){ fd, e->dir }, 2);
	for (int i = 0; i < 2; i++) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null != -1 && null != i)
			dup2(null, i);
		if (null > 2)
			close(null);
	}
	e->queue = -1;
	if (open_queue(e) == -1)
		_exit(75);
	events_run(e);
	while (read(fd, c, sizeof(c)) > 0)
		events_run(e);
	_exit(0);
}

int
events_start(struct events *e)
{
	int fd[2];
	pid_t pid;

	if (e->rules == NULL)
		return 0;
	e->dir = fs_open_dir(e->root);
	if (e->dir == -1 || open_queue(e) == -1 || pipe(fd) == -1)
		return -1;
	fs_cloexec(fd[0], true);
	fs_cloexec(fd[1], true);
	fs_nonblock(fd[1], true); /* a full pipe is kick enough */
	pid = fork();
	if (pid == 0) {
		close(fd[1]);
		serve(e, fd[0]);
	}
	close(fd[0]);
	if (pid == -1) {
		close(fd[1]);
		return -1;
	}
	e->kick = fd[1];
	return 0;
}

void
events_close(struct events *e)
{
	events_flush(e);
	fs_close(e->kick);
	fs_close(e->queue);
	fs_close(e->dir);
	e->kick = e->queue = e->dir = -1;
	buf_free(&e->lines);
	arena_free(&e->arena);
	e->rules = NULL;
}
