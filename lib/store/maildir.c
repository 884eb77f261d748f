#include "store/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/deadline.h"
#include "io/deflate.h"
#include "io/fs.h"
#include "store/gzip.h"

enum { TMP_LIFE = 36 * 3600 };

int
maildir_open(struct maildir *md, const char *path, bool create)
{
	static const char *const parts[] = { "tmp", "new", "cur" };
	bool made = false;

	*md = (struct maildir){ .fd = -1 };
	if (strlen(path) >= sizeof(md->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(md->path, sizeof(md->path), "%s", path);
	if (create && fs_mkdirs(path, 0700) == -1)
		return -1;
	md->fd = fs_open_dir(path);
	if (md->fd == -1)
		return -1;
	for (size_t i = 0; create && i < 3; i++) {
		if (mkdirat(md->fd, parts[i], 0700) == 0)
			made = true;
		else if (errno != EEXIST)
			goto fail;
	}
	if (made && fsync(md->fd) == -1)
		goto fail;
	return 0;
fail:
	maildir_close(md);
	return -1;
}

void
maildir_close(struct maildir *md)
{
	fs_close(md->fd);
	md->fd = -1;
}

/* The host name as it may stand in a file name. */
static const char *
host_name(void)
{
	static char host[128];
	const char *me = conf_me();
	size_t n = 0;

	if (host[0] != '\0')
		return host;
	for (; *me != '\0' && n < sizeof(host) - 5; me++) {
		if (*me == '/' || *me == ':' || *me == ',')
			n += (size_t)snprintf(
			    host + n, 5, "\\%03o", (unsigned)*me);
		else
			host[n++] = is_print(*me) ? *me : '_';
	}
	host[n] = '\0';
	return host;
}

int
maildir_create(struct maildir *md, struct maildir_file *mf)
{
	static unsigned count;
	char path[MAILDIR_NAME + 8];
	struct timespec t;

	mf->md = md;
	mf->name[0] = '\0';
	mf->in_cur = false;
	mf->size = 0;
	mf->wire = (struct wire){ 0 };
	mf->digester = NULL;
	mf->deflate = NULL;
	mf->gzip = gzip_wanted();
	buf_init(&mf->head, LIMIT_DIGEST_KEPT);
	buf_init(&mf->body, LIMIT_DIGEST_KEPT);
	for (int tries = 0; tries < 100; tries++) {
		clock_gettime(CLOCK_REALTIME, &t);
		snprintf(mf->tmp, sizeof(mf->tmp), "%lld.M%ldP%ldQ%u.%s",
		    (long long)t.tv_sec, t.tv_nsec / 1000, (long)getpid(),
		    count++, host_name());
		snprintf(path, sizeof(path), "tmp/%s", mf->tmp);
		mf->fd = openat(md->fd, path,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (mf->fd != -1) {
			out_init(&mf->out, mf->fd, mf->buf, sizeof(mf->buf));
			return 0;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

void
maildir_digest(struct maildir_file *mf, struct digester *d)
{
	mf->digester = d;
	digester_begin(d, DIGEST_HEAD | DIGEST_BODY);
}

static void
end_digest(struct maildir_file *mf)
{
	struct digest g;

	if (mf->digester == NULL)
		return;
	digester_end(mf->digester, &g);
	mf->digester = NULL;
	digest_put(&mf->head, &g, DIGEST_HEAD, LIMIT_DIGEST_KEPT);
	digest_put(&mf->body, &g, DIGEST_BODY, LIMIT_DIGEST_KEPT);
}

void
maildir_write(struct maildir_file *mf, struct span s)
{
	if (mf->size == 0 && s.n > 0 && (mf->gzip || *s.p == '\x1f') &&
	    mf->deflate == NULL)
		mf->deflate = deflate_file(&mf->out);
	if (mf->digester != NULL)
		digester_feed(mf->digester, s);
	out_put(&mf->out, s);
	mf->size += s.n;
	wire_count(&mf->wire, s);
}

int
maildir_sync(struct maildir_file *mf)
{
	if (mf->wire.after_line)
		maildir_write(mf, SPAN("\n"));
	end_digest(mf);
	if (mf->deflate != NULL &&
	    deflate_file_end(mf->deflate, &mf->out) == -1)
		return -1;
	deflate_close(mf->deflate);
	mf->deflate = NULL;
	if (out_flush(&mf->out) == -1)
		return -1;
	return fsync(mf->fd);
}

int
maildir_place(struct maildir_file *mf, const char *flags, int64_t date)
{
	char from[MAILDIR_NAME + 8], to[MAILDIR_NAME + 8];
	int n;

	mf->in_cur = flags != NULL;
	n = snprintf(mf->name, sizeof(mf->name), "%s,S=%llu,W=%llu%s%s",
	    mf->tmp, (unsigned long long)mf->size,
	    (unsigned long long)mf->wire.size, flags != NULL ? ":2," : "",
	    flags != NULL ? flags : "");
	if (n < 0 || (size_t)n >= sizeof(mf->name)) {
		mf->name[0] = '\0';
		errno = ENAMETOOLONG;
		return -1;
	}
	if (date != 0 && fs_touch(mf->fd, date) == -1)
		return -1;
	snprintf(from, sizeof(from), "tmp/%s", mf->tmp);
	snprintf(to, sizeof(to), "%s/%s", mf->in_cur ? "cur" : "new", mf->name);
	if (renameat(mf->md->fd, from, mf->md->fd, to) == -1) {
		mf->name[0] = '\0';
		return -1;
	}
	return 0;
}

int
maildir_sync_dir(struct maildir *md, bool cur)
{
	return fs_sync_dir(md->fd, cur ? "cur" : "new");
}

int
maildir_commit(struct maildir_file *mf, const char *flags, int64_t date)
{
	if (maildir_sync(mf) == -1 || maildir_place(mf, flags, date) == -1 ||
	    maildir_sync_dir(mf->md, mf->in_cur) == -1)
		return -1;
	maildir_done(mf);
	return 0;
}

void
maildir_done(struct maildir_file *mf)
{
	if (mf->fd != -1)
		close(mf->fd);
	mf->fd = -1;
	deflate_close(mf->deflate);
	mf->deflate = NULL;
	if (mf->digester != NULL)
		digester_free(mf->digester);
	mf->digester = NULL;
	buf_free(&mf->head);
	buf_free(&mf->body);
}

void
maildir_abort(struct maildir_file *mf)
{
	char path[MAILDIR_NAME + 8];
	int err = errno;

	maildir_done(mf);
	if (mf->name[0] != '\0')
		snprintf(path, sizeof(path), "%s/%s",
		    mf->in_cur ? "cur" : "new", mf->name);
	else
		snprintf(path, sizeof(path), "tmp/%s", mf->tmp);
	unlinkat(mf->md->fd, path, 0);
	errno = err;
}

void
maildir_clean(struct maildir *md)
{
	DIR *d = fs_list_dir(md->fd, "tmp");
	struct dirent *e;
	struct stat st;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		    S_ISREG(st.st_mode) &&
		    unix_now() - (int64_t)st.st_mtime > TMP_LIFE)
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}
