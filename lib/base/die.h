/*
 * die - the end of a program, and its exit status
 *
 * Exit statuses are those of sysexits.h, which sendmail, Postfix's
 * pipe(8), procmail and maildrop speak; pneu-exit(7) has the list.
 * A message is one line on standard error.  On a terminal or from a shell
 * it is "PROGRAM: what: why"; in a service (die_service) it is the log
 * line "PROGRAM error what=... why=...".
 */
#ifndef BASE_DIE_H
#define BASE_DIE_H

#include "base/span.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_DATAERR = 65,
	EXIT_NOINPUT = 66,
	EXIT_NOUSER = 67,
	EXIT_NOHOST = 68,
	EXIT_UNAVAILABLE = 69,
	EXIT_SOFTWARE = 70,
	EXIT_OSERR = 71,
	EXIT_IOERR = 74,
	EXIT_TEMP = 75,
	EXIT_PROTOCOL = 76,
	EXIT_NOPERM = 77,
	EXIT_CONFIG = 78,
	EXIT_DROP = 99 /* qmail: take it and drop it */
};

/*
 * What became of a message, a recipient or a question: 2xx, 4xx or 5xx
 * towards the network.  What is not known to be permanent is TEMP.
 */
enum verdict { OK, TEMP, PERM };

/* Set first in main(). */
extern const char *progname;

/* Messages are log lines: set by programs that serve a connection. */
extern bool die_service;

/*
 * Called once before a die() of any kind exits, to tell the peer ("421",
 * "-ERR", "BYE").  Must not allocate.
 */
extern void (*die_hook)(void);

/* Print "what" and exit.  Messages start in lower case, without a dot. */
_Noreturn void die(int status, const char *fmt, ...) PRINTF(2, 3);

/* The same with ": " and the text of errno. */
_Noreturn void die_sys(int status, const char *fmt, ...) PRINTF(2, 3);

/* "usage: ..." and EXIT_USAGE. */
_Noreturn void die_usage(const char *usage);

/* n zeroed elements of size bytes, to be freed.  Ends when there are none. */
void *die_calloc(size_t n, size_t size);

/* Memory is exhausted: EXIT_TEMP. */
_Noreturn void die_memory(void);

/* Print as die() and die_sys() do, and go on; errno is kept. */
void warn(const char *fmt, ...) PRINTF(1, 2);
void warn_sys(const char *fmt, ...) PRINTF(1, 2);

#endif
