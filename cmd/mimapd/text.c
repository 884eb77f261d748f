/*
 * The text of a message that comes in: CRLF becomes LF.  In a literal8
 * (RFC 3516) there may be parts that are binary: where one does not survive
 * as lines it becomes base64.
 */
#include <errno.h>
#include <unistd.h>

#include "append.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "mail/unbinary.h"

/* NUL, and a CR or LF that is no CRLF: is it lines? */
static void
look(struct append *a, struct span s)
{
	bool cr = a->after_cr;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\0')
			a->nul = true;
		if (cr != (s.p[i] == '\n'))
			a->odd = true;
		cr = s.p[i] == '\r';
	}
}

/* A bare CR or LF is kept; CRLF becomes LF. */
void
append_text(struct append *a, struct span s)
{
	struct maildir_file *f = &a->f->file;

	if (a->spool != -1) {
		look(a, s);
		if (write_all(a->spool, s.p, s.n, DEADLINE_NEVER) == -1)
			f->out.err = errno;
	}
	while (s.n > 0) {
		size_t n = span_chr(s, '\r');

		if (a->after_cr && *s.p != '\n')
			maildir_write(f, SPAN("\r"));
		a->after_cr = n < s.n;
		if (n > 0)
			maildir_write(f, span_take(&s, n));
		if (a->after_cr)
			span_take(&s, 1);
	}
}

bool
append_binary(struct append *a)
{
	char tmp[LIMIT_PATH + 8];

	snprintf(tmp, sizeof(tmp), "%s/tmp", a->f->md.path);
	a->spool = fs_unnamed(tmp);
	return a->spool != -1 || append_failed(a);
}

void
append_text_drop(struct append *a)
{
	if (a->spool != -1)
		close(a->spool);
	a->spool = -1;
	a->nul = a->odd = a->after_cr = false;
}

/* Write it again, its binary parts in base64: 1; 0 when it is no MIME. */
static int
convert(struct append *a)
{
	static struct unbinary u;
	static char buf[16384];
	enum unbinary_result r = UNBINARY_MORE;
	struct span piece, out;
	struct arena arena;
	bool end = false;
	struct in in;
	int got = 1;

	if (lseek(a->spool, 0, SEEK_SET) == -1)
		return -1;
	folder_append_drop(a->f);
	if (folder_append_create(a->f) == -1)
		return -1;
	arena_init(&arena, LIMIT_IMAP_ARENA);
	unbinary_init(&u, &arena);
	in_init(&in, a->spool, buf, sizeof(buf));
	while (!end && r != UNBINARY_BAD && (got = in_next(&in, &piece)) >= 0) {
		end = got == 0;
		if (end) {
			piece = SPAN("");
			unbinary_end(&u);
		}
		while ((r = unbinary_next(&u, &piece, &out)) == UNBINARY_PIECE)
			maildir_write(&a->f->file, out);
	}
	arena_free(&arena);
	return got == -1 ? -1 : r != UNBINARY_BAD;
}

/* Write it again as it came. */
static int
again(struct append *a)
{
	int spool = a->spool, r;
	static char buf[16384];
	struct span piece;
	struct in in;

	folder_append_drop(a->f);
	if (lseek(spool, 0, SEEK_SET) == -1 || folder_append_create(a->f) == -1)
		return -1;
	in_init(&in, spool, buf, sizeof(buf));
	a->spool = -1;
	a->after_cr = false;
	while ((r = in_next(&in, &piece)) == 1)
		append_text(a, piece);
	a->spool = spool;
	return r;
}

/* False when it is answered. */
static bool
encode(struct append *a)
{
	int r = convert(a);

	if (r == 0 && a->nul) {
		imap_reply(a->im,
		    "NO [UNKNOWN-CTE] It has a NUL, but not in a part that "
		    "is binary");
		return false;
	}
	if (r == 1)
		a->after_cr = false;
	if (r == 0)
		r = again(a);
	return r != -1 || append_failed(a);
}

bool
append_text_end(struct append *a)
{
	bool ok = true;

	if (a->spool != -1 && (a->nul || a->odd || a->after_cr))
		ok = encode(a);
	if (ok && a->after_cr)
		maildir_write(&a->f->file, SPAN("\r"));
	append_text_drop(a);
	return ok;
}
