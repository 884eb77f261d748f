/*
 * verb - programs whose first argument says what is to be done
 *
 * Such a program has a table of its verbs, which ends with a row of zeros.
 */
#ifndef BASE_VERB_H
#define BASE_VERB_H

struct verb {
	const char *name;
	const char *usage;                  /* its arguments, "" for none */
	int (*main)(int argc, char **argv); /* argv[0] is the verb */
};

/* The row of a name; NULL when there is none. */
const struct verb *verb_find(const struct verb *table, const char *name);

/* "usage: PROGRAM VERB ..." and EXIT_USAGE; usage where there is no such. */
_Noreturn void verb_usage(
    const struct verb *table, const char *name, const char *usage);

#endif
