/*
 * mpasswd - the users and their secrets
 *
 * Files are changed under a lock, by rename; what is not meant stays as it
 * is, comments and order too.  A password comes from a terminal, standard
 * input or a descriptor, never from an argument.
 */
#include <unistd.h>

#include "base/die.h"
#include "base/num.h"
#include "io/conf.h"
#include "mpasswd.h"

static const char usage[] = "mpasswd [-V] [-j] [-c DIR] [-w FD] VERB [ARG ...]";

static int
descriptor(const char *text)
{
	uint32_t n;

	if (!num_u32(span_of(text), &n) || n > 65535)
		die(EXIT_USAGE, "-w %s: not a descriptor", text);
	return (int)n;
}

/* VERB ADDRESS [WORD ...] */
static const char *
subject(struct mpasswd *m, char *const *argv, const char *allowed)
{
	if (argv[0] == NULL || argv[1] == NULL)
		die_usage(usage);
	words_parse(&m->w, argv + 2, allowed);
	return argv[1];
}

static int
run(struct mpasswd *m, char *const *argv)
{
	const char *verb = argv[0];

	if (strcmp(verb, "add") == 0)
		verb_add(m,
		    subject(m, argv, "label= scopes= expires= user= generate"));
	else if (strcmp(verb, "set") == 0)
		verb_set(m,
		    subject(m, argv,
			"label= rename= scopes= expires= password generate"));
	else if (strcmp(verb, "rm") == 0)
		verb_rm(m, subject(m, argv, "label= all user"));
	else if (strcmp(verb, "ls") == 0)
		return verb_ls(m, argv + 1);
	else if (strcmp(verb, "check") == 0)
		return verb_check(m, subject(m, argv, "scopes="));
	else if (strcmp(verb, "import") == 0)
		return verb_import(
		    m, subject(m, argv, "label= scopes= domain= scheme="));
	else
		die_usage(usage);
	return EXIT_OK;
}

int
main(int argc, char *argv[])
{
	static struct mpasswd m = { .fd = -1 };
	int ch;

	progname = "mpasswd";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+Vjc:w:")) != -1)
		switch (ch) {
		case 'V':
			puts("mpasswd " VERSION);
			return EXIT_OK;
		case 'j':
			m.json = true;
			break;
		case 'c':
			conf_set_dir(optarg);
			break;
		case 'w':
			m.fd = descriptor(optarg);
			break;
		default:
			die_usage(usage);
		}
	if (argv[optind] == NULL)
		die_usage(usage);
	return run(&m, argv + optind);
}
