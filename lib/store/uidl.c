#include "store/uidl.h"

#include <errno.h>

#include "base/grow.h"
#include "base/num.h"
#include "io/fs.h"
#include "store/format.h"

static const char file_name[] = "pneu.uidl";

struct uidl_row {
	uint32_t uid;
	struct span name;
};

void
uidl_free(struct uidl *u)
{
	buf_free(&u->text);
	free(u->row);
	*u = (struct uidl){ 0 };
}

bool
uidl_ok(struct span s)
{
	if (s.n == 0 || s.n > UIDL_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '!' || s.p[i] > '~')
			return false;
	return true;
}

/* uid TAB unique-id */
static bool
add_row(struct uidl *u, struct span line)
{
	struct uidl_row row;

	if (!num_u32(span_cut(&line, '\t'), &row.uid) || !uidl_ok(line) ||
	    (u->n > 0 && row.uid <= u->row[u->n - 1].uid))
		return false;
	row.name = line;
	u->row = grow_array(u->row, u->n, &u->cap, sizeof(row));
	u->row[u->n++] = row;
	return true;
}

static bool
parse(struct uidl *u, uint32_t uidvalidity)
{
	struct span s = buf_span(&u->text);
	uint32_t validity = 0;

	span_cut(&s, '\n');
	if (!num_u32(span_cut(&s, '\n'), &validity))
		return false;
	if (validity != uidvalidity)
		return true;
	while (s.n > 0)
		if (!add_row(u, span_cut(&s, '\n')))
			return false;
	return true;
}

int
uidl_parse(struct uidl *u, uint32_t uidvalidity)
{
	int err = EILSEQ;

	switch (format_of(buf_span(&u->text), "uidl")) {
	case FORMAT_OK:
		if (parse(u, uidvalidity))
			return 0;
		break;
	case FORMAT_NEWER:
		err = EPROTO;
		break;
	case FORMAT_BAD:
		break;
	}
	uidl_free(u);
	errno = err;
	return -1;
}

int
uidl_read(struct uidl *u, int dirfd, uint32_t uidvalidity)
{
	int err;

	buf_init(&u->text, UIDL_FILE_MAX);
	if (fs_read(dirfd, file_name, &u->text) == 0)
		return uidl_parse(u, uidvalidity);
	err = errno;
	uidl_free(u);
	errno = err;
	return err == ENOENT ? 0 : -1;
}

struct span
uidl_find(const struct uidl *u, uint32_t uid)
{
	size_t lo = 0, hi = u->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (u->row[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < u->n && u->row[lo].uid == uid ? u->row[lo].name : SPAN("");
}

int
uidl_write(int dirfd, uint32_t uidvalidity, struct span lines)
{
	struct buf b;
	int r = -1;

	buf_init(&b, UIDL_FILE_MAX);
	buf_printf(&b, "pneu-uidl 1\n%lu\n", (unsigned long)uidvalidity);
	buf_put(&b, lines);
	errno = EFBIG;
	if (!b.over)
		r = fs_replace(dirfd, file_name, buf_span(&b), 0600);
	buf_free(&b);
	return r;
}
