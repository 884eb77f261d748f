#include "queue/job.h"

#include "base/enc.h"

/* Take a field off the line and decode it into the arena. */
static bool
field(struct arena *a, struct span *line, struct span *to)
{
	struct span raw = span_cut(line, '\t');
	struct buf b = { .max = raw.n };
	bool ok;

	if (raw.n == 0 || raw.n > arena_left(a)) {
		*to = SPAN("");
		return raw.n == 0;
	}
	ok = dec_pct(&b, raw);
	if (ok)
		*to = arena_span(a, buf_span(&b));
	buf_free(&b);
	return ok;
}

static const char *
text_field(struct arena *a, struct span *line)
{
	struct span s;

	if (!field(a, line, &s) || s.n == 0 || span_chr(s, '\0') < s.n)
		return NULL;
	return arena_str(a, s);
}

static bool
take_id(struct span *line, char id[MAIL_ID_LEN + 1])
{
	struct span s = span_cut(line, '\t');

	return ident_is_mail(s) && span_cstr(s, id, MAIL_ID_LEN + 1);
}

bool
job_parse(struct arena *a, struct span line, struct job *j)
{
	*j = (struct job){ .nrcpts = 0 };
	if (line.n > LIMIT_JOB_LINE || line.n * 2 + 8192 > arena_left(a) ||
	    !take_id(&line, j->id))
		return false;
	j->file = text_field(a, &line);
	j->route = text_field(a, &line);
	if (j->file == NULL || j->route == NULL)
		return false;
	j->rcpts = arena_alloc(a, LIMIT_JOB_RCPTS * sizeof(j->rcpts[0]));
	while (line.n > 0) {
		struct span *r = &j->rcpts[j->nrcpts];

		if (j->nrcpts == LIMIT_JOB_RCPTS || !field(a, &line, r) ||
		    r->n == 0)
			return false;
		j->nrcpts++;
	}
	return j->nrcpts > 0;
}

bool
job_put(struct buf *b, const struct job *j)
{
	size_t was = b->n;
	bool ok = buf_puts(b, j->id) && buf_putc(b, '\t') &&
	    enc_pct(b, span_of(j->file)) && buf_putc(b, '\t') &&
	    enc_pct(b, span_of(j->route));

	for (size_t i = 0; ok && i < j->nrcpts; i++)
		ok = buf_putc(b, '\t') && enc_pct(b, j->rcpts[i]);
	ok = ok && buf_putc(b, '\n') && b->n - was <= LIMIT_JOB_LINE;
	if (!ok)
		b->n = was;
	return ok;
}

static bool
take_digits(struct span *s, size_t max)
{
	size_t n = 0;

	while (n < s->n && is_digit(s->p[n]))
		n++;
	span_take(s, n);
	return n > 0 && n <= max;
}

/* status-code = class "." 1*3digit "." 1*3digit */
bool
result_code_ok(struct span s)
{
	if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
		return false;
	span_take(&s, 1);
	if (*s.p != '.')
		return false;
	span_take(&s, 1);
	if (!take_digits(&s, 3) || s.n == 0 || *s.p != '.')
		return false;
	span_take(&s, 1);
	return take_digits(&s, 3) && s.n == 0;
}

bool
result_parse(struct arena *a, struct span line, struct result *r)
{
	*r = (struct result){ .status = TEMP };
	if (line.n > LIMIT_RESULT_LINE || line.n > arena_left(a) / 2 ||
	    !take_id(&line, r->id))
		return false;
	if (span_is(line, "-") || span_starts(line, "-\t")) {
		span_cut(&line, '\t');
		r->remark = true;
		return field(a, &line, &r->text) && line.n == 0;
	}
	if (!field(a, &line, &r->rcpt) || r->rcpt.n == 0)
		return false;
	r->code = arena_span(a, span_cut(&line, '\t'));
	if (!result_code_ok(r->code))
		return false;
	r->status = *r->code.p == '2' ? OK : *r->code.p == '5' ? PERM : TEMP;
	return field(a, &line, &r->text) && line.n == 0;
}

/* Text as far as it fits into a line that began at `was`, and LF. */
static bool
put_text(struct buf *b, size_t was, struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (b->n - was + 4 > LIMIT_RESULT_LINE)
			break;
		if (!enc_pct(b, (struct span){ text.p + i, 1 }))
			return false;
	}
	return buf_putc(b, '\n') && b->n - was <= LIMIT_RESULT_LINE;
}

bool
result_put(struct buf *b, const char *id, struct span rcpt, const char *code,
    struct span text)
{
	size_t was = b->n;
	bool ok = buf_puts(b, id) && buf_putc(b, '\t') && enc_pct(b, rcpt) &&
	    buf_putc(b, '\t') && buf_puts(b, code) && buf_putc(b, '\t') &&
	    put_text(b, was, text);

	if (!ok)
		b->n = was;
	return ok;
}

bool
remark_put(struct buf *b, const char *id, struct span text)
{
	size_t was = b->n;
	bool ok =
	    buf_puts(b, id) && buf_puts(b, "\t-\t") && put_text(b, was, text);

	if (!ok)
		b->n = was;
	return ok;
}
