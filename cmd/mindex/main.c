/*
 * mindex - show, check, rebuild, adopt, import, export, restore a mailbox
 *
 * Run by the user whose Maildir it is.  A verb says what to do; with -n it
 * says what it would do, and does nothing.
 */
#include "mindex.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users.h"
#include "base/num.h"
#include "base/verb.h"
#include "io/fs.h"
#include "mail/utf8.h"

static const char usage[] = "mindex [-V] [-c DIR] [-d MAILDIR] VERB [ARG ...]";

static const struct verb verbs[] = {
	/* clang-format off */
	{ "show",    "[-j] [MAILBOX ...]",             show_main },
	{ "check",   "[-v] [MAILBOX ...]",             check_main },
	{ "repair",  "[-v] [MAILBOX ...]",             repair_main },
	{ "rebuild", "[-v] [MAILBOX ...]",             rebuild_main },
	{ "adopt",   "[-nvR] [MAILBOX ...]",           adopt_main },
	{ "export",  "[-nv] dovecot|courier [MAILBOX ...]", export_main },
	{ "import",  "[-nv] [-w FD] mbox MAILBOX FILE ... | maildir DIR | "
	    "imap [WORD ...] -- COMMAND ...", import_main },
	{ "restore", "[-nv] DIR [MAILBOX ...]",        restore_main },
	{ "compress", "[-nv] DAYS [MAILBOX ...]",      compress_main },
	{ "uidl",    "[-nv] import MAILBOX FILE",      uidl_main },
	{ 0 },
	/* clang-format on */
};

bool dry_run, verbose, as_json, replace;
int secret_fd = -1;
int status = EXIT_OK;
struct out out;
struct boxes boxes = { .fd = -1 };

static const char *maildir;
static char out_buf[65536];

_Noreturn void
usage_of(const char *verb)
{
	verb_usage(verbs, verb, usage);
}

void
verb_options(int argc, char **argv, const char *letters)
{
	char opts[16];
	uint32_t fd;
	int ch;

	snprintf(opts, sizeof(opts), "+%s", letters);
	while ((ch = getopt(argc, argv, opts)) != -1)
		switch (ch) {
		case 'j':
			as_json = true;
			break;
		case 'n':
			dry_run = true;
			break;
		case 'R':
			replace = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'w':
			if (!num_u32(span_of(optarg), &fd) || fd > 1023)
				usage_of(argv[0]);
			secret_fd = (int)fd;
			break;
		default:
			usage_of(argv[0]);
		}
}

void
open_maildir(bool create)
{
	char path[LIMIT_PATH], cur[LIMIT_PATH + 8];
	struct stat st;

	if (!users_maildir(maildir, path, sizeof(path)))
		die(EXIT_NOINPUT, "there is no Maildir");
	snprintf(cur, sizeof(cur), "%s/cur", path);
	if (!create && (stat(cur, &st) == -1 || !S_ISDIR(st.st_mode)))
		die(EXIT_NOINPUT, "%s: no Maildir", path);
	if (boxes_open(&boxes, path, '/') == -1)
		die_sys(EXIT_TEMP, "%s", path);
}

static void
say_line(const char *step, const char *decision, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	put_text(step);
	out_putc(&out, '\t');
	put_text(decision);
	out_putc(&out, '\t');
	put_text(text);
	out_putc(&out, '\n');
}

void
say(const char *step, const char *decision, const char *fmt, ...)
{
	va_list ap;

	if (!dry_run && !verbose)
		return;
	va_start(ap, fmt);
	say_line(step, decision, fmt, ap);
	va_end(ap);
}

void
say_more(const char *step, const char *decision, const char *fmt, ...)
{
	va_list ap;

	if (!verbose)
		return;
	va_start(ap, fmt);
	say_line(step, decision, fmt, ap);
	va_end(ap);
}

void
failed(const char *what)
{
	warn_sys("%s", what);
	status = EXIT_TEMP;
}

