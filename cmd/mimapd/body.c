/* The file of a message: its parts, and its bytes as they go out. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imap.h"
#include "io/deadline.h"
#include "io/log.h"
#include "mail/wire.h"

enum { READ_SIZE = 32768 };

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
	int fd;

	if (b->fd != -1 && b->uid == uid && b->i == i)
		return 0;
	body_close(im);
	fd = folder_open_msg(im->folder, i);
	if (fd == -1)
		return -1;
	*b = (struct body){ .fd = fd, .i = i, .uid = uid };
	arena_init(&b->arena, LIMIT_IMAP_ARENA);
	return 0;
}

int
body_seek(struct imap *im, uint64_t file, struct in *in)
{
	in_init(in, im->body.fd, read_buf, sizeof(read_buf));
	return lseek(im->body.fd, (off_t)file, SEEK_SET) == -1 ? -1 : 0;
}

struct mime_part *
body_tree(struct imap *im)
{
	static struct mime m;
	struct body *b = &im->body;
	struct span piece;
	struct in in;
	int r;

	if (b->tree != NULL)
		return b->tree;
	if (body_seek(im, 0, &in) == -1)
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

void
body_send(struct imap *im, struct mime_at start, uint64_t from, uint64_t to)
{
	struct body *b = &im->body;
	struct wire w = { 0 };
	uint64_t file = start.file, wire = start.wire;
	struct span piece;
	struct in in;

	if (b->at_wire > wire && b->at_wire <= from) {
		file = b->at_file;
		wire = b->at_wire;
		w.after_cr = b->at_cr;
	}
	if (body_seek(im, file, &in) == -1)
		wire = to;
	while (wire < to && in_next(&in, &piece) == 1) {
		im->out.deadline = deadline_in(TIME_IMAP_IDLE);
		while (wire < to) {
			size_t n = piece.n;
			bool cr = w.after_cr;
			struct span s;

			if (!wire_next(&w, &piece, &s))
				break;
			b->at_file = file;
			b->at_wire = wire;
			b->at_cr = cr;
			file += n - piece.n;
			wire += s.n;
			if (wire > to)
				s.n -= (size_t)(wire - to);
			if (wire <= from)
				continue;
			if (b->at_wire < from)
				span_take(&s, (size_t)(from - b->at_wire));
			put(im, s);
		}
	}
	if (wire < to)
		fill_up(im, to - (wire > from ? wire : from));
}
