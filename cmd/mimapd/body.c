/* The file of a message: its parts, and its bytes as they go out. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imap.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mail/wire.h"

enum { READ_SIZE = 131072 };

/* One read gets most messages, which then are looked at in here. */
static char read_buf[READ_SIZE];

void
body_close(struct imap *im)
{
	struct body *b = &im->body;

	if (b->fd == -1)
		return;
	close(b->fd);
	arena_free(&b->arena);
	*b = (struct body){ .fd = -1 };
}

int
body_open(struct imap *im, size_t i)
{
	struct body *b = &im->body;
	uint32_t uid = folder_msg(im->folder, i)->uid;
	size_t n;
	int fd;

	if (b->fd != -1 && b->uid == uid && b->i == i)
		return 0;
	body_close(im);
	fd = folder_read_msg(im->folder, i, read_buf, READ_SIZE, &n);
	if (fd == -1)
		return -1;
	*b = (struct body){ .fd = fd, .i = i, .uid = uid };
	if (n < READ_SIZE)
		b->whole = (struct span){ read_buf, n };
	arena_init(&b->arena, LIMIT_IMAP_ARENA);
	return 0;
}

int
body_seek(struct imap *im, uint64_t file, struct in *in)
{
	struct body *b = &im->body;
	struct span s;

	in_init(in, b->fd, read_buf, sizeof(read_buf));
	if (b->whole.p == NULL)
		return lseek(b->fd, (off_t)file, SEEK_SET) == -1 ? -1 : 0;
	s = b->whole;
	span_take(&s, file < s.n ? (size_t)file : s.n);
	in->data = s;
	in->eof = true;
	return 0;
}

int
body_size(struct imap *im, bool sent, uint64_t *size)
{
	struct body *b = &im->body;

	if (b->whole.p == NULL)
		return folder_measure(im->folder, b->i, b->fd, sent, size);
	if (b->size == 0)
		b->size = folder_measure_text(im->folder, b->i, b->whole);
	*size = b->size;
	return 0;
}

struct mime_part *
body_tree(struct imap *im)
{
	static struct mime m;
	struct body *b = &im->body;
	struct span piece;
	struct in in;
	uint64_t size;
	int r;

	if (b->tree != NULL)
		return b->tree;
	if (body_size(im, false, &size) == -1 || body_seek(im, 0, &in) == -1)
		return NULL;
	mime_init(&m, &b->arena);
	while ((r = in_next(&in, &piece)) == 1)
		mime_feed(&m, piece);
	b->tree = mime_end(&m);
	b->head = b->tree->body;
	b->has_head = true;
	return b->tree;
}

/* Count up to the blank line, without keeping anything. */
struct mime_at
body_head(struct imap *im)
{
	struct header h;
	struct body *b = &im->body;
	struct span piece;
	struct wire w = { 0 };
	struct in in;
	bool end = false;

	if (b->has_head)
		return b->head;
	header_init(&h, 256);
	b->head = (struct mime_at){ 0 };
	if (body_seek(im, 0, &in) == -1)
		end = true;
	while (!end && in_next(&in, &piece) == 1) {
		struct span s = piece;
		enum header_event e;

		while ((e = header_next(&h, &s)) == HEADER_FIELD)
			continue;
		end = e == HEADER_END;
		b->head.file += piece.n - s.n;
		wire_count(&w, (struct span){ piece.p, piece.n - s.n });
	}
	header_free(&h);
	b->head.wire = w.size;
	b->has_head = true;
	return b->head;
}

/* A literal may hold no NUL (RFC 3501, section 9). */
static void
put(struct imap *im, struct span s)
{
	while (s.n > 0) {
		out_put(&im->out, span_take(&s, span_chr(s, '\0')));
		if (s.n > 0) {
			span_take(&s, 1);
			out_putc(&im->out, (char)0x80);
		}
	}
}

/* The file is shorter than it was: the client was promised more. */
static void
fill_up(struct imap *im, uint64_t n)
{
	log_error("message", "it is shorter than its index says");
	while (n-- > 0)
		out_putc(&im->out, ' ');
}

/* Where a body_send is, in the file and on the wire. */
struct sending {
	struct wire w;
	uint64_t file, wire, from, to;
};

/*
 * Whole lines in the midst of what is sent, without a NUL: nearly all, and
 * each is copied once.
 */
static void
send_lines(struct imap *im, struct sending *k, struct span *piece)
{
	const char *p = piece->p, *end = piece->p + piece->n;
	uint64_t wire = k->wire;

	if (k->w.after_cr || k->wire < k->from ||
	    memchr(p, '\0', piece->n) != NULL)
		return;
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n;

		if (lf == NULL)
			break;
		n = (size_t)(lf - p);
		if (wire + n + 2 > k->to)
			break;
		if (n > 0 && lf[-1] == '\r')
			n--;
		out_put(&im->out, (struct span){ p, n });
		out_puts(&im->out, "\r\n");
		wire += n + 2;
		p = lf + 1;
		k->w.after_line = false;
	}
	k->wire = wire;
	k->file += (size_t)(p - piece->p);
	span_take(piece, (size_t)(p - piece->p));
}

/* The next run of text or the end of a line. */
static void
send_run(struct imap *im, struct sending *k, struct span *piece)
{
	struct body *b = &im->body;
	size_t n = piece->n;
	struct span s;

	b->at_file = k->file;
	b->at_wire = k->wire;
	b->at_cr = k->w.after_cr;
	if (!wire_next(&k->w, piece, &s))
		return;
	k->file += n - piece->n;
	k->wire += s.n;
	if (k->wire <= k->from)
		return;
	if (k->wire > k->to)
		s.n -= (size_t)(k->wire - k->to);
	if (b->at_wire < k->from)
		span_take(&s, (size_t)(k->from - b->at_wire));
	put(im, s);
}

/* The file is used up; the end of its last line may be missing. */
static void
send_end(struct imap *im, struct sending *k)
{
	struct span s = wire_end(&k->w, true);

	while (s.n > 0 && k->wire < k->to) {
		struct span c = span_take(&s, 1);

		if (k->wire++ >= k->from)
			out_put(&im->out, c);
	}
	if (k->wire < k->to)
		fill_up(im, k->to - (k->wire > k->from ? k->wire : k->from));
}

void
body_send(struct imap *im, struct mime_at start, uint64_t from, uint64_t to)
{
	struct body *b = &im->body;
	struct sending k = {
		.file = start.file, .wire = start.wire, .from = from, .to = to
	};
	struct span piece;
	struct in in;
	bool ok;

	if (b->at_wire > k.wire && b->at_wire <= from) {
		k.file = b->at_file;
		k.wire = b->at_wire;
		k.w.after_cr = b->at_cr;
	}
	ok = body_seek(im, k.file, &in) == 0;
	while (ok && k.wire < to && in_next(&in, &piece) == 1) {
		im->out.deadline = deadline_in(TIME_IMAP_IDLE);
		while (k.wire < to && piece.n > 0) {
			send_lines(im, &k, &piece);
			if (piece.n > 0 && k.wire < to)
				send_run(im, &k, &piece);
		}
	}
	if (k.wire < to)
		send_end(im, &k);
}
