/*
 * conf - the configuration directory and its files of lines
 *
 * $PNEU_CONF, or conf_set_dir (option -c), or /etc/pneu.  A record is a
 * line; "#" at the start of a line is a comment; empty lines are skipped;
 * a CR before the LF is dropped.  A line longer than LIMIT_CONF_LINE is
 * bad, and so is a last one without its LF: it may be half of one.  A bad line
 * is logged as FILE:LINE: what, hurts only itself, and makes every "no" that
 * rests on the file temporary (conf_doubtful).  A file that says it is of a
 * newer format ("# pneu-NAME 2" as its first line) can't be read at all.
 */
#ifndef IO_CONF_H
#define IO_CONF_H

#include <sys/types.h>

#include "base/limits.h"
#include "io/in.h"

enum { CONF_FORMAT = 1 };

struct conf {
	struct in in;
	char path[512];
	unsigned line, records;
	bool bad;        /* a bad line was seen */
	bool unfinished; /* the last line had no end */
	int64_t mtime;
	int fd; /* -1 when not open */
	char buf[LIMIT_CONF_LINE];
};

void conf_set_dir(const char *dir);
const char *conf_dir(void);

/* Whether the configuration directory exists at all. */
bool conf_exists(void);

/*
 * DIR/NAME into path.  False when it does not fit.
 */
MUST bool conf_file(char *path, size_t size, const char *name);

/* 0, or -1 and errno (ENOENT: there is no such file). */
MUST int conf_open(struct conf *, const char *name);

/*
 * The same for any path, taken as it is.  Path is kept for messages.
 */
MUST int conf_open_path(struct conf *, const char *path);

/* The same for an open descriptor, which conf_close closes. */
MUST int conf_open_fd(struct conf *, int fd, const char *path);

/*
 * Whether DIR/NAME was changed so lately that an editor may still be
 * writing it: look before reading, and read again if a "no" depends on it.
 */
bool conf_file_fresh(const char *name);

/*
 * The next record: 1; 0 at the end; -1 and errno when it can't be read
 * (EPROTO: a newer format).
 */
MUST int conf_next(struct conf *, struct span *line);

/* Log the current line as bad, once a process and state of the file. */
void conf_bad(struct conf *, const char *what);

/*
 * After the last record: whether an answer of "no" must be temporary,
 * because a line was bad, the file had no record, or it was changed less
 * than 2 seconds ago or ends within a line (an editor may be writing it).
 */
bool conf_doubtful(const struct conf *);

/* Whether the file was changed less than 2 seconds ago. */
bool conf_fresh(const struct conf *);

/* Never fails; keeps errno. */
void conf_close(struct conf *);

/*
 * The host name: the first record of `me`, else what uname says.  Static.
 */
const char *conf_me(void);

/*
 * A directory of `paths`: "queue", "state", "run" or "bin".  Defaults
 * /var/spool/pneu, /var/lib/pneu, /run/pneu; "" for bin (the folder of
 * the running program).  A relative path is below the configuration
 * directory.  Static, one a name.
 */
const char *conf_path(const char *name);

/* The path of "bin", "" also when `paths` can't be read. */
const char *conf_bin(void);

/*
 * The value of NAME in `limits` when it is a number of at most max, else
 * what is given as default.  Reads the file at each call.
 */
uint64_t conf_limit(const char *name, uint64_t max, uint64_t dflt);

/* The same for several, in one reading. */
struct conf_row {
	const char *name;
	uint64_t max, value; /* the default, then what the file says */
};

void conf_limits(struct conf_row *, size_t n);

/* Find an account of ours ("pneu", "pneu-tls", ..., or any name): the file
 * `uids` (NAME UID GID a line), else passwd, else "UID" or "UID:GID" in
 * digits.  0, or -1 and errno (ENOENT: no such user).
 */
MUST int conf_account(const char *name, uid_t *uid, gid_t *gid);

#endif
