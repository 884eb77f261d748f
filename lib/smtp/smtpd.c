#include "smtp/smtpd.h"

#include "smtp/smtpd_cmd.h"

enum {
	OUT_MAX = 65536,
	OUT_HIGH = 16384,    /* ask for a flush from here */
	SCRATCH_MAX = 131072 /* half of it for BINARYMIME alone */
};

void
smtpd_init(struct smtpd *s, const struct smtpd_conf *conf)
{
	*s = (struct smtpd){ .conf = *conf, .asked = SMTPD_MORE };
	buf_init(&s->out, OUT_MAX);
	buf_init(&s->rcpts, LIMIT_MAIL_RCPTS);
	buf_init(&s->rcpt_args, LIMIT_RCPT_ARGS);
	arena_init(&s->scratch, SCRATCH_MAX);
}

void
smtpd_free(struct smtpd *s)
{
	buf_free(&s->out);
	buf_free(&s->rcpts);
	buf_free(&s->rcpt_args);
	arena_free(&s->scratch);
}

void
smtpd_greet(struct smtpd *s)
{
	buf_printf(&s->out, "220 %s %s\r\n", s->conf.host,
	    s->conf.lmtp ? "LMTP" : "ESMTP");
}

void
smtpd_resume(struct smtpd *s, struct span helo, bool esmtp)
{
	if (helo.n > 0 && span_cstr(helo, s->helo, sizeof(s->helo))) {
		s->state = SMTPD_READY;
		s->esmtp = esmtp;
	}
	smtpd_reply(s, SMTP_AUTH_OK);
}

void
smtpd_tls_started(struct smtpd *s)
{
	smtpd_reset(s);
	s->state = SMTPD_NEW;
	s->helo[0] = '\0';
	s->esmtp = false;
	s->conf.tls_active = true;
}

void
smtpd_bye(struct smtpd *s, enum smtp_reply r)
{
	s->asked = SMTPD_MORE;
	smtpd_reply(s, r);
	s->state = SMTPD_CLOSED;
}

static void
put_line(struct buf *b, int code, char sep, struct span text)
{
	size_t at;

	buf_printf(b, "%03d%c", code % 1000, sep);
	at = b->n;
	if (text.n > LIMIT_REPLY_TEXT)
		text.n = LIMIT_REPLY_TEXT;
	if (!buf_put(b, text))
		return;
	for (; at < b->n; at++)
		if (!is_print(b->p[at]))
			b->p[at] = '?';
	buf_puts(b, "\r\n");
}

static void
add_rcpt(struct smtpd *s)
{
	buf_puts(&s->rcpts, s->rcpt);
	buf_putc(&s->rcpts, '\n');
	buf_puts(&s->rcpt_args, s->rcpt_arg);
	buf_putc(&s->rcpt_args, '\n');
	s->nrcpt++;
	s->state = SMTPD_RCPTS;
}

static void
drop_last_line(struct buf *b)
{
	struct span all = { b->p, b->n - 1 };
	size_t n = span_rchr(all, '\n');

	b->n = n < all.n ? n + 1 : 0;
}

void
smtpd_pass_over(struct smtpd *s)
{
	drop_last_line(&s->rcpts);
	drop_last_line(&s->rcpt_args);
	s->nrcpt--;
}

void
smtpd_put_line(struct smtpd *s, int code, struct span text)
{
	put_line(&s->out, code, ' ', text);
}

bool
smtpd_in_message(const struct smtpd *s)
{
	return s->state == SMTPD_IN_BODY || s->state == SMTPD_CHUNKS ||
	    (s->state == SMTPD_IN_CHUNK && !s->stray);
}

static unsigned
count_lines(struct span s)
{
	unsigned n = 0;

	while (s.n > 0 && span_chr(s, '\n') < s.n) {
		span_cut(&s, '\n');
		n++;
	}
	return n;
}

