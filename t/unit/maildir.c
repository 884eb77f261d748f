/* maildir: whole or not at all, and names that tell the sizes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "store/maildir.h"
#include "test.h"

static char dir[] = "/tmp/pneu-unit-XXXXXX";
static struct maildir_file mf, other;

/* How many files are in part; name gets the last one's. */
static int
files(struct maildir *md, const char *part, char *name)
{
	int fd = openat(md->fd, part, O_RDONLY | O_DIRECTORY), n = 0;
	DIR *d = fdopendir(fd);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (name != NULL)
			snprintf(name, MAILDIR_NAME, "%s", e->d_name);
	}
	closedir(d);
	return n;
}

static const struct {
	const char *in;
	size_t n;
	bool add; /* a LF is missing */
	const char *sizes;
} cases[] = {
	/* clang-format off */
	{ "",             0, false, ",S=0,W=0" },
	{ "a",            1, true,  ",S=2,W=3" },
	{ "a\n",          2, false, ",S=2,W=3" },
	{ "\n\n",         2, false, ",S=2,W=4" },
	{ "a\r\nb",       4, true,  ",S=5,W=6" },
	{ "a\0b\n\0",     5, true,  ",S=6,W=8" },
	{ ".\n..\n\xff\n", 7, false, ",S=7,W=10" },
	/* clang-format on */
};

static void
test_store(struct maildir *md)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t step = 1; step <= 16; step++) {
			struct span in = { cases[i].in, cases[i].n };
			size_t want = cases[i].n + cases[i].add;
			char path[MAILDIR_NAME + 8], got[64];
			ssize_t n = -1;
			int fd;

			check(maildir_create(md, &mf) == 0);
			while (in.n > 0)
				maildir_write(&mf,
				    span_take(&in, in.n < step ? in.n : step));
			check(files(md, "new", NULL) == 0);
			check(maildir_commit(&mf, NULL, 0) == 0);
			snprintf(path, sizeof(path), "new/%s", mf.name);
			fd = openat(md->fd, path, O_RDONLY);
			if (fd != -1)
				n = read(fd, got, sizeof(got));
			close(fd);
			check(n == (ssize_t)want &&
			    memcmp(got, cases[i].in, cases[i].n) == 0);
			check(!cases[i].add || got[n - 1] == '\n');
			check(
			    strcmp(strchr(mf.name, ','), cases[i].sizes) == 0);
			check(strchr(mf.name, '/') == NULL &&
			    strchr(mf.name, ':') == NULL);
			check(files(md, "tmp", NULL) == 0);
			unlinkat(md->fd, path, 0);
		}
}

static void
test_flags(struct maildir *md)
{
	char path[MAILDIR_NAME + 8];
	struct stat st;

	check(maildir_create(md, &mf) == 0);
	maildir_write(&mf, SPAN("x\n"));
	check(maildir_commit(&mf, "FS", 1000000000) == 0);
	check(strstr(mf.name, ",S=2,W=3:2,FS") != NULL);
	snprintf(path, sizeof(path), "cur/%s", mf.name);
	check(fstatat(md->fd, path, &st, 0) == 0 && st.st_mtime == 1000000000 &&
	    (st.st_mode & 0777) == 0600);
	check(unlinkat(md->fd, path, 0) == 0);
}

/* Given up at any step: nothing is left. */
static void
test_abort(struct maildir *md)
{
	for (int steps = 0; steps < 4; steps++) {
		check(maildir_create(md, &mf) == 0);
		if (steps > 0)
			maildir_write(&mf, SPAN("x"));
		if (steps > 1)
			check(maildir_sync(&mf) == 0);
		if (steps > 2)
			check(maildir_place(&mf, NULL, 0) == 0);
		errno = EDQUOT;
		maildir_abort(&mf);
		check(errno == EDQUOT);
		check(files(md, "tmp", NULL) == 0);
		check(files(md, "new", NULL) == 0);
	}
}

static void
test_full(struct maildir *md)
{
	struct rlimit old, small;
	static char zeros[4096];

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 20000;
	setrlimit(RLIMIT_FSIZE, &small);
	check(maildir_create(md, &mf) == 0);
	for (int i = 0; i < 10; i++) /* the error is sticky */
		maildir_write(&mf, (struct span){ zeros, sizeof(zeros) });
	check(maildir_commit(&mf, NULL, 0) == -1 && errno == EFBIG);
	maildir_abort(&mf);
	check(errno == EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	check(files(md, "tmp", NULL) == 0 && files(md, "new", NULL) == 0);
}

/* Two at a time have names of their own; old ones in tmp/ go. */
static void
test_names(struct maildir *md)
{
	char path[LIMIT_PATH + MAILDIR_NAME + 8], name[MAILDIR_NAME];
	struct utimbuf t;

	check(maildir_create(md, &mf) == 0 && maildir_create(md, &other) == 0);
	check(strcmp(mf.tmp, other.tmp) != 0);
	check(strstr(mf.tmp, ".a\\057b\\072c") != NULL);
	maildir_done(&mf);
	maildir_done(&other);
	t.actime = t.modtime = (time_t)(unix_now() - 37 * 3600);
	snprintf(path, sizeof(path), "%s/tmp/%s", md->path, mf.tmp);
	check(utime(path, &t) == 0);
	maildir_clean(md);
	check(files(md, "tmp", name) == 1 && strcmp(name, other.tmp) == 0);
	maildir_abort(&other);
}

int
main(void)
{
	char path[LIMIT_PATH];
	struct maildir md;
	FILE *f;

	progname = "maildir";
	if (mkdtemp(dir) == NULL)
		die_sys(EXIT_TEMP, "%s", dir);
	conf_set_dir(dir);
	snprintf(path, sizeof(path), "%s/me", dir);
	f = fopen(path, "w");
	if (f == NULL || fputs("a/b:c\n", f) == EOF || fclose(f) == EOF)
		die_sys(EXIT_TEMP, "%s", path);
	snprintf(path, sizeof(path), "%s/x/y/Maildir", dir);
	check(maildir_open(&md, path, false) == -1 && errno == ENOENT);
	check(maildir_open(&md, path, true) == 0);
	maildir_close(&md);
	check(maildir_open(&md, path, true) == 0);
	test_store(&md);
	test_flags(&md);
	test_abort(&md);
	test_full(&md);
	test_names(&md);
	maildir_close(&md);
	maildir_close(&md);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	check(maildir_open(&md, path, true) == -1);
	check(fs_remove_tree(AT_FDCWD, dir) == 0);
	return done();
}
