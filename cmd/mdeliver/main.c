/*
 * mdeliver - file a message for local users, or into a Maildir
 *
 * Exits 0 only once the message is on disk under its final name.  After
 * any other exit the caller still owns what was not reported as done.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/in.h"
#include "io/log.h"
#include "io/spool.h"
#include "io/user.h"
#include "mail/addr.h"
#include "mdeliver.h"
#include "store/deliver.h"

static const char usage[] =
    "mdeliver [-JnV] [-c DIR] [-f SENDER -- RCPT ... | MAILDIR]";

/* As root nothing is written in the folder of somebody else. */
static void
become_owner(const struct maildir *md)
{
	struct stat st;

	if (!user_is_root())
		return;
	if (fstat(md->fd, &st) == -1 || user_become(st.st_uid, st.st_gid) == -1)
		die_sys(EXIT_TEMP, "%s: become its owner", md->path);
}

/* Durable in new/, and in the index where that can be. */
static int
commit(struct maildir_file *mf)
{
	struct delivery *d;
	int r;

	if (maildir_sync(mf) == -1)
		return -1;
	d = delivery_begin(mf->md->path, LOCK_WAIT_MS);
	r = maildir_place(mf, NULL, 0);
	if (r == 0 && d != NULL)
		delivery_add(d, mf);
	delivery_end(d);
	if (r == -1 || maildir_sync_dir(mf->md, false) == -1)
		return -1;
	maildir_done(mf);
	return 0;
}

/* mdeliver MAILDIR: standard input as it is. */
static int
into(const char *path)
{
	static struct maildir_file mf;
	static struct digester digester;
	static char buf[32768];
	struct maildir md;
	struct span piece;
	struct in in;
	int r;

	if (maildir_open(&md, path, false) == -1)
		die_sys(EXIT_TEMP, "%s", path);
	become_owner(&md);
	if (maildir_create(&md, &mf) == -1)
		die_sys(EXIT_TEMP, "%s/tmp", path);
	maildir_digest(&mf, &digester);
	in_init(&in, STDIN_FILENO, buf, sizeof(buf));
	while ((r = in_next(&in, &piece)) > 0)
		maildir_write(&mf, piece);
	if (r == -1) {
		maildir_abort(&mf);
		die_sys(EXIT_TEMP, "standard input");
	}
	if (!spool_committed()) {
		maildir_abort(&mf);
		die(EXIT_TEMP, "the message was not committed");
	}
	if (commit(&mf) == -1) {
		maildir_abort(&mf);
		die_sys(EXIT_TEMP, "%s", path);
	}
	return EXIT_OK;
}

static int
exit_of(const struct batch *b)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < b->nrcpts; i++) {
		const struct rcpt_state *r = &b->rcpts[i];

		if (r->verdict == TEMP)
			return EXIT_TEMP;
		if (r->verdict == PERM)
			status = strcmp(r->code, "5.1.1") == 0
			    ? EXIT_NOUSER
			    : EXIT_UNAVAILABLE;
	}
	return status;
}

static void
print_results(const struct batch *b)
{
	for (size_t i = 0; i < b->nrcpts; i++) {
		const struct rcpt_state *r = &b->rcpts[i];

		print_plain(r->address);
		printf("\t%s\t", r->code);
		print_plain(span_of(r->text));
		putchar('\n');
		if (r->verdict != OK)
			warn("%.*s: %s %s", (int)r->address.n, r->address.p,
			    r->code, r->text);
	}
	if (fflush(stdout) != 0)
		die_sys(EXIT_TEMP, "results");
}

/* As a transport: what follows are recipients. */
static int
to(char *const *rcpts, const char *sender, bool explain)
{
	struct batch b;
	struct source s;
	int status;

	if (sender[0] != '\0' && !addr_valid(span_of(sender)))
		die(EXIT_USAGE, "-f %s: not an address", sender);
	batch_init(&b);
	b.explain = explain;
	for (size_t i = 0; rcpts[i] != NULL; i++)
		plan_add(&b, &s, span_of(rcpts[i]));
	if (explain) {
		if (fflush(stdout) != 0)
			die_sys(EXIT_TEMP, "standard output");
		status = exit_of(&b);
		batch_free(&b);
		return status;
	}
	source_open_stdin(&s, sender);
	batch_run(&b);
	print_results(&b);
	status = exit_of(&b);
	batch_free(&b);
	return status;
}

int
main(int argc, char *argv[])
{
	const char *sender = NULL;
	bool job_mode = false, explain = false;
	int ch;

	progname = "mdeliver";
	opterr = 0; /* the usage line says it */
	while ((ch = getopt(argc, argv, "+Jc:f:nV")) != -1)
		switch (ch) {
		case 'J':
			job_mode = true;
			break;
		case 'c':
			conf_set_dir(optarg);
			if (setenv("PNEU_CONF", optarg, 1) == -1)
				die_memory();
			break;
		case 'f':
			sender = optarg;
			break;
		case 'n':
			explain = true;
			break;
		case 'V':
			puts("mdeliver " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argc -= optind;
	argv += optind;
	if (job_mode) {
		if (argc != 0 || sender != NULL || explain)
			die_usage(usage);
		return jobs();
	}
	if (sender == NULL && !explain && argc == 1)
		return into(argv[0]);
	if (sender == NULL && !explain)
		die_usage(usage);
	if (argc == 0)
		die_usage(usage);
	return to(argv, sender == NULL ? "" : sender, explain);
}
