/*
 * mqueue cat, show - a message, and what happened to it
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "base/date.h"
#include "io/out.h"

enum { STORY_SHOWN = 4194304 };

static char output[32768];

static void
open_one(const char *id, struct queued *m)
{
	open_queue(false);
	if (queued_open(&queue, id, false, m) == 0)
		return;
	if (errno == ENOENT || !ident_is_mail(span_of(id)))
		die(EXIT_NOINPUT, "%.64s: no such message", id);
	die_sys(EXIT_TEMP, "%.64s", id);
}

static int
copy_from(struct queued *m, size_t at)
{
	ssize_t n;

	while ((n = pread(m->fd, output, sizeof(output), (off_t)at)) > 0) {
		if (write_all(STDOUT_FILENO, output, (size_t)n, INT64_MAX) ==
		    -1)
			die_sys(EXIT_TEMP, "standard output");
		at += (size_t)n;
	}
	if (n == -1)
		die_sys(EXIT_TEMP, "%s", m->id);
	return EXIT_OK;
}

static void
read_envelope(struct queued *m, struct arena *a, struct envelope *e)
{
	arena_init(a, ENVELOPE_ARENA);
	if (envelope_read(m->fd, a, e) == 0)
		return;
	if (errno == EBADMSG || errno == EPROTO)
		die(EXIT_TEMP, "%s: not a queue file of format 1", m->id);
	die_sys(EXIT_TEMP, "%s", m->id);
}

int
cat_main(int argc, char **argv)
{
	struct queued m;
	struct arena a;
	struct envelope e;

	if (getopt(argc, argv, "+") != -1 || argc != optind + 1)
		usage_of("cat");
	open_one(argv[optind], &m);
	read_envelope(&m, &a, &e);
	copy_from(&m, e.message_at);
	arena_free(&a);
	return EXIT_OK;
}

static void
print_head(struct out *o, struct queued *m, const struct envelope *e)
{
	static char head[LIMIT_ENVELOPE];
	char date[DATE_RFC3339_SIZE];
	struct buf why = { .max = 2048 };
	ssize_t n = pread(m->fd, head, e->message_at - 1, 0);

	out_printf(o, "id %s\n", m->id);
	if (n > 0) {
		struct span s = { head, (size_t)n };

		span_cut(&s, '\n');
		out_put(o, s);
	}
	out_printf(o, "next %s%s\n", date_rfc3339(m->due, date),
	    m->leased ? " leased" : "");
	if (queue_held(&queue, m->id, &why)) {
		out_puts(o, "held ");
		out_put(o, buf_span(&why));
		out_putc(o, '\n');
	}
	buf_free(&why);
}

int
show_main(int argc, char **argv)
{
	struct buf story = { .max = STORY_SHOWN };
	bool raw = false;
	struct queued m;
	struct arena a;
	struct envelope e;
	struct out o;
	int ch;

	while ((ch = getopt(argc, argv, "+r")) != -1)
		if (ch == 'r')
			raw = true;
		else
			usage_of("show");
	if (argc != optind + 1)
		usage_of("show");
	open_one(argv[optind], &m);
	if (raw)
		return copy_from(&m, 0);
	read_envelope(&m, &a, &e);
	out_init(&o, STDOUT_FILENO, output, sizeof(output));
	print_head(&o, &m, &e);
	if (story_read(&queue, m.id, &story)) {
		out_putc(&o, '\n');
		out_put(&o, buf_span(&story));
	}
	if (out_flush(&o) == -1)
		die_sys(EXIT_TEMP, "standard output");
	buf_free(&story);
	arena_free(&a);
	return EXIT_OK;
}
