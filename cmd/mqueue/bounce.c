/*
 * mqueue bounce - give a message up, and tell its sender
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "io/deadline.h"
#include "io/log.h"

static struct span reason = { "given up by hand", 16 };
static char code[12] = "5.0.0";

/* Not while somebody delivers it. */
static int
take_by_hand(struct attempt *at, const char *id)
{
	int64_t now = unix_now(), ahead = schedule_horizon(&retry);

	if (attempt_open(at, id) == -1)
		return -1;
	if (queued_lease(&at->m, now, now + LEASE_MAX, ahead, true, true) == 0)
		return 0;
	attempt_close(at);
	if (errno == EAGAIN)
		errno = EBUSY;
	return -1;
}

static int
bounce_one(const char *id)
{
	struct attempt at;

	if (take_by_hand(&at, id) == -1)
		return -1;
	for (size_t i = 0; i < at.e.nrcpts; i++)
		if (at.e.rcpts[i].mark == MARK_TO)
			attempt_result(
			    &at, i, "-", false, span_of(code), reason);
	attempt_finish(&at, 0);
	attempt_close(&at);
	return 0;
}

/* TEXT, or an enhanced status of class 5 and TEXT. */
static void
take_reason(const char *text)
{
	struct span s = span_of(text), word;

	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]))
			die(EXIT_USAGE, "-r: not one line");
	reason = s;
	word = span_word(&s);
	if (*text == '5' && result_code_ok(word) &&
	    span_cstr(word, code, sizeof(code)))
		reason = span_trim(s);
	if (reason.n == 0 || reason.n > 1000)
		die(EXIT_USAGE, "-r: %s",
		    reason.n == 0 ? "no text" : "too long");
}

int
bounce_main(int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "+r:")) != -1)
		if (ch == 'r')
			take_reason(optarg);
		else
			usage_of("bounce");
	if (argv[optind] == NULL)
		usage_of("bounce");
	open_queue(false);
	log_open(NULL);
	return each_id("bounce", argv + optind, bounce_one);
}
