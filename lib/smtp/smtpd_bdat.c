/*
 * BDAT (RFC 3030): chunks of announced lengths.  Whatever is wrong with
 * one, exactly its octets are passed over before the reply: they are never
 * taken for commands.
 */
#include "base/num.h"
#include "smtp/smtpd_cmd.h"

static bool
chunk_size(struct span word, uint64_t *n)
{
	return word.n > 0 && word.n <= 20 && num_u64(word, n) &&
	    *n <= INT64_MAX;
}

/* What is wrong with a chunk before it has come; SMTP_ACCEPTED: nothing. */
static enum smtp_reply
judge(const struct smtpd *s, enum smtpd_state was, struct span mark)
{
	uint64_t max = s->conf.size_max;

	if (was == SMTPD_NEW)
		return SMTP_HELLO_FIRST;
	if (was == SMTPD_READY)
		return SMTP_MAIL_FIRST;
	if (was == SMTPD_SENDER)
		return s->tried > 0 && !s->conf.lmtp ? SMTP_NO_RCPT
						     : SMTP_RCPT_FIRST;
	if (mark.n > 0 && !s->last)
		return SMTP_BAD_PARAM;
	if (max > 0 && (s->size > max || s->chunk > max - s->size))
		return SMTP_TOO_BIG;
	return SMTP_ACCEPTED;
}

static void
refuse(struct smtpd *s, enum smtp_reply why)
{
	const struct smtp_text *t = smtp_text(why);

	smtpd_refuse(s, t->code, span_of(t->text));
	s->aborted = why;
}

/* bdat-cmd = "BDAT" SP chunk-size [SP "LAST"] CRLF */
enum smtpd_event
smtpd_bdat(struct smtpd *s, struct span arg)
{
	struct span size = span_word(&arg), mark = span_trim(arg);
	enum smtpd_state was = s->state;
	enum smtp_reply why;

	if (!chunk_size(size, &s->chunk)) {
		smtpd_bye(s, SMTP_BAD_CHUNK);
		return SMTPD_MORE;
	}
	s->last = span_iis(mark, "LAST");
	s->stray = was != SMTPD_RCPTS && was != SMTPD_CHUNKS;
	s->back = was;
	why = judge(s, was, mark);
	if (why == SMTP_ACCEPTED && was == SMTPD_RCPTS) {
		s->bdat = true;
		return SMTPD_DATA;
	}
	s->state = SMTPD_IN_CHUNK;
	if (why == SMTP_ACCEPTED)
		return SMTPD_MORE;
	refuse(s, why);
	return was == SMTPD_CHUNKS ? SMTPD_ABORT : SMTPD_MORE;
}

/*
 * A chunk that was refused is over, and with it the transaction.  More of
 * its kind may be on their way already: those are no errors to be counted.
 */
static void
say_refusal(struct smtpd *s)
{
	char refusal[sizeof(s->refusal)];
	int code = smtpd_refusal(s, refusal);
	struct span text = span_of(refusal + 4);
	bool each = s->last && !s->stray && s->conf.lmtp;

	for (unsigned n = each ? s->nrcpt : 1; n > 1; n--)
		smtpd_put_line(s, code, text);
	if (s->failed)
		smtpd_put_line(s, code, text);
	else
		smtpd_say(s, code, text);
	s->refusal[0] = '\0';
	if (!s->stray)
		smtpd_reset(s);
	else if (s->state != SMTPD_CLOSED)
		s->state = s->back;
	s->failed = true;
}

/* A piece of the message, as text; CRLFIN_MORE when there is none. */
static enum crlfin_result
text_of(struct smtpd *s, struct span *part)
{
	if (!s->binary)
		return crlfin_next(&s->crlf, part, &s->piece);
	switch (unbinary_next(s->unbinary, part, &s->piece)) {
	case UNBINARY_MORE:
		return CRLFIN_MORE;
	case UNBINARY_PIECE:
		return CRLFIN_PIECE;
	case UNBINARY_BAD:
		break;
	}
	return CRLFIN_BARE;
}

static enum smtpd_event
say_bad(struct smtpd *s)
{
	refuse(s, s->binary ? SMTP_BAD_BINARY : SMTP_BARE);
	return SMTPD_ABORT;
}

/* The last chunk is over: what is left to be given, or the end. */
static enum smtpd_event
end_message(struct smtpd *s)
{
	struct span none = SPAN("");

	if (s->binary) {
		if (!s->ended)
			unbinary_end(s->unbinary);
		s->ended = true;
		switch (text_of(s, &none)) {
		case CRLFIN_PIECE:
			return SMTPD_BODY;
		case CRLFIN_BARE:
			return say_bad(s);
		case CRLFIN_MORE:
			break;
		}
	} else if (s->crlf.cr) {
		return say_bad(s);
	} else if (s->crlf.in_line) {
		s->crlf.in_line = false;
		s->piece = SPAN("\n");
		return SMTPD_BODY;
	}
	s->asked = SMTPD_END;
	return SMTPD_END;
}

static bool
end_chunk(struct smtpd *s, enum smtpd_event *event)
{
	char text[64];

	if (s->refusal[0] != '\0') {
		say_refusal(s);
		return false;
	}
	if (s->last) {
		*event = end_message(s);
		return true;
	}
	s->state = SMTPD_CHUNKS;
	snprintf(text, sizeof(text), "2.0.0 %llu octets so far",
	    (unsigned long long)s->size);
	smtpd_say(s, 250, span_of(text));
	return false;
}

bool
smtpd_chunk(struct smtpd *s, struct span *in, enum smtpd_event *event)
{
	struct span part = { in->p, in->n };

	if (s->chunk == 0)
		return end_chunk(s, event);
	*event = SMTPD_MORE;
	if (in->n == 0)
		return true;
	if (part.n > s->chunk)
		part.n = (size_t)s->chunk;
	if (s->refusal[0] != '\0') {
		s->chunk -= span_take(in, part.n).n;
		return false;
	}
	switch (text_of(s, &part)) {
	case CRLFIN_MORE:
		break;
	case CRLFIN_PIECE:
		*event = SMTPD_BODY;
		break;
	case CRLFIN_BARE:
		*event = say_bad(s);
		break;
	}
	part = span_take(in, (size_t)(part.p - in->p));
	s->chunk -= part.n;
	s->size += part.n;
	return *event != SMTPD_MORE;
}
