#include <errno.h>
#include <unistd.h>

#include "io/spool.h"
#include "mail/addr.h"
#include "mail/header.h"
#include "mail/intake.h"
#include "mdeliver.h"
#include "queue/envelope.h"
#include "queue/job.h"

enum { CHUNK = 32768, FIELD_MAX = 1024 };

int
source_open_queued(struct source *s, const char *file)
{
	*s = (struct source){ .fd = job_open(file), .queued = true };
	if (s->fd == -1)
		return -1;
	snprintf(s->id, sizeof(s->id), "%s", strrchr(file, '/') + 1);
	return 0;
}

void
source_open_stdin(struct source *s, const char *sender)
{
	*s = (struct source){ .fd = -1 };
	if (!span_cstr(span_of(sender), s->sender, sizeof(s->sender)))
		die(EXIT_USAGE, "-f: address too long");
	s->fd = spool_stdin(&s->at);
	if (!spool_committed())
		die(EXIT_TEMP, "the message was not committed");
}

const char *
source_sender(struct source *s)
{
	static struct arena a;
	struct envelope e;

	if (!s->queued)
		return s->sender;
	arena_init(&a, ENVELOPE_ARENA);
	if (envelope_read(s->fd, &a, &e) == -1 ||
	    !span_cstr(e.sender, s->sender, sizeof(s->sender))) {
		arena_free(&a);
		return NULL;
	}
	s->at = (off_t)e.message_at;
	s->queued = false; /* it is known now */
	arena_free(&a);
	return s->sender;
}

struct reader {
	struct intake intake;
	struct header header; /* looks for Delivered-To beside the intake */
	bool header_done, loop;
	struct span address;
	void (*put)(void *ctx, struct span);
	void *ctx;
};

static void
look_for_loop(struct reader *r, struct span piece)
{
	while (!r->header_done) {
		switch (header_next(&r->header, &piece)) {
		case HEADER_MORE:
			return;
		case HEADER_FIELD:
			if (span_iis(r->header.name, "Delivered-To") &&
			    span_ieq(span_trim(r->header.body), r->address))
				r->loop = true;
			break;
		case HEADER_END:
			r->header_done = true;
			break;
		}
	}
}

static void
pass(struct reader *r, struct span piece)
{
	struct span part;

	if (r->intake.done) {
		r->put(r->ctx, piece);
		return;
	}
	look_for_loop(r, piece);
	for (;;) {
		switch (intake_next(&r->intake, &piece, &part)) {
		case INTAKE_MORE:
			if (r->intake.done && piece.n > 0)
				r->put(r->ctx, piece);
			return;
		case INTAKE_PIECE:
			r->put(r->ctx, part);
			break;
		case INTAKE_END:
			if (r->intake.no_blank)
				r->put(r->ctx, SPAN("\n"));
			break;
		}
	}
}

static void
put_str(struct reader *r, const char *s)
{
	r->put(r->ctx, span_of(s));
}

/* It ends within the header, perhaps in a line that is not of it. */
static void
end_in_header(struct reader *r)
{
	struct span none = SPAN(""), part;

	if (r->intake.state == INTAKE_IN_NAME)
		put_str(r, "\n");
	intake_eof(&r->intake);
	while (!r->intake.done)
		if (intake_next(&r->intake, &none, &part) == INTAKE_PIECE)
			r->put(r->ctx, part);
}

int
source_read(struct source *s, const char *address,
    void (*put)(void *ctx, struct span), void *ctx)
{
	static char buf[CHUNK];
	struct reader r = {
		.address = span_of(address), .put = put, .ctx = ctx
	};
	const char *sender = source_sender(s);
	off_t at;

	if (sender == NULL) {
		errno = EBADMSG;
		return -1;
	}
	at = s->at;
	header_init(&r.header, FIELD_MAX);
	put_str(&r, "Return-Path: <");
	put_str(&r, sender);
	put_str(&r, ">\nDelivered-To: ");
	put_str(&r, address);
	put_str(&r, "\n");
	while (!r.loop) {
		ssize_t n = pread(s->fd, buf, sizeof(buf), at);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			header_free(&r.header);
			return -1;
		}
		if (n == 0)
			break;
		at += n;
		pass(&r, (struct span){ buf, (size_t)n });
	}
	if (!r.intake.done && !r.loop)
		end_in_header(&r);
	header_free(&r.header);
	return r.loop ? 1 : 0;
}
