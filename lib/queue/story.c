#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/enc.h"
#include "base/num.h"
#include "io/deadline.h"
#include "queue/queued.h"

bool
story_parse(struct span line, struct story *s)
{
	struct span time = span_cut(&line, '\t'), n = span_cut(&line, '\t');
	uint32_t v;

	if (!date_parse_rfc3339(time, &s->time) || !num_u32(n, &v))
		return false;
	s->n = v;
	s->route = span_cut(&line, '\t');
	s->rcpt = span_cut(&line, '\t');
	s->code = span_cut(&line, '\t');
	s->text = line;
	return s->code.n > 0;
}

/* Text as it can stand in a line of its own. */
static void
put_clean(struct buf *b, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')
			continue;
		buf_putc(b,
		    c == '\n' || c == '\t'     ? ' '
			: c < ' ' || c == 0x7f ? '?'
					       : (char)c);
	}
}

void
story_put(struct buf *b, int64_t time, unsigned n, const char *route,
    struct span rcpt, struct span code, struct span text)
{
	char date[DATE_RFC3339_SIZE];

	buf_puts(b, date_rfc3339(time, date));
	buf_putc(b, '\t');
	buf_putu(b, n);
	buf_putc(b, '\t');
	enc_pct(b, span_of(route));
	buf_putc(b, '\t');
	enc_pct(b, rcpt);
	buf_putc(b, '\t');
	buf_put(b, code);
	buf_putc(b, '\t');
	put_clean(b, text);
	buf_putc(b, '\n');
}

void
story_remark(struct buf *b, struct span text)
{
	while (text.n > 0) {
		buf_puts(b, "  ");
		put_clean(b, span_cut(&text, '\n'));
		buf_putc(b, '\n');
	}
}

int
story_append(struct queue *q, const char *id, struct span text)
{
	char name[MAIL_ID_LEN + 8];
	int fd, r;

	if (text.n == 0)
		return 0;
	snprintf(name, sizeof(name), "%.16s.log", id);
	fd = openat(q->fd, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	r = write_all(fd, text.p, text.n, DEADLINE_NEVER);
	close(fd);
	return r;
}

bool
story_read(struct queue *q, const char *id, struct buf *b)
{
	char name[MAIL_ID_LEN + 8];
	struct stat st;
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), "%.16s.log", id);
	fd = openat(q->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == 0) {
		size_t want = b->max - b->n;
		off_t at = 0;

		if ((uint64_t)st.st_size < want)
			want = (size_t)st.st_size;
		else
			at = st.st_size - (off_t)want;
		n = pread(fd, buf_room(b, want), want, at);
		if (n > 0)
			b->n += (size_t)n;
	}
	close(fd);
	return n > 0;
}

bool
story_last(struct span text, struct story *s)
{
	while (text.n > 0) {
		size_t at;

		if (text.p[text.n - 1] == '\n')
			text.n--;
		at = span_rchr(text, '\n');
		if (at == text.n)
			return story_parse(text, s);
		if (story_parse(
			(struct span){ text.p + at + 1, text.n - at - 1 }, s))
			return true;
		text.n = at + 1;
	}
	return false;
}
