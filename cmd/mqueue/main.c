/*
 * mqueue - keep accepted messages until each recipient is done
 *
 * A verb says what to do.  As root everything is done as the account
 * `pneu`, to whom the queue belongs; only `run` leaves a spawner behind,
 * which starts the commands of `routes` as the users they name.
 */
#include "mqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/verb.h"
#include "io/conf.h"
#include "io/fs.h"
#include "io/in.h"
#include "io/user.h"

static const char usage[] = "mqueue [-V] [-c DIR] VERB [ARG ...]";

static const struct verb verbs[] = {
	/* clang-format off */
	{ "add",     "[-e] [-f SENDER] [--] [RCPT ...]", add_main },
	{ "ls",      "[-Rj] [PATTERN ...]",              ls_main },
	{ "cat",     "ID",                               cat_main },
	{ "show",    "[-r] ID",                          show_main },
	{ "next",    "[-n] [-t SEC] [ID ...]",           next_main },
	{ "done",    "",                                 done_main },
	{ "run",     "",                                 run_main },
	{ "retry",   "ID ... | -",                       retry_main },
	{ "hold",    "[-r TEXT] ID ... | -",             hold_main },
	{ "release", "ID ... | -",                       release_main },
	{ "rm",      "ID ... | -",                       rm_main },
	{ "bounce",  "[-r TEXT] ID ... | -",             bounce_main },
	{ "edit",    "ID",                               edit_main },
	{ "adopt",   "DIR",                              adopt_main },
	{ "stat",    "[-R]",                             stat_main },
	{ "fsck",    "[-n]",                             fsck_main },
	{ 0 },
	/* clang-format on */
};

struct queue queue = { .fd = -1, .tmp_fd = -1 };
struct retry retry;
bool dry_run;

_Noreturn void
usage_of(const char *verb)
{
	verb_usage(verbs, verb, usage);
}

void
open_queue(bool create)
{
	const char *dir = conf_path("queue");
	char path[LIMIT_PATH];

	/* jobs name files by absolute paths */
	if (dir[0] != '/') {
		size_t n;

		if (getcwd(path, sizeof(path)) == NULL)
			die_sys(EXIT_TEMP, "the working directory");
		n = strlen(path);
		if (snprintf(path + n, sizeof(path) - n, "/%s", dir) >=
		    (int)(sizeof(path) - n))
			die(EXIT_TEMP, "%s: path too long", dir);
		dir = path;
	}
	if (queue_open(&queue, dir, create) == -1)
		die_sys(EXIT_TEMP, "queue %s", dir);
	schedule_limits(&retry);
}

/* The id of a line: its first word, or the "id" of a JSON object. */
static struct span
id_of_line(struct span line)
{
	size_t at;

	line = span_trim(line);
	if (line.n == 0 || *line.p != '{')
		return span_word(&line);
	at = span_find(line, SPAN("\"id\""));
	if (at == line.n)
		return SPAN("");
	span_take(&line, at + 4);
	line = span_trim(line);
	if (line.n == 0 || *line.p != ':')
		return SPAN("");
	span_take(&line, 1);
	line = span_trim(line);
	if (line.n == 0 || *line.p != '"')
		return SPAN("");
	span_take(&line, 1);
	return span_cut(&line, '"');
}

static int
one_id(struct span s, int (*f)(const char *id), int status)
{
	char id[MAIL_ID_LEN + 1];
	char shown[80];

	if (ident_is_mail(s) && span_cstr(s, id, sizeof(id))) {
		if (f(id) == 0)
			return status;
		if (errno != ENOENT) {
			warn_sys("%s", id);
			return EXIT_TEMP;
		}
	}
	if (s.n > 64)
		s.n = 64;
	if (!span_cstr(s, shown, sizeof(shown)))
		snprintf(shown, sizeof(shown), "?");
	warn("%s: no such message", shown);
	return status == EXIT_OK ? EXIT_NOINPUT : status;
}

int
each_id(const char *verb, char **argv, int (*f)(const char *id))
{
	static char buf[LIMIT_JOB_LINE];
	int status = EXIT_OK, r;
	struct span line;
	struct in in;

	if (argv[0] == NULL)
		usage_of(verb);
	if (strcmp(argv[0], "-") != 0 || argv[1] != NULL) {
		for (; *argv != NULL; argv++)
			status = one_id(span_of(*argv), f, status);
		return status;
	}
	in_init(&in, STDIN_FILENO, buf, sizeof(buf));
	while ((r = in_line(&in, &line)) == 1)
		if (span_trim(line).n > 0)
			status = one_id(id_of_line(line), f, status);
	if (r == -1)
		die_sys(EXIT_TEMP, "standard input");
	return status;
}

void
load_routes(struct arena *a, struct routes *rs)
{
	struct buf b = { .max = ROUTES_MAX };
	char path[LIMIT_PATH];

	if (!conf_file(path, sizeof(path), "routes"))
		die(EXIT_TEMP, "%s: path too long", conf_dir());
	if (fs_read(AT_FDCWD, path, &b) == -1)
		warn_sys("%s", path);
	routes_parse(a, arena_span(a, buf_span(&b)), path, rs);
	buf_free(&b);
}

struct pattern_facts
facts_of(const struct envelope *e, struct span rcpt)
{
	return (struct pattern_facts){ .from = e->sender,
		.to = rcpt,
		.auth = e->auth,
		.peer = e->ip,
		.helo = e->helo,
		.client = e->helo,
		.size = e->size };
}

void
new_id(char id[MAIL_ID_LEN + 1])
{
	ident_mail(ident_conn(false), 0, id);
}

/* The queue belongs to `pneu`, and so does who touches it. */
void
become_owner(bool create)
{
	const char *dir = conf_path("queue");
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (!user_is_root())
		return;
	if (conf_account("pneu", &uid, &gid) == -1)
		die(EXIT_TEMP, "pneu: no such account");
	if (create && stat(dir, &st) == -1 && errno == ENOENT &&
	    (fs_mkdirs(dir, 0700) == -1 || chown(dir, uid, gid) == -1))
		die_sys(EXIT_TEMP, "queue %s", dir);
	if (user_become(uid, gid) == -1)
		die_sys(EXIT_TEMP, "become pneu");
}

/* done and run hold many messages open. */
static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return;
	r.rlim_cur = r.rlim_max > 65536 ? 65536 : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

int
main(int argc, char *argv[])
{
	const struct verb *verb;
	int ch;

	progname = "mqueue";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+c:V")) != -1)
		switch (ch) {
		case 'c':
			if (setenv("PNEU_CONF", optarg, 1) == -1)
				die_sys(EXIT_TEMP, "environment");
			break;
		case 'V':
			puts("mqueue " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		die_usage(usage);
	umask(077);
	raise_files();
	verb = verb_find(verbs, argv[0]);
	if (verb == NULL)
		die_usage(usage);
	if (verb->main != run_main)
		become_owner(verb->main == add_main);
	optind = 1;
	return verb->main(argc, argv);
}