bool
smtpd_set_rcpts(struct smtpd *s, struct span rcpts, struct span args)
{
	unsigned n = count_lines(rcpts);

	if (n == 0 || n > LIMIT_SMTP_RCPTS || n != count_lines(args) ||
	    rcpts.n > LIMIT_MAIL_RCPTS || args.n > LIMIT_RCPT_ARGS)
		return false;
	buf_clear(&s->rcpts);
	buf_clear(&s->rcpt_args);
	s->nrcpt = n;
	return buf_put(&s->rcpts, rcpts) && buf_put(&s->rcpt_args, args);
}

static void
begin_body(struct smtpd *s)
{
	s->state = s->bdat ? SMTPD_IN_CHUNK : SMTPD_IN_BODY;
	s->dotin = (struct dotin){ 0 };
	s->crlf = (struct crlfin){ 0 };
	s->ended = false;
	if (s->binary && s->unbinary == NULL)
		s->unbinary = arena_alloc(&s->scratch, sizeof(*s->unbinary));
	if (s->binary)
		unbinary_init(s->unbinary, &s->scratch);
	s->size = 0;
	s->owed = s->conf.lmtp ? s->nrcpt : 1;
}

/* What was asked is decided: the one place where that moves the state. */
static void
decide(struct smtpd *s, int code)
{
	enum smtpd_event asked = s->asked;

	s->asked = SMTPD_MORE;
	switch (asked) {
	case SMTPD_MAIL:
		if (code / 100 == 2) {
			s->state = SMTPD_SENDER;
			s->failed = false;
			s->mails++;
		}
		break;
	case SMTPD_RCPT:
		if (code / 100 == 2)
			add_rcpt(s);
		else
			s->tried++;
		break;
	case SMTPD_DATA:
		if (code == 354)
			begin_body(s);
		else if (s->bdat && s->state != SMTPD_CLOSED)
			s->state = SMTPD_IN_CHUNK;
		break;
	case SMTPD_END:
		if (code / 100 == 2)
			s->errors = 0;
		if (--s->owed > 0)
			s->asked = SMTPD_END;
		else
			smtpd_reset(s);
		break;
	case SMTPD_MORE:
	case SMTPD_FLUSH:
	case SMTPD_BODY:
	case SMTPD_ABORT:
	case SMTPD_XCLIENT:
	case SMTPD_TLS:
	case SMTPD_CLOSE:
		break;
	}
}

void
smtpd_say(struct smtpd *s, int code, struct span text)
{
	if (s->asked == SMTPD_DATA && s->bdat &&
	    s->state != SMTPD_CLOSED) { /* behind the chunk */
		if (code != 354)
			smtpd_refuse(s, code, text);
		decide(s, code);
		return;
	}
	do {
		struct span line = span_cut(&text, '\n');

		put_line(&s->out, code, text.n > 0 ? '-' : ' ', line);
	} while (text.n > 0);
	decide(s, code);
	if (code / 100 != 5 || s->state == SMTPD_CLOSED ||
	    s->asked == SMTPD_END || ++s->errors < LIMIT_SMTP_ERRORS)
		return;
	s->state = SMTPD_CLOSED;
	smtpd_reply(s, SMTP_TOO_MANY_ERRORS);
}

void
smtpd_turn_away(struct smtpd *s, int code, struct span text)
{
	s->state = SMTPD_CLOSED;
	smtpd_say(s, code, text);
}

void
smtpd_reply(struct smtpd *s, enum smtp_reply r)
{
	const struct smtp_text *t = smtp_text(r);

	smtpd_say(s, t->code, span_of(t->text));
}

void
smtpd_refuse(struct smtpd *s, int code, struct span text)
{
	struct buf b = { s->refusal, 0, sizeof(s->refusal),
		sizeof(s->refusal) - 1, false };

	put_line(&b, code, ' ', span_cut(&text, '\n'));
	s->refusal[b.n - 2] = '\0'; /* without the line end */
}

