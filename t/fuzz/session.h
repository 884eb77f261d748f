/*
 * session - mimapd without its main: for targets that speak to it
 *
 * What is answered goes into a file without a name.
 */
#ifndef FUZZ_SESSION_H
#define FUZZ_SESSION_H

#include <sys/stat.h>

#include "../../cmd/mimapd/event.h"
#include "../../cmd/mimapd/imap.h"
#include "io/conf.h"
#include "place.h"
#include "store/adopt.h"

enum { SESSION_BUFFER = 65536, SESSION_ANSWERS = 1 << 24 };

static int session_said = -1;

static void
session_write(const char *root, const char *name, struct span text)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert(fd != -1 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

static void
session_folder(const char *root, const char *name)
{
	static const char *const parts[] = { "", "/new", "/cur", "/tmp" };
	char path[300];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(path, sizeof(path), "%s%s%s", root, name, parts[i]);
		assert(mkdir(path, 0700) == 0);
	}
}

/* With an index, so that UIDs and UIDVALIDITY are those of the seeds. */
static void
session_index(const char *root, const char *name, uint32_t uidvalidity)
{
	struct adopt a = { .uidvalidity = uidvalidity, .uidnext = 1 };
	char path[300];

	snprintf(path, sizeof(path), "%s%s", root, name);
	assert(adopt_index(path, &a) == 0);
}

static void
session_begin(struct imap *im, const char *root)
{
	static const struct encword_charset charsets = { charset_convert,
		NULL };
	static char in[SESSION_BUFFER], out[SESSION_BUFFER];
	static int nothing = -1;

	if (nothing == -1) {
		nothing = open("/dev/null", O_RDONLY);
		session_said = fs_unnamed(place_path());
		/* COMPRESS lasts as long as the connection */
		session_write(
		    place_path(), "masks", SPAN("COMPRESS=DEFLATE *\n"));
		conf_set_dir(place_path());
	}
	assert(nothing != -1 && session_said != -1);
	assert(ftruncate(session_said, 0) == 0);
	assert(lseek(session_said, 0, SEEK_SET) == 0);
	*im = (struct imap){ .body.fd = -1, .again = -1, .login = "" };
	in_init(&im->in, nothing, in, sizeof(in));
	out_init(&im->out, session_said, out, sizeof(out));
	im->in.tie = &im->out;
	buf_init(&im->said, 16384);
	buf_init(&im->id, LIMIT_IMAP_ID);
	masks_apply(im);
	imapd_init(&im->e, &im->said, LIMIT_IMAP_ARENA);
	folder_charsets(&charsets);
	settings_open(im, "", root);
	event_start(im);
}

static void
session_command(struct imap *im)
{
	command_run(im);
	imap_put(im, &im->said);
	buf_clear(&im->said);
}

/*
 * What the client says, as main.c has it, without waiting.  before, when it
 * is not NULL, is called before each command.
 */
static void
session_run(
    struct imap *im, struct span said, void (*before)(const struct imap *))
{
	assert(in_unread(&im->in, said));
	while (!im->over) {
		enum imapd_event e = imapd_next(&im->e, &im->in.data);

		imap_put(im, &im->said);
		buf_clear(&im->said);
		if (before != NULL && e == IMAPD_COMMAND)
			before(im);
		if (e == IMAPD_COMMAND || e == IMAPD_MESSAGE)
			session_command(im);
		else if (e == IMAPD_CLOSE || e == IMAPD_MORE)
			return;
	}
}

/* The state of NOTIFY is not the session's own. */
static void
session_end(struct imap *im)
{
	struct span none = SPAN("z NOTIFY NONE\n");

	imapd_free(&im->e);
	imapd_init(&im->e, &im->said, LIMIT_IMAP_ARENA);
	if (imapd_next(&im->e, &none) == IMAPD_COMMAND)
		session_command(im);
	select_close(im);
	folder_append_close(&im->append);
	events_close(&im->events);
	imapd_free(&im->e);
	boxes_close(&im->boxes);
	buf_free(&im->said);
	buf_free(&im->id);
	buf_free(&im->hidden);
}

/* All that was answered, to be freed. */
static void
session_answers(struct imap *im, struct buf *b)
{
	off_t n;

	assert(out_flush(&im->out) == 0);
	n = lseek(session_said, 0, SEEK_END);
	buf_init(b, SESSION_ANSWERS);
	assert(n >= 0 && n < SESSION_ANSWERS);
	assert(buf_room(b, (size_t)n) != NULL);
	assert(pread(session_said, b->p, (size_t)n, 0) == n);
	b->n = (size_t)n;
}

#endif
