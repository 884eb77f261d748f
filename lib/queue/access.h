/*
 * access - who may send what to whom: the file pneu-access(5)
 *
 *	reject|later|hold|drop|greylist|allow PATTERN... [-- TEXT]
 *
 * The first line whose patterns all hold wins.  TEXT may begin with a
 * reply code, and with an enhanced status of its class.  A line that says
 * 421 or 521 is about the connection alone, and is said instead of the
 * greeting (RFC 7504).
 */
#ifndef QUEUE_ACCESS_H
#define QUEUE_ACCESS_H

#include "base/arena.h"
#include "base/limits.h"
#include "queue/pattern.h"

enum access_action {
	ACCESS_REJECT,
	ACCESS_LATER,
	ACCESS_HOLD,
	ACCESS_DROP,
	ACCESS_GREYLIST,
	ACCESS_ALLOW
};

struct access_line {
	unsigned line;
	enum access_action action;
	struct pattern *patterns;
	size_t npatterns;
	int code;         /* 0: none was named */
	struct span text; /* with an enhanced status, or empty */
};

struct access {
	struct access_line *v;
	size_t n;
	bool doubtful; /* a "no" must be temporary */
};

/* Its name in the file. */
const char *access_name(enum access_action);

/*
 * Parse one line; texts point into it, patterns are in the arena.  What is
 * wrong with it, or NULL.
 */
const char *access_parse(
    struct arena *, struct span line, struct access_line *);

/*
 * Read the file `access` of the configuration; texts are in the arena.
 * Bad lines are logged.  0, also when there is none; -1 and errno (EFBIG:
 * larger than LIMIT_ACCESS).
 */
MUST int access_load(struct arena *, struct access *);

struct access_verdict {
	const struct access_line *line; /* NULL: none holds */
	bool not_yet; /* that depends on what the client has not said */
	bool doubt;   /* a "no" must be temporary: the file or DNS is to
			 blame */
};

/* The first line that holds. */
void access_find(const struct access *, const struct pattern_facts *,
    struct access_verdict *);

/*
 * The same line by line: what line i says.  PATTERN_YES: all its patterns
 * hold.
 */
enum pattern_answer access_judge(
    const struct access_line *, const struct pattern_facts *);

#endif
