/* check: what is wrong, with nothing changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examine.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "store/mdname.h"
#include "store/scan.h"
#include "store/view.h"

enum { JOURNAL_FILE_MAX = 1 << 30, LOCK_WAIT = 30 };

static bool found;

PRINTF(3, 4)
static void
finding(const char *name, const char *what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(name);
	out_putc(&out, '\t');
	put_text(what);
	out_putc(&out, '\t');
	put_text(text);
	out_putc(&out, '\n');
	found = true;
}

/* Apply the journal, in memory. */
static void
check_journal(const char *name, struct index *ix)
{
	char file[64];
	uint64_t gen = 0;
	uint32_t uidvalidity = 0;
	struct buf b;
	struct span s;
	size_t good;

	index_journal_name(file, sizeof(file), ix->gen);
	buf_init(&b, JOURNAL_FILE_MAX);
	if (fs_read(ix->fd, file, &b) == -1) {
		finding(name, "journal", "%s can't be read", file);
		buf_free(&b);
		return;
	}
	s = buf_span(&b);
	if (s.n < JOURNAL_HEADER ||
	    journal_header((struct span){ s.p, JOURNAL_HEADER }, &gen,
		&uidvalidity) != FORMAT_OK ||
	    gen != ix->gen || uidvalidity != ix->uidvalidity) {
		finding(name, "journal", "%s is damaged", file);
	} else {
		span_take(&s, JOURNAL_HEADER);
		good = index_replay(ix, s);
		if (good < s.n)
			finding(name, "journal",
			    "%zu bytes at the end of %s are no records",
			    s.n - good, file);
	}
	buf_free(&b);
}

static void
check_memory(const char *name, struct index *ix)
{
	if (uidmem_open(&ix->mem, ix->path) == -1) {
		finding(name, "memory", "pneu.uidvalidity can't be read");
		return;
	}
	if (ix->mem.uidvalidity != 0 && ix->mem.uidvalidity != ix->uidvalidity)
		finding(name, "memory",
		    "UIDVALIDITY is %lu, and %lu in pneu.uidvalidity",
		    (unsigned long)ix->uidvalidity,
		    (unsigned long)ix->mem.uidvalidity);
	else if (ix->mem.highest >= ix->uidnext)
		finding(name, "memory", "UIDNEXT is %lu, but UID %lu was given",
		    (unsigned long)ix->uidnext, (unsigned long)ix->mem.highest);
}

/* What is there of the files that the index has, and the other way round. */
static void
check_files(const char *name, struct index *ix)
{
	size_t known = 0, renamed = 0, gone = 0;
	struct scan s = { 0 };
	char file[512];

	if (scan_read(&s, ix->fd, SCAN_ALL) == -1) {
		finding(name, "files", "new/ and cur/ can't be read");
		return;
	}
	for (size_t i = 0; i < ix->n; i++) {
		size_t at;

		if (ix->entry[i].msg.gone)
			continue;
		at = scan_find(&s, index_base(ix, &ix->entry[i]));
		index_file(ix, &ix->entry[i], file);
		if (at == s.n)
			gone++;
		else if (++known > 0 && !span_is(scan_name(&s, at), file + 4))
			renamed++;
	}
	/* The next session sees to that, as it does to any new mail. */
	if (gone > 0 || renamed > 0 || known < s.n)
		say_more(name, "changed",
		    "%zu files are new, %zu renamed, %zu gone", s.n - known,
		    renamed, gone);
	if (s.new_ns == ix->trust.new_ns && s.cur_ns == ix->trust.cur_ns &&
	    ix->trust.trusted == SCAN_ALL &&
	    (gone > 0 || renamed > 0 || known < s.n))
		finding(name, "files",
		    "the index takes itself for complete, and is not");
	scan_free(&s);
}

/* A file that somebody has removed is made again, and no damage. */
static void
check_cache(const char *name, struct folder *f)
{
	static const char text[] = "%zu texts are not where they should be";
	struct stat st;
	size_t lost = 0;

	for (size_t i = 0; i < f->ix.n; i++)
		if (!f->ix.entry[i].msg.gone)
			lost += examine_cache(f, i);
	if (lost == 0)
		return;
	if (fstatat(f->ix.fd, "pneu.cache", &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT)
		say_more(name, "cache", text, lost);
	else
		finding(name, "cache", text, lost);
}

static void
check_messages(const char *name, struct folder *f)
{
	static const struct {
		unsigned wrong;
		const char *what;
	} kinds[] = { { EXAMINE_S, "S= in its name" },
		{ EXAMINE_W, "W= in its name" },
		{ EXAMINE_SIZE, "the size in the index" },
		{ EXAMINE_HEAD, "the facts of its header" },
		{ EXAMINE_BODY, "the facts of its structure" },
		{ EXAMINE_UNREAD, "no reading" } };
	struct examined x;
	unsigned wrong;

	for (size_t i = 0; i < f->ix.n; i++) {
		if (f->ix.entry[i].msg.gone)
			continue;
		wrong = examine(f, i, &x);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if ((wrong & kinds[k].wrong) != 0)
				finding(name, "message", "UID %lu, %s: %s",
				    (unsigned long)f->ix.entry[i].msg.uid,
				    x.file, kinds[k].what);
	}
}

static void
check_index(const char *name, struct folder *f)
{
	switch (snapshot_load(&f->ix)) {
	case SNAPSHOT_OK:
		break;
	case SNAPSHOT_NONE:
		say_more(name, "none", "it has no index yet");
		return;
	case SNAPSHOT_BAD:
		finding(name, "snapshot", "it is damaged");
		return;
	case SNAPSHOT_NEWER:
		finding(name, "snapshot", "it is of a newer release");
		return;
	case SNAPSHOT_FAILED:
		failed(name);
		return;
	}
	if (!snapshot_check(&f->ix)) {
		finding(name, "snapshot", "it is damaged");
		return;
	}
	check_journal(name, &f->ix);
	check_memory(name, &f->ix);
	check_files(name, &f->ix);
	check_cache(name, f);
	check_messages(name, f);
}

static void
check_box(const char *name, const char *path)
{
	struct folder f = { .watch = -1, .cache.fd = -1 };
	char lock[LIMIT_PATH + 16];

	snprintf(lock, sizeof(lock), "%s/pneu.lock", path);
	if (access(lock, F_OK) == -1) {
		say_more(name, "none", "it has no index yet");
		return;
	}
	if (index_open(&f.ix, path) == -1) {
		failed(name);
		return;
	}
	if (fs_lock(f.ix.lock_fd, false, deadline_in(LOCK_WAIT)) == -1)
		failed(name);
	else
		check_index(name, &f);
	fs_unlock(f.ix.lock_fd);
	index_close(&f.ix);
	cache_close(&f.cache);
}

int
check_main(int argc, char **argv)
{
	char text[160];

	verb_options(argc, argv, "v");
	open_maildir(false);
	each_box(argv + optind, check_box);
	if (argv[optind] == NULL && examine_maildirsize(text, sizeof(text)))
		finding("maildirsize", "quota", "%s", text);
	return status != EXIT_OK ? status : found ? EXIT_FOUND : EXIT_OK;
}
