/* Envelopes: what parses, what does not, and every cut of one. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/envelope.h"

static const char good[] = "pneu-queue 1\n"
			   "from alice@example.org RET=HDRS ENVID=x17\n"
			   "to %22bob%20b%22@example.net NOTIFY=FAILURE,DELAY\n"
			   "ok carol@example.com\n"
			   "received 2026-11-22T22:44:31Z 192.0.2.1 mx ESMTPS\n"
			   "auth alice@example.org\n"
			   "size 000000004711\n"
			   "\n"
			   "Subject: x\n\nbody\n";

static const struct {
	const char *text;
	enum envelope_result want;
} cases[] = {
	/* clang-format off */
	{ "",                                         ENVELOPE_MORE },
	{ "pneu-",                                    ENVELOPE_MORE },
	{ "pneu-queue 2\nfrom x\n\n",                 ENVELOPE_NEWER },
	{ "pneu-queue 1\n\n",                         ENVELOPE_BAD },
	{ "From: x\n\nhi",                            ENVELOPE_BAD },
	{ "pneu-queue 1\nfrom <>\nto a@b\nreceived 2026-11-22T22:44:31Z - - -\n"
	  "size 000000000000\n\n",                    ENVELOPE_OK },
	{ "pneu-queue 1\nfrom <>\nreceived 2026-11-22T22:44:31Z - - -\n"
	  "size 000000000000\n\n",                    ENVELOPE_BAD },
	{ "pneu-queue 1\nfrom <>\nto \nreceived 2026-11-22T22:44:31Z - - -\n"
	  "size 000000000000\n\n",                    ENVELOPE_BAD },
	{ "pneu-queue 1\nfrom a%2\nto a@b\nreceived 2026-11-22T22:44:31Z - - -\n"
	  "size 000000000000\n\n",                    ENVELOPE_BAD },
	{ "pneu-queue 1\nfrom <>\nto a@b\nreceived yesterday - - -\n"
	  "size 000000000000\n\n",                    ENVELOPE_BAD },
	{ "pneu-queue 1\nfrom <>\nto a@b\nreceived 2026-11-22T22:44:31Z - - -\n"
	  "size many\n\n",                            ENVELOPE_BAD },
	/* clang-format on */
};

static void
whole(void)
{
	struct arena a;
	struct envelope e;
	struct span v;

	arena_init(&a, ENVELOPE_ARENA);
	check(envelope_parse(&a, span_of(good), &e) == ENVELOPE_OK);
	check(span_is(e.sender, "alice@example.org"));
	check(span_is(e.args, "RET=HDRS ENVID=x17"));
	check(e.nrcpts == 2);
	check(span_is(e.rcpts[0].address, "\"bob b\"@example.net"));
	check(e.rcpts[0].mark == MARK_TO && e.rcpts[1].mark == MARK_OK);
	check(memcmp(good + e.rcpts[1].at, "ok carol", 8) == 0);
	check(e.size == 4711 && span_is(e.helo, "mx"));
	check(span_is(e.auth, "alice@example.org"));
	check(memcmp(good + e.message_at, "Subject", 7) == 0);
	check(envelope_arg(e.args, "envid", &v) && span_is(v, "x17"));
	check(!envelope_arg(e.args, "BODY", &v));
	check(envelope_notify(e.rcpts[0].args, "DELAY", false));
	check(!envelope_notify(e.rcpts[0].args, "SUCCESS", true));
	check(envelope_notify(e.rcpts[1].args, "FAILURE", true));
	arena_free(&a);
}

static void
cuts(void)
{
	size_t head = (size_t)(strstr(good, "\n\n") - good) + 2;

	for (size_t n = 0; n < sizeof(good); n++) {
		struct arena a;
		struct envelope e;
		enum envelope_result r;

		arena_init(&a, ENVELOPE_ARENA);
		r = envelope_parse(&a, (struct span){ good, n }, &e);
		check(r == (n < head ? ENVELOPE_MORE : ENVELOPE_OK));
		arena_free(&a);
	}
}

static void
in_a_file(void)
{
	char path[] = "/tmp/envelope.XXXXXX";
	struct arena a;
	struct envelope e;
	int fd = mkstemp(path);

	arena_init(&a, ENVELOPE_ARENA);
	check(
	    fd != -1 && write(fd, good, sizeof(good) - 1) == sizeof(good) - 1);
	check(envelope_read(fd, &a, &e) == 0);
	check(envelope_mark(fd, &e.rcpts[0], MARK_NO) == 0);
	check(envelope_read(fd, &a, &e) == 0);
	check(e.rcpts[0].mark == MARK_NO && e.rcpts[1].mark == MARK_OK);
	check(envelope_count(&e, MARK_NO) == 1);
	unlink(path);
	close(fd);
	arena_free(&a);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena a;
		struct envelope e;

		arena_init(&a, ENVELOPE_ARENA);
		check(envelope_parse(&a, span_of(cases[i].text), &e) ==
		    cases[i].want);
		arena_free(&a);
	}
	whole();
	cuts();
	in_a_file();
	return done();
}
