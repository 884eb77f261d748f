#include "pop3/ascii.h"

#include "base/enc.h"
#include "mail/utf8.h"

/* An encoded word has 75 characters at most: RFC 2047, section 2. */
enum { CHUNK = 42 };

void
pop3_ascii_init(struct pop3_ascii *a)
{
	*a = (struct pop3_ascii){ 0 };
	buf_init(&a->line, POP3_ASCII_LINE);
	/* "\xe9 a " becomes "=?unknown-8bit?B?6Q==?= a " */
	buf_init(&a->words, (size_t)POP3_ASCII_LINE * 8);
}

void
pop3_ascii_free(struct pop3_ascii *a)
{
	buf_free(&a->line);
	buf_free(&a->words);
}

static bool
has_8bit(struct span s)
{
	uint64_t word;

	for (; s.n >= sizeof(word); span_take(&s, sizeof(word))) {
		memcpy(&word, s.p, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			return true;
	}
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

bool
pop3_ascii_plain(struct span s)
{
	const char *begun = s.p;

	while (s.n > 0) {
		struct span line = span_cut(&s, '\n');

		if (line.n == 0 || span_is(line, "\r"))
			return !has_8bit(
			    (struct span){ begun, (size_t)(line.p - begun) });
	}
	return false;
}

/* So much of s as fits into one encoded word, no character cut. */
static struct span
chunk(struct span *s, bool utf8)
{
	size_t n = s->n < CHUNK ? s->n : CHUNK;

	while (utf8 && n < s->n && n > CHUNK - 4 &&
	    ((unsigned char)s->p[n] & 0xc0) == 0x80)
		n--;
	return span_take(s, n);
}

/* "=?" charset "?B?" encoded-text "?=", folded between two of them. */
static void
put_encoded(struct buf *b, struct span s)
{
	bool utf8 = utf8_valid(s), first = true;

	if (s.n > 2 && *s.p == '"' && s.p[s.n - 1] == '"') {
		s.p++;
		s.n -= 2;
	}
	for (; s.n > 0; first = false) {
		buf_puts(b, first ? "" : "\n ");
		buf_puts(b, utf8 ? "=?UTF-8?B?" : "=?unknown-8bit?B?");
		enc_base64(b, chunk(&s, utf8));
		buf_puts(b, "?=");
	}
}

static struct span
next_word(struct span s)
{
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]))
		n++;
	return (struct span){ s.p, n };
}

static size_t
blanks(struct span s)
{
	size_t n = 0;

	while (n < s.n && is_blank(s.p[n]))
		n++;
	return n;
}

/*
 * Words of 8-bit bytes that follow each other are encoded together, since
 * the blanks between two encoded words are not shown.
 */
static size_t
run_length(struct span s)
{
	size_t n = next_word(s).n, gap;
	struct span rest, word;

	for (;;) {
		rest = (struct span){ s.p + n, s.n - n };
		gap = blanks(rest);
		span_take(&rest, gap);
		word = next_word(rest);
		if (!has_8bit(word))
			return n;
		n += gap + word.n;
	}
}

/* A line without its end. */
static void
encode(struct buf *b, struct span s)
{
	struct span word;

	while (s.n > 0) {
		buf_put(b, span_take(&s, blanks(s)));
		word = next_word(s);
		if (has_8bit(word))
			put_encoded(b, span_take(&s, run_length(s)));
		else
			buf_put(b, span_take(&s, word.n));
	}
}

static struct span
line_done(struct pop3_ascii *a, struct span line)
{
	struct span end = { line.p + line.n, 0 };

	if (span_is(line, "\n") || span_is(line, "\r\n"))
		a->in_body = true;
	if (!has_8bit(line))
		return line;
	while (line.n > 0 &&
	    (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r')) {
		line.n--;
		end.p--;
		end.n++;
	}
	buf_clear(&a->words);
	encode(&a->words, line);
	buf_put(&a->words, end);
	return buf_span(&a->words);
}

bool
pop3_ascii_next(struct pop3_ascii *a, struct span *in, struct span *piece)
{
	size_t n;

	if (in->n == 0)
		return false;
	if (a->in_body) {
		*piece = span_take(in, in->n);
		return true;
	}
	n = span_chr(*in, '\n');
	n += n < in->n;
	if (a->line.n == 0 && n <= POP3_ASCII_LINE && in->p[n - 1] == '\n') {
		*piece = line_done(a, span_take(in, n));
		return true;
	}
	if (n > POP3_ASCII_LINE - a->line.n) /* goes on as one more line */
		n = POP3_ASCII_LINE - a->line.n;
	buf_put(&a->line, span_take(in, n));
	if (a->line.n < POP3_ASCII_LINE && a->line.p[a->line.n - 1] != '\n')
		return pop3_ascii_next(a, in, piece);
	*piece = pop3_ascii_end(a);
	return true;
}

struct span
pop3_ascii_end(struct pop3_ascii *a)
{
	struct span line = buf_span(&a->line);

	a->line.n = 0;
	return line_done(a, line);
}
