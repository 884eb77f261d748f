/*
 * pneu - run a program of this package by its name
 *
 * The programs lie in a folder of their own, because other packages have
 * an mpop and an mdeliver too: `pneu mpop -p` is always ours.
 */
#include <errno.h>
#include <unistd.h>

#include "base/die.h"
#include "io/spawn.h"

static const char usage[] = "pneu [-V] PROGRAM [ARG ...]";

int
main(int argc, char *argv[])
{
	char path[1024];
	int ch;

	progname = "pneu";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+V")) != -1)
		switch (ch) {
		case 'V':
			puts("pneu " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argv += optind;
	if (argv[0] == NULL)
		die_usage(usage);
	if (strchr(argv[0], '/') != NULL ||
	    snprintf(path, sizeof(path), "%s/%s", spawn_self_dir(), argv[0]) >=
		(int)sizeof(path))
		die(EXIT_USAGE, "%s: not the name of a program", argv[0]);
	execv(path, argv);
	die_sys(errno == ENOENT ? EXIT_USAGE : EXIT_TEMP, "%s", argv[0]);
}
