#include "store/boxtext.h"

#include <errno.h>

#include "io/fresh.h"
#include "io/fs.h"
#include "store/boxfile.h"
#include "store/format.h"

static int
load(const struct boxtext *t, int fd, struct buf *text)
{
	enum format_result f;

	buf_init(text, t->max);
	fresh_name(fd, t->name);
	if (fs_read(fd, t->name, text) == -1)
		return errno == ENOENT ? 0 : -1;
	f = format_of(buf_span(text), t->kind);
	if (f == FORMAT_OK)
		return 0;
	if (f == FORMAT_BAD && t->lenient) {
		buf_clear(text);
		return 0;
	}
	errno = EPROTO;
	return -1;
}

int
boxtext_load(const struct boxtext *t, const char *path, struct buf *text)
{
	int fd = fs_open_dir(path), r;

	*text = (struct buf){ 0 };
	if (fd == -1)
		return -1;
	r = load(t, fd, text);
	fs_close(fd);
	return r;
}

enum boxtext_result
boxtext_change(const struct boxtext *t, struct boxes *b, const char *path,
    bool (*edit)(void *ctx, const struct buf *old, struct buf *new), void *ctx)
{
	int lock, fd = boxfile_begin(b->fd, path, &lock);
	enum boxtext_result r = BOXTEXT_FAILED;
	struct buf old, new;

	if (fd == -1)
		return r;
	buf_init(&new, t->max);
	if (load(t, fd, &old) == 0) {
		if (!edit(ctx, &old, &new))
			r = BOXTEXT_TOOMANY;
		else if (fs_replace(fd, t->name, buf_span(&new), 0600) == 0)
			r = BOXTEXT_OK;
	}
	buf_free(&old);
	buf_free(&new);
	boxfile_end(fd, lock);
	return r;
}

int
boxtext_copy(const struct boxtext *t, const char *from, const char *to)
{
	struct buf text;
	int r = boxtext_load(t, from, &text), fd;

	if (r == 0 && text.n > 0) {
		r = -1;
		if ((fd = fs_open_dir(to)) != -1)
			r = fs_replace(fd, t->name, buf_span(&text), 0600);
		fs_close(fd);
	}
	buf_free(&text);
	return r;
}