int
smtpd_refusal(const struct smtpd *s, char refusal[LIMIT_SMTP_REPLY])
{
	memcpy(refusal, s->refusal, sizeof(s->refusal));
	return (refusal[0] - '0') * 100 + (refusal[1] - '0') * 10 +
	    (refusal[2] - '0');
}

/* The dot came: say the refusal, or let the caller decide. */
static enum smtpd_event
end_body(struct smtpd *s)
{
	char refusal[sizeof(s->refusal)];
	int code;

	s->asked = SMTPD_END;
	if (s->refusal[0] == '\0')
		return SMTPD_END;
	code = smtpd_refusal(s, refusal);
	while (s->asked == SMTPD_END)
		smtpd_say(s, code, span_of(refusal + 4));
	return SMTPD_MORE;
}

/* Octets on the wire of a piece that dotin gave: a LF was a CRLF. */
static uint64_t
wire_size(struct span piece)
{
	return piece.n + (*piece.p == '\n');
}

static bool
body(struct smtpd *s, struct span *in, enum smtpd_event *event)
{
	const struct smtp_text *big = smtp_text(SMTP_TOO_BIG);
	bool refused = s->refusal[0] != '\0';

	switch (dotin_next(&s->dotin, in, &s->piece)) {
	case DOTIN_MORE:
		*event = SMTPD_MORE;
		return true;
	case DOTIN_PIECE:
		if (refused)
			return false;
		s->size += wire_size(s->piece);
		*event = SMTPD_BODY;
		if (s->conf.size_max > 0 && s->size > s->conf.size_max) {
			smtpd_refuse(s, big->code, span_of(big->text));
			s->aborted = SMTP_TOO_BIG;
			*event = SMTPD_ABORT;
		}
		return true;
	case DOTIN_END:
		*event = end_body(s);
		return *event != SMTPD_MORE;
	case DOTIN_BARE:
		smtpd_bye(s, SMTP_BARE);
		s->aborted = SMTP_BARE;
		*event = SMTPD_ABORT;
		return !refused;
	}
	return false;
}

/*
 * One command line.  False when it was answered and there may be more;
 * true with what the caller must know.
 */
static bool
command(struct smtpd *s, struct span *in, enum smtpd_event *event)
{
	struct span line = { in->p, span_chr(*in, '\n') };
	struct arena_mark mark = arena_mark(&s->scratch);
	size_t n = span_chr(line, '\r');

	*event = SMTPD_MORE;
	s->overlong = s->overlong || n > LIMIT_SMTP_LINE;
	if (n + 1 >= in->n && (n == in->n || in->p[n] == '\r')) {
		if (s->overlong)
			span_take(in, n); /* the CR decides later */
		return true;
	}
	if (in->p[n] == '\n' || in->p[n + 1] != '\n') {
		smtpd_bye(s, SMTP_BARE_COMMAND);
		return false;
	}
	line = span_take(in, n);
	span_take(in, 2);
	if (s->overlong) {
		s->overlong = false;
		smtpd_reply(s, SMTP_LONG_LINE);
		return false;
	}
	*event = smtpd_command(s, line, in);
	arena_release(&s->scratch, mark);
	if (*event == SMTPD_MAIL || *event == SMTPD_RCPT ||
	    *event == SMTPD_DATA)
		s->asked = *event;
	return *event != SMTPD_MORE;
}

enum smtpd_event
smtpd_next(struct smtpd *s, struct span *in)
{
	enum smtpd_event event;

	do {
		if (s->out.n >= OUT_HIGH)
			return SMTPD_FLUSH;
		if (s->state == SMTPD_CLOSED)
			return SMTPD_CLOSE;
	} while (!(s->state == SMTPD_IN_BODY ? body(s, in, &event)
		: s->state == SMTPD_IN_CHUNK ? smtpd_chunk(s, in, &event)
					     : command(s, in, &event)));
	return event;
}
