/*
 * greetline - what greeters have in common whose commands are lines
 *
 * SMTP and POP3 before the login: lines come in, AUTH begins an exchange in
 * which they are responses, so many mistakes end the session.  What is said
 * about it is the protocol's.  See greet.h.
 */
#ifndef BASE_GREETLINE_H
#define BASE_GREETLINE_H

#include "base/greet.h"
#include "base/line.h"

enum { GREET_DECODED_MAX = LIMIT_MONITOR_MSG - 256 };

struct greetline_words {
	const char *undecodable, *cancelled, *no_text, *too_long;
	const char *long_response;
	const char *last; /* behind the mistake that ends it; NULL: nothing */
	size_t line_max;  /* of a line that is not AUTH */
	unsigned errors_max;
};

struct greetline {
	const struct greet_conf *conf;
	const struct greetline_words *words;
	struct buf *out;
	struct line line;
	struct buf decoded; /* in store: no copies of secrets on the heap */
	char store[GREET_DECODED_MAX + 1];
	unsigned errors;
	bool exchange; /* an AUTH is under way: lines are responses */
	bool ended;
};

/* A fresh one; it stays where it is. */
void greetline_init(struct greetline *, struct buf *out,
    const struct greet_conf *, const struct greetline_words *);

/* Forget what was said before TLS. */
void greetline_restart(struct greetline *);

void greetline_say(struct greetline *, const char *text);

/* The same for a mistake: GREET_MORE, or GREET_END after so many. */
enum greet_event greetline_wrong(struct greetline *, const char *text);

/* PLAIN out of a name and a password that came apart. */
void greetline_plain(struct greetline *, const char *name, struct span pass,
    struct greet_auth *);

/* An exchange begins; initial is the response that came along, or "". */
enum greet_event greetline_auth(struct greetline *, struct span mech,
    struct span initial, struct greet_auth *);

/*
 * The next event; command is called, with ctx, for each line that is none
 * of an exchange.
 */
enum greet_event greetline_next(struct greetline *, struct span *in,
    struct greet_auth *,
    enum greet_event (*command)(
	void *ctx, struct span line, struct greet_auth *),
    void *ctx);

/* "334 " or "+ ", and the challenge. */
void greetline_challenge(struct greetline *, const char *begin, struct span);

#endif
