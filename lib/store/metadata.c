#include "store/metadata.h"

#include "base/num.h"

enum {
	FILE_MAX = LIMIT_METADATA *
		(LIMIT_METADATA_VALUE + LIMIT_METADATA_ENTRY + 32) +
	    64
};

static const struct boxtext of_folder = { .name = "pneu.metadata",
	.kind = "metadata",
	.max = FILE_MAX,
	.lenient = true };
static const struct boxtext of_server = { .name = "pneu.metadata-server",
	.kind = "metadata",
	.max = FILE_MAX,
	.lenient = true };
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

int
metadata_load(struct metadata *m, const char *path, bool server)
{
	return boxtext_load(server ? &of_server : &of_folder, path, &m->text);
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

struct edit {
	const struct metadata_change *c;
	size_t n;
};

static bool
edit(void *ctx, const struct buf *old, struct buf *new)
{
	const struct edit *e = ctx;
	struct metadata m = { *old };

	return metadata_edit(&m, e->c, e->n, new);
}

enum boxtext_result
metadata_set(struct boxes *b, const char *path, bool server,
    const struct metadata_change *c, size_t n)
{
	struct edit e = { c, n };

	return boxtext_change(
	    server ? &of_server : &of_folder, b, path, edit, &e);
}

int
metadata_copy(const char *from, const char *to)
{
	return boxtext_copy(&of_folder, from, to);
}
