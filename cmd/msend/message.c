#include <errno.h>
#include <unistd.h>

#include "mail/wire.h"
#include "msend.h"

enum { CHUNK = 65536 };

static char buf[CHUNK];

/*
 * Read a chunk.  A CR that ends it is left for the next one, where what
 * follows is seen; *n is 0 at the end.
 */
static int
chunk(const struct message *m, off_t *at, size_t *n)
{
	ssize_t r;

	do
		r = pread(m->fd, buf, sizeof(buf), *at);
	while (r == -1 && errno == EINTR);
	if (r == -1)
		return -1;
	*n = (size_t)r;
	if (r > 1 && buf[r - 1] == '\r' && (size_t)r == sizeof(buf))
		--*n;
	*at += (off_t)*n;
	return 0;
}

/*
 * A CR that no LF follows must not go out: to another server it may be
 * the end of a line.
 */
static void
no_bare_cr(size_t n)
{
	char *p = buf;

	while ((p = memchr(p, '\r', n - (size_t)(p - buf))) != NULL) {
		if ((size_t)(p - buf) + 1 == n || p[1] != '\n')
			*p = ' ';
		p++;
	}
}

void
message_asks(struct message *m)
{
	struct span v;

	m->smtputf8 = envelope_arg(m->args, "SMTPUTF8", &v);
	m->requiretls = envelope_arg(m->args, "REQUIRETLS", &v);
	m->timed = envelope_deliver_by(m->args, &m->by);
}

/* How many bytes of a piece belong to the header; last: its byte before. */
static size_t
header_part(size_t n, char last)
{
	struct span s = { buf, n };
	size_t at;

	if (n > 0 && last == '\n' && (buf[0] == '\n'))
		return 0;
	at = span_find(s, SPAN("\n\n"));
	if (span_find(s, SPAN("\n\r\n")) < at)
		at = span_find(s, SPAN("\n\r\n"));
	return at;
}

static bool
any_8bit(size_t n)
{
	unsigned char seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= (unsigned char)buf[i];
	return seen > 0x7f;
}

int
message_measure(struct message *m)
{
	struct wire w = { 0 };
	off_t at = m->at;
	size_t n;
	char last = '\n';
	bool header = true;

	seven_forget();
	m->eight_bit = m->header_8bit = false;
	for (;;) {
		if (chunk(m, &at, &n) == -1)
			return -1;
		if (n == 0)
			break;
		no_bare_cr(n);
		m->eight_bit |= any_8bit(n);
		if (header) {
			size_t k = header_part(n, last);

			m->header_8bit |= any_8bit(k);
			header = k == n;
			last = buf[n - 1];
		}
		wire_count(&w, (struct span){ buf, n });
	}
	wire_end(&w, true);
	m->size = w.size;
	return 0;
}

/* To the wire: what was put in, through wire_next. */
struct writer {
	struct wire wire;
	bool (*put)(void *ctx, struct span);
	void *ctx;
};

static bool
put_wire(void *ctx, struct span in)
{
	struct writer *w = ctx;
	struct span piece;

	while (wire_next(&w->wire, &in, &piece))
		if (!w->put(w->ctx, piece))
			return false;
	return true;
}

static int
put_file(const struct message *m, struct writer *w)
{
	off_t at = m->at;
	size_t n;

	for (;;) {
		if (chunk(m, &at, &n) == -1)
			return -1;
		if (n == 0)
			return 0;
		no_bare_cr(n);
		if (!put_wire(w, (struct span){ buf, n })) {
			errno = EPIPE;
			return -1;
		}
	}
}

int
message_put(const struct message *m, bool seven,
    bool (*put)(void *ctx, struct span), void *ctx)
{
	struct writer w = { { .stuff = true }, put, ctx };
	struct span end;

	if ((seven ? seven_put(m, put_wire, &w) : put_file(m, &w)) == -1)
		return -1;
	end = wire_end(&w.wire, true);
	if (end.n > 0 && !put(ctx, end)) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}
