/* compress: old messages as gzip files, under their names and UIDs. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/deflate.h"
#include "io/fs.h"
#include "mindex.h"
#include "store/gzip.h"
#include "store/mdname.h"
#include "store/view.h"

static int64_t before; /* messages of that time or later stay */
static size_t ncompressed;

/* The file as a gzip file of the same time.  0, or -1 and errno. */
static int
write_gzip(int from, int to, int64_t date)
{
	static char buf[65536], out_buf[65536];
	struct deflate *d;
	struct out o;
	ssize_t n;
	int r;

	out_init(&o, to, out_buf, sizeof(out_buf));
	d = deflate_file(&o);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		out_put(&o, (struct span){ buf, (size_t)n });
	r = deflate_file_end(d, &o);
	deflate_close(d);
	if (r == -1 || n == -1)
		return -1;
	return fs_touch(to, date) == -1 ? -1 : fsync(to);
}

/* Under the lock: no one of ours renames the file meanwhile. */
static int
compress_file(struct folder *f, const char *file)
{
	char tmp[MDNAME_MAX + 8] = "tmp/";
	int from = openat(f->ix.fd, file, O_RDONLY | O_CLOEXEC), to, r = -1;
	struct stat st;

	if (from == -1)
		return errno == ENOENT ? 0 : -1;
	mdname_unique(tmp + 4, sizeof(tmp) - 4);
	to = openat(
	    f->ix.fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to != -1 && fstat(from, &st) == 0)
		r = write_gzip(from, to, (int64_t)st.st_mtime);
	if (r == 0)
		r = renameat(f->ix.fd, tmp, f->ix.fd, file);
	if (r == -1 && to != -1)
		unlinkat(f->ix.fd, tmp, 0);
	close(from);
	if (to != -1)
		close(to);
	return r;
}

/* Its sizes must be in its name, since the file has others then. */
static bool
is_old(struct folder *f, size_t i)
{
	char file[512];
	struct mdname m;
	int64_t date;

	if (folder_date(f, i, &date) == -1 || date >= before)
		return false;
	index_file(&f->ix, &f->ix.entry[i], file);
	m = mdname_parse(span_of(file + 4));
	return m.has_s && m.has_w && !gzip_is_at(f->ix.fd, file);
}

static void
compress_message(const char *name, struct folder *f, size_t i)
{
	char file[512];

	index_file(&f->ix, &f->ix.entry[i], file);
	say_more(name, "compress", "%s", file);
	ncompressed++;
	if (dry_run)
		return;
	if (view_lock(f, true) == -1) {
		failed(name);
		return;
	}
	index_file(&f->ix, &f->ix.entry[i], file);
	if (!f->ix.entry[i].msg.gone) {
		if (compress_file(f, file) == -1)
			failed(file);
		index_put_own_change(&f->ix, SCAN_ALL);
		if (index_commit(&f->ix) == -1)
			failed(name);
	}
	index_unlock(&f->ix);
}

static void
compress_box(const char *name, const char *path)
{
	struct folder *f;

	if (folder_open(&f, path, true) == -1) {
		failed(name);
		return;
	}
	ncompressed = 0;
	for (size_t i = 0; i < folder_count(f); i++)
		if (is_old(f, i))
			compress_message(name, f, i);
	say(name, "compress", "%zu messages", ncompressed);
	folder_close(f);
}

int
compress_main(int argc, char **argv)
{
	uint32_t days;

	verb_options(argc, argv, "nv");
	argv += optind;
	if (argv[0] == NULL || !num_u32(span_of(argv[0]), &days))
		usage_of("compress");
	before = unix_now() - (int64_t)days * 86400;
	open_maildir(false);
	each_box(argv + 1, compress_box);
	return status;
}
