/*
 * mindex - what the parts of the program share
 */
#ifndef MINDEX_H
#define MINDEX_H

#include "base/buf.h"
#include "base/die.h"
#include "io/out.h"
#include "store/boxes.h"
#include "store/folder.h"

/* Options that several verbs have. */
extern bool dry_run;  /* -n */
extern bool verbose;  /* -v */
extern bool as_json;  /* -j */
extern bool replace;  /* -R */
extern int secret_fd; /* -w; or -1 */

extern struct out out;     /* standard output */
extern struct boxes boxes; /* the Maildir, once it is open */

/* The verbs: argv[0] is the verb; the exit status. */
int show_main(int argc, char **argv);
int check_main(int argc, char **argv);
int repair_main(int argc, char **argv);
int rebuild_main(int argc, char **argv);
int adopt_main(int argc, char **argv);
int export_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int import_main(int argc, char **argv);
int compress_main(int argc, char **argv);
int uidl_main(int argc, char **argv);

enum { EXIT_FOUND = 1 }; /* check has found something */

_Noreturn void usage_of(const char *verb);

/* The options of a verb, of those above; the rest is behind optind. */
void verb_options(int argc, char **argv, const char *letters);

/* Open the Maildir or die; make it when it does not exist and `create`. */
void open_maildir(bool create);

/* A line "STEP TAB DECISION TAB BECAUSE", when -n or -v wants it. */
void say(const char *step, const char *decision, const char *fmt, ...)
    PRINTF(3, 4);

/* The same for what -v alone wants. */
void say_more(const char *step, const char *decision, const char *fmt, ...)
    PRINTF(3, 4);

/* Something went wrong: the exit status is EXIT_TEMP; goes on. */
void failed(const char *what);
extern int status;

/*
 * Call f with the name and the directory of each mailbox that can be
 * selected, or of those that are named in argv (which die when they are
 * not there).
 */
void each_box(char **argv, void (*f)(const char *name, const char *path));

/* The folder ".A.B" (or "" for INBOX) of a path below the Maildir. */
const char *dir_of(const char *path);

/* "\\Seen \\Flagged" into dst of 64 bytes; the keywords' names into b. */
const char *flag_words(uint16_t flags, char *dst);
void keyword_words(const struct folder *, uint64_t keywords, struct buf *b);

/*
 * Text for a tab-separated line, with control characters and what is not
 * UTF-8 as %XX; or for JSON, with \u00XX, and \udcXX for a byte that is not
 * UTF-8, as Python reads and writes it.
 */
void put_text(const char *s);
void put_json(const char *s);

#endif
