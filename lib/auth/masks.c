#include "auth/masks.h"

#include <errno.h>

#include "io/cidr.h"
#include "io/conf.h"
#include "io/log.h"

/* What is known to break a client. */
static const char *const built_in[] = {
	/* It enables all that it sees, and does not know UIDFETCH. */
	"UIDONLY id:*outlook*",
	"UIDONLY id:*microsoft*",
};

enum { NBUILT_IN = sizeof(built_in) / sizeof(built_in[0]) };

bool
masks_has(struct span list, struct span name)
{
	struct span word;

	while ((word = span_word(&list)).n > 0)
		if (span_ieq(word, name))
			return true;
	return false;
}

/* Each "*" takes as little as it can; only the last one takes more. */
bool
masks_fits(struct span p, struct span s)
{
	struct span star = { 0 }, behind = { 0 };

	while (s.n > 0 || p.n > 0) {
		if (p.n > 0 && *p.p == '*') {
			span_take(&p, 1);
			star = p;
			behind = s;
			continue;
		}
		if (p.n > 0 && s.n > 0 &&
		    span_ieq(
			(struct span){ p.p, 1 }, (struct span){ s.p, 1 })) {
			span_take(&p, 1);
			span_take(&s, 1);
			continue;
		}
		if (star.p == NULL || behind.n == 0)
			return false;
		span_take(&behind, 1);
		s = behind;
		p = star;
	}
	return true;
}

enum holds { HOLDS, HOLDS_NOT, HOLDS_BAD };

static enum holds
yes(bool holds)
{
	return holds ? HOLDS : HOLDS_NOT;
}

static enum holds
pattern(const struct masks_who *who, struct span word)
{
	struct span login = who->login;
	struct cidr c;

	if (span_is(word, "*"))
		return HOLDS;
	if (span_starts(word, "peer:")) {
		span_take(&word, 5);
		if (!cidr_parse(word, &c))
			return HOLDS_BAD;
		return yes(cidr_has(&c, who->ip));
	}
	if (who->names.n > 0)
		return HOLDS_BAD; /* before a login nothing else is known */
	if (span_starts(word, "auth:")) {
		span_take(&word, 5);
		if (word.n > 1 && *word.p == '@')
			span_take(&login, span_chr(login, '@'));
		return word.n > 0 ? yes(span_ieq(word, login)) : HOLDS_BAD;
	}
	if (span_starts(word, "id:")) {
		span_take(&word, 3);
		return yes(who->id.n > 0 && masks_fits(word, who->id));
	}
	return HOLDS_BAD;
}

/* NAME PATTERN...: whether all of them hold */
static enum holds
line_holds(const struct masks_who *who, struct span line, struct span *name)
{
	enum holds all = HOLDS;
	struct span word;

	*name = span_word(&line);
	if (who->names.n > 0 && !masks_has(who->names, *name))
		return HOLDS_NOT;
	if ((word = span_word(&line)).n == 0)
		return HOLDS_BAD;
	for (; word.n > 0; word = span_word(&line)) {
		enum holds one = pattern(who, word);

		if (one == HOLDS_BAD)
			return one;
		if (one == HOLDS_NOT)
			all = one;
	}
	return all;
}

static void
add(struct buf *list, struct span name)
{
	if (masks_has(buf_span(list), name))
		return;
	if (list->n > 0)
		buf_putc(list, ' ');
	buf_put(list, name);
}

static void
read_file(const struct masks_who *who, struct buf *hidden, struct buf *seen)
{
	static struct conf c;
	struct span line, name;

	if (conf_open(&c, "masks") == -1) {
		if (errno != ENOENT)
			log_error("masks", NULL);
		return;
	}
	while (conf_next(&c, &line) == 1) {
		switch (line_holds(who, line, &name)) {
		case HOLDS:
			add(hidden, name);
			break;
		case HOLDS_BAD:
			conf_bad(&c, "not NAME and *, peer:, auth: or id:");
			break;
		case HOLDS_NOT:
			break;
		}
		add(seen, name);
	}
	conf_close(&c);
}

void
masks_read(const struct masks_who *who, struct buf *hidden)
{
	struct buf seen = { .max = 4096 };
	struct span name;

	read_file(who, hidden, &seen);
	for (size_t i = 0; i < NBUILT_IN; i++)
		if (line_holds(who, span_of(built_in[i]), &name) == HOLDS &&
		    !masks_has(buf_span(&seen), name))
			add(hidden, name);
	buf_free(&seen);
}
