/*
 * mqueue edit - change a message that waits
 *
 * The message is held and leased, a copy of its file edited, checked, and
 * renamed into its place.  Whatever goes wrong, the message is as it was.
 */
#include "mqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/out.h"
#include "io/spawn.h"
#include "mail/addr.h"

enum { SIZE_DIGITS = 12, NAME_SIZE = MAIL_ID_LEN + 8 };

static char piece[65536];

static int
copy(int from, int to)
{
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, piece, sizeof(piece), at)) > 0) {
		if (write_all(to, piece, (size_t)n, DEADLINE_NEVER) == -1)
			return -1;
		at += n;
	}
	return (int)n;
}

/* The copy, a file of tmp that no other run or fsck takes for a message. */
static void
make_copy(const struct queued *m, char name[NAME_SIZE])
{
	int fd, r;

	snprintf(name, NAME_SIZE, "%s.edit", m->id);
	unlinkat(queue.tmp_fd, name, 0);
	fd = openat(queue.tmp_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd == -1 ? -1 : copy(m->fd, fd);
	if (fd != -1)
		close(fd);
	if (r == -1)
		warn_sys("tmp/%s", name);
}

/* $VISUAL, $EDITOR or vi, split into words, and the file. */
static bool
run_editor(const char *name)
{
	char path[LIMIT_PATH + NAME_SIZE];
	const char *text = getenv("VISUAL");
	char **words, *argv[LIMIT_CMD_ARGS + 2];
	struct spawn s = { .argv = argv,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.err = STDERR_FILENO };
	struct arena a;
	size_t n = 0;
	int status = -1;
	pid_t pid;

	if (text == NULL || *text == '\0')
		text = getenv("EDITOR");
	if (text == NULL || *text == '\0')
		text = "vi";
	arena_init(&a, 65536);
	words = words_split(&a, span_of(strlen(text) < 4096 ? text : ""));
	while (words != NULL && words[n] != NULL && n < LIMIT_CMD_ARGS) {
		argv[n] = words[n];
		n++;
	}
	snprintf(path, sizeof(path), "%s/tmp/%s", queue.path, name);
	argv[n] = path;
	argv[n + 1] = NULL;
	pid = n == 0 ? -1 : spawn(&s);
	if (pid == -1)
		warn("%.100s: can't be started", text);
	else
		status = spawn_wait(pid, false, DEADLINE_NEVER);
	arena_free(&a);
	return status == 0;
}

/* Where the 12 digits of the size stand; 0 when there are none. */
static size_t
size_at(int fd, const struct envelope *e)
{
	static char head[LIMIT_ENVELOPE];
	ssize_t n = pread(fd, head, e->message_at, 0);
	struct span s = { head, n < 0 ? 0 : (size_t)n };
	size_t at = span_find(s, SPAN("\nsize "));

	at += 6;
	for (size_t i = 0; i < SIZE_DIGITS; i++)
		if (at + i >= s.n || !is_digit(head[at + i]))
			return 0;
	return at + SIZE_DIGITS < s.n && head[at + SIZE_DIGITS] == '\n' ? at
									: 0;
}

/* What is wrong with it, or NULL; its size is put in. */
static const char *
check(struct queued *m)
{
	const char *wrong = NULL;
	char digits[24];
	struct envelope e;
	struct arena a;
	uint64_t size;
	size_t at;

	arena_init(&a, ENVELOPE_ARENA);
	if (envelope_read(m->fd, &a, &e) == -1)
		wrong = "the envelope is not one";
	else if (e.sender.n > 0 && !addr_valid(e.sender))
		wrong = "the sender is not an address";
	for (size_t i = 0; wrong == NULL && i < e.nrcpts; i++)
		if (!addr_valid(e.rcpts[i].address))
			wrong = "a recipient is not an address";
	if (wrong == NULL && (at = size_at(m->fd, &e)) == 0)
		wrong = "the size is not 12 digits";
	if (wrong == NULL &&
	    (queued_measure(m, e.message_at, &size) == -1 ||
		snprintf(digits, sizeof(digits), "%012llu",
		    (unsigned long long)size) != SIZE_DIGITS ||
		pwrite(m->fd, digits, SIZE_DIGITS, (off_t)at) != SIZE_DIGITS))
		wrong = "the size can't be written";
	arena_free(&a);
	return wrong;
}

/* Rename it into its place, due when the message was. */
static bool
put_back(const char *id, const char *name, int64_t due)
{
	struct queued m = { .fd = openat(queue.tmp_fd, name,
				O_RDWR | O_CLOEXEC | O_NOFOLLOW) };
	const char *wrong = "the copy is gone";

	if (m.fd != -1)
		wrong = check(&m);
	if (wrong == NULL &&
	    (queued_put_back(&m, due) == -1 || fsync(m.fd) == -1 ||
		renameat(queue.tmp_fd, name, queue.fd, id) == -1 ||
		fs_sync_dir(queue.fd, "") == -1))
		wrong = strerror(errno);
	queued_close(&m);
	if (wrong != NULL)
		warn("%s: %s: left as it was; the copy is %s/tmp/%s", id, wrong,
		    queue.path, name);
	return wrong == NULL;
}

static void
open_one(const char *id, struct queued *m)
{
	if (queued_open(&queue, id, true, m) == 0)
		return;
	if (errno == ENOENT || !ident_is_mail(span_of(id)))
		die(EXIT_NOINPUT, "%.64s: no such message", id);
	die_sys(EXIT_TEMP, "%.64s", id);
}

/* End our hold; run learns of it by the file's time. */
static void
let_go(const char *id, int64_t due)
{
	struct queued m;

	if (queue_release(&queue, id) == -1)
		warn_sys("%s.hold", id);
	if (queued_open(&queue, id, true, &m) == -1 ||
	    queued_put_back(&m, due) == -1)
		warn_sys("%s", id);
	queued_close(&m);
}

int
edit_main(int argc, char **argv)
{
	int64_t now = unix_now(), due;
	char name[NAME_SIZE];
	bool held, done = false;
	struct queued m;
	const char *id;

	if (getopt(argc, argv, "+") != -1 || argc != optind + 1)
		usage_of("edit");
	open_queue(false);
	id = argv[optind];
	open_one(id, &m);
	due = m.due;
	held = queue_held(&queue, id, NULL);
	if (!held && queue_hold(&queue, id, "being edited") == -1)
		die_sys(EXIT_TEMP, "%s", id);
	if (queued_lease(&m, now, now + LEASE_MAX, schedule_horizon(&retry),
		true, true) == -1) {
		warn("%s: %s", id,
		    errno == EAGAIN ? "it is being delivered"
				    : strerror(errno));
		if (!held && queue_release(&queue, id) == -1)
			warn_sys("%s.hold", id);
		return EXIT_TEMP;
	}
	make_copy(&m, name);
	if (run_editor(name))
		done = put_back(id, name, due);
	else
		unlinkat(queue.tmp_fd, name, 0);
	if (!done && queued_put_back(&m, due) == -1)
		warn_sys("%s", id);
	queued_close(&m);
	if (!held)
		let_go(id, due);
	return done ? EXIT_OK : EXIT_TEMP;
}
