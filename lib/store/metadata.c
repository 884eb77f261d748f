#include "store/metadata.h"

#include <errno.h>

#include "base/num.h"
#include "io/fs.h"
#include "store/boxfile.h"
#include "store/journal.h"

enum {
	FILE_MAX = LIMIT_METADATA *
		(LIMIT_METADATA_VALUE + LIMIT_METADATA_ENTRY + 32) +
	    64
};

static const char of_folder[] = "pneu.metadata";
static const char of_server[] = "pneu.metadata-server";
static const char format[] = "pneu-metadata 1\n";

/* entry = "/private/..." or "/shared/...", without empty levels */
bool
metadata_entry_ok(struct span e)
{
	if (e.n > LIMIT_METADATA_ENTRY ||
	    (!span_istarts(e, "/private/") && !span_istarts(e, "/shared/")) ||
	    e.p[e.n - 1] == '/')
		return false;
	for (size_t i = 0; i < e.n; i++)
		if (!is_print(e.p[i]) || e.p[i] == ' ' || e.p[i] == '*' ||
		    e.p[i] == '%' || (e.p[i] == '/' && e.p[i + 1] == '/'))
			return false;
	return true;
}

bool
metadata_may_be(struct span e)
{
	struct span s = e, second;
	size_t levels = 0;

	if (!metadata_entry_ok(e))
		return false;
	span_take(&s, 1);
	span_cut(&s, '/');
	second = span_take(&s, span_chr(s, '/'));
	for (; s.n > 0; span_take(&s, 1))
		levels += *s.p == '/';
	return !span_iis(second, "vendor") || levels >= 2;
}

/* A file that is missing is empty, and so is one that is none of ours. */
static int
load(struct metadata *m, int fd, bool server)
{
	buf_init(&m->text, FILE_MAX);
	if (fs_read(fd, server ? of_server : of_folder, &m->text) == -1)
		return errno == ENOENT ? 0 : -1;
	switch (journal_format(buf_span(&m->text), "metadata")) {
	case JOURNAL_OK:
		return 0;
	case JOURNAL_BAD:
		buf_clear(&m->text);
		return 0;
	case JOURNAL_NEWER:
		break;
	}
	errno = EPROTO;
	return -1;
}

int
metadata_load(struct metadata *m, const char *path, bool server)
{
	int fd = fs_open_dir(path), r;

	*m = (struct metadata){ 0 };
	if (fd == -1)
		return -1;
	r = load(m, fd, server);
	fs_close(fd);
	return r;
}

void
metadata_free(struct metadata *m)
{
	buf_free(&m->text);
}

bool
metadata_next(const struct metadata *m, size_t *at, struct span *entry,
    struct span *value)
{
	struct span s = buf_span(&m->text), line;
	uint32_t n;

	if (*at == 0 && s.n > 0)
		*at = sizeof(format) - 1;
	if (*at >= s.n)
		return false;
	span_take(&s, *at);
	line = span_cut(&s, '\n');
	*entry = span_word(&line);
	/* What is behind damage is lost. */
	if (!metadata_entry_ok(*entry) || !num_u32(span_trim(line), &n) ||
	    n >= s.n || s.p[n] != '\n')
		return false;
	*value = span_take(&s, n);
	*at = m->text.n - s.n + 1;
	return true;
}

bool
metadata_get(const struct metadata *m, struct span entry, struct span *value)
{
	struct span name;
	size_t at = 0;

	while (metadata_next(m, &at, &name, value))
		if (span_ieq(name, entry))
			return true;
	return false;
}

static void
put(struct buf *b, struct span entry, struct span value)
{
	for (size_t i = 0; i < entry.n; i++)
		buf_putc(b, to_lower(entry.p[i]));
	buf_printf(b, " %zu\n", value.n);
	buf_put(b, value);
	buf_putc(b, '\n');
}

/* The last of several changes of one entry counts. */
static bool
is_changed(const struct metadata_change *c, size_t n, struct span entry)
{
	for (size_t i = 0; i < n; i++)
		if (span_ieq(c[i].entry, entry))
			return true;
	return false;
}

bool
metadata_edit(const struct metadata *old, const struct metadata_change *c,
    size_t n, struct buf *new)
{
	struct span entry, value;
	size_t at = 0, count = 0;

	buf_puts(new, format);
	while (metadata_next(old, &at, &entry, &value))
		if (!is_changed(c, n, entry)) {
			put(new, entry, value);
			count++;
		}
	for (size_t i = 0; i < n; i++)
		if (c[i].value.p != NULL &&
		    !is_changed(c + i + 1, n - i - 1, c[i].entry)) {
			put(new, c[i].entry, c[i].value);
			count++;
		}
	return count <= LIMIT_METADATA && !new->over;
}

static enum metadata_result
rewrite(int fd, bool server, const struct metadata_change *c, size_t n)
{
	enum metadata_result r = METADATA_FAILED;
	struct metadata old;
	struct buf new;

	buf_init(&new, FILE_MAX);
	if (load(&old, fd, server) == 0) {
		if (!metadata_edit(&old, c, n, &new))
			r = METADATA_TOOMANY;
		else if (fs_replace(fd, server ? of_server : of_folder,
			     buf_span(&new), 0600) == 0)
			r = METADATA_OK;
	}
	metadata_free(&old);
	buf_free(&new);
	return r;
}

enum metadata_result
metadata_set(struct boxes *b, const char *path, bool server,
    const struct metadata_change *c, size_t n)
{
	int lock, fd = boxfile_begin(b->fd, path, &lock);
	enum metadata_result r;

	if (fd == -1)
		return METADATA_FAILED;
	r = rewrite(fd, server, c, n);
	boxfile_end(fd, lock);
	return r;
}

int
metadata_copy(const char *from, const char *to)
{
	struct metadata m;
	int r = metadata_load(&m, from, false), fd;

	if (r == 0 && m.text.n > 0) {
		r = -1;
		if ((fd = fs_open_dir(to)) != -1)
			r = fs_replace(fd, of_folder, buf_span(&m.text), 0600);
		fs_close(fd);
	}
	metadata_free(&m);
	return r;
}
