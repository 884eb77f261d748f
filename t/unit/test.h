/*
 * test - the whole framework of the unit tests: TAP on standard output
 *
 * check(cond) is one test, named by its source text; done() prints the
 * plan and is main's return value.
 */
#ifndef T_UNIT_TEST_H
#define T_UNIT_TEST_H

#include <stdbool.h>
#include <stdio.h>

static int test_count, test_failures;

#define check(cond) test_check((cond), #cond, __FILE__, __LINE__)

/* A span in a table, which may hold NUL. */
#define TEXT(lit)                                                              \
	{                                                                      \
		lit, sizeof(lit) - 1                                           \
	}

static inline void
test_check(bool ok, const char *what, const char *file, int line)
{
	test_count++;
	if (ok)
		return;
	test_failures++;
	printf("not ok %d - %s:%d: %s\n", test_count, file, line, what);
}

/* One line for a table of checks; failed ones were printed above. */
static inline int
done(void)
{
	if (test_failures == 0)
		printf("ok 1 - %d checks\n", test_count);
	printf("1..1\n");
	return test_failures > 0;
}

#endif