/*
 * The next character of s, into *bytes.  False for what a terminal might
 * obey, C0 and C1, and for a byte that is no UTF-8: then *c is the byte and
 * *wild is set.
 */
static bool
next_char(struct span *s, struct span *bytes, uint32_t *c, bool *wild)
{
	struct span left = *s;

	*wild = !utf8_take(&left, c);
	if (*wild) {
		*c = (unsigned char)*s->p;
		left = (struct span){ s->p + 1, s->n - 1 };
	}
	*bytes = (struct span){ s->p, s->n - left.n };
	*s = left;
	return !*wild && *c >= ' ' && (*c < 0x7f || *c > 0x9f);
}

void
put_text(const char *text)
{
	struct span s = span_of(text), bytes;
	uint32_t c;
	bool wild;

	while (s.n > 0)
		if (next_char(&s, &bytes, &c, &wild))
			out_put(&out, bytes);
		else
			for (size_t i = 0; i < bytes.n; i++)
				out_printf(&out, "%%%02X",
				    (unsigned)(unsigned char)bytes.p[i]);
}

void
put_json(const char *text)
{
	struct span s = span_of(text), bytes;
	uint32_t c;
	bool wild;

	out_putc(&out, '"');
	while (s.n > 0)
		if (!next_char(&s, &bytes, &c, &wild)) {
			out_printf(
			    &out, "\\u%04x", (unsigned)(wild ? c + 0xdc00 : c));
		} else {
			if (c == '"' || c == '\\')
				out_putc(&out, '\\');
			out_put(&out, bytes);
		}
	out_putc(&out, '"');
}

const char *
dir_of(const char *path)
{
	size_t n = strlen(boxes.root);

	return strncmp(path, boxes.root, n) == 0 && path[n] == '/'
	    ? path + n + 1
	    : "";
}

static void
named_boxes(char **argv, void (*f)(const char *name, const char *path))
{
	char path[LIMIT_PATH];

	for (; *argv != NULL; argv++)
		switch (
		    boxes_find(&boxes, span_of(*argv), path, sizeof(path))) {
		case BOX_OK:
			f(*argv, path);
			break;
		case BOX_FAILED:
			die_sys(EXIT_TEMP, "%s", *argv);
		case BOX_NONE:
		case BOX_EXISTS:
		case BOX_BADNAME:
		case BOX_INUSE:
			die(EXIT_NOINPUT, "%s: no such mailbox", *argv);
		}
}

void
each_box(char **argv, void (*f)(const char *name, const char *path))
{
	char path[LIMIT_PATH];
	struct box *list;
	int n;

	if (*argv != NULL) {
		named_boxes(argv, f);
		return;
	}
	if ((n = boxes_list(&boxes, &list)) == -1)
		die_sys(EXIT_TEMP, "%s", boxes.root);
	for (int i = 0; i < n; i++)
		if (boxes_find(&boxes, span_of(list[i].name), path,
			sizeof(path)) == BOX_OK)
			f(list[i].name, path);
	free(list);
}

static int
run(const struct verb *v, int argc, char **argv)
{
	int r;

	out_init(&out, STDOUT_FILENO, out_buf, sizeof(out_buf));
	optind = 1;
	r = v->main(argc, argv);
	if (out_flush(&out) == -1)
		die_sys(EXIT_TEMP, "standard output");
	boxes_close(&boxes);
	return r;
}

int
main(int argc, char *argv[])
{
	const struct verb *verb;
	int ch;

	progname = "mindex";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+c:d:V")) != -1)
		switch (ch) {
		case 'c':
			if (setenv("PNEU_CONF", optarg, 1) == -1)
				die_sys(EXIT_TEMP, "environment");
			break;
		case 'd':
			maildir = optarg;
			break;
		case 'V':
			puts("mindex " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		die_usage(usage);
	umask(077);
	verb = verb_find(verbs, argv[0]);
	if (verb == NULL)
		die_usage(usage);
	return run(verb, argc, argv);
}
