#include "mail/preview.h"

#include "base/enc.h"
#include "mail/addr.h"
#include "mail/utf8.h"

enum {
	FED_MAX = 262144, /* of a text that is nothing but markup */
	SPARE = 60        /* characters that may turn out to be blanks */
};

static bool
is_utf8(struct span cs)
{
	return cs.n == 0 || span_iis(cs, "utf-8") || span_iis(cs, "us-ascii") ||
	    span_iis(cs, "utf8") || span_iis(cs, "ascii") ||
	    span_iis(cs, "unknown-8bit");
}

/* As browsers do, Latin-1 is taken for what Windows has made of it. */
static bool
is_latin(struct span cs)
{
	return span_iis(cs, "iso-8859-1") || span_iis(cs, "windows-1252") ||
	    span_iis(cs, "latin1") || span_iis(cs, "cp1252");
}

static bool
is_wide(struct span cs)
{
	static const char *const names[] = { "utf-16", "utf-32", "utf-7",
		"ucs-", "iso-10646-", "iso-2022-", "hz-gb-" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_istarts(cs, names[i]))
			return true;
	return false;
}

bool
preview_begin(struct preview *v, const struct mime_part *part)
{
	const struct mime_fields *f = part->fields;
	struct span cs;

	*v = (struct preview){ .html = mime_is(part, "text", "html") };
	if (part->kind != MIME_LEAF ||
	    (!v->html && !mime_is(part, "text", "plain")))
		return false;
	if (f == NULL)
		return true;
	if (span_iis(f->disposition, "attachment"))
		return false;
	v->cte.kind = cte_kind(f->encoding);
	cs = mimefield_param(f->params, "charset");
	if (!span_cstr(cs, v->charset, sizeof(v->charset)))
		v->charset[0] = '\0';
	v->wide = is_wide(cs);
	v->state = v->html ? PREVIEW_TEXT : PREVIEW_BOL;
	return v->cte.kind != CTE_UNKNOWN;
}

/* The room is for a blank and a character. */
static void
put(struct preview *v, char c)
{
	unsigned char u = (unsigned char)c;

	if (u <= ' ' || u == 0x7f) {
		v->blank = v->n > 0;
		return;
	}
	if (v->blank)
		v->text[v->n++] = ' ';
	v->chars += (size_t)v->blank + ((u & 0xc0) != 0x80);
	v->blank = false;
	v->entities = v->entities || (v->html && c == '&');
	v->text[v->n++] = c;
}

static bool
is_one_of(struct span name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (span_is(name, *list))
			return true;
	return false;
}

/* A tag is over: what does it change? */
static void
tag_end(struct preview *v)
{
	static const char *const unseen[] = { "style", "script", "head",
		"title", "template", NULL };
	static const char *const within[] = { "a", "abbr", "b", "big", "code",
		"em", "font", "i", "small", "span", "strong", "sub", "sup",
		"tt", "u", "wbr", NULL };
	struct span name = { v->tag, v->ntag };

	v->state = PREVIEW_TEXT;
	if (is_one_of(name, unseen)) {
		v->state = PREVIEW_SKIP;
		snprintf(
		    v->skip, sizeof(v->skip), "%.*s", (int)v->ntag, v->tag);
		v->ntag = 0;
		return;
	}
	if (name.n > 0 && *name.p == '/')
		span_take(&name, 1);
	if (name.n > 0 && name.p[name.n - 1] == '/')
		name.n--;
	if (!is_one_of(name, within))
		put(v, ' ');
}

static void
tag_name(struct preview *v, char c)
{
	if (v->ntag == 0 && !is_alpha(c) && c != '/' && c != '!' && c != '?') {
		v->state = PREVIEW_TEXT;
		put(v, '<');
		put(v, c);
		return;
	}
	if (c == '>') {
		tag_end(v);
		return;
	}
	if (!is_alnum(c) && c != '/' && c != '!' && c != '-' && c != '?') {
		v->state = PREVIEW_ATTRIBUTES;
		v->quote = v->last = '\0';
		return;
	}
	if (v->ntag < PREVIEW_TAG - 1)
		v->tag[v->ntag++] = to_lower(c);
	if (span_is((struct span){ v->tag, v->ntag }, "!--")) {
		v->state = PREVIEW_COMMENT;
		v->ntag = 0;
	}
}

static void
attributes(struct preview *v, char c)
{
	if (v->quote != '\0') {
		if (c == v->quote)
			v->quote = '\0';
	} else if ((c == '"' || c == '\'') && v->last == '=') {
		v->quote = c;
	} else if (c == '>') {
		tag_end(v);
	}
	if (!is_blank(c))
		v->last = c;
}

/* Up to </style>; a head may also end at the body. */
static void
skip(struct preview *v, char c)
{
	struct span name = { v->tag, v->ntag };

	if (c == '<') {
		v->ntag = 0;
		v->tag[v->ntag++] = c;
		return;
	}
	if (v->ntag > 0 && (is_alnum(c) || c == '/')) {
		if (v->ntag < PREVIEW_TAG - 1)
			v->tag[v->ntag++] = to_lower(c);
		return;
	}
	v->ntag = 0;
	if (!(span_starts(name, "</") &&
		span_is((struct span){ name.p + 2, name.n - 2 }, v->skip)) &&
	    !(span_is(name, "<body") && strcmp(v->skip, "head") == 0))
		return;
	v->state = c == '>' ? PREVIEW_TEXT : PREVIEW_ATTRIBUTES;
	v->quote = v->last = '\0';
}

static void
markup(struct preview *v, char c)
{
	switch (v->state) {
	case PREVIEW_NAME:
		tag_name(v, c);
		break;
	case PREVIEW_ATTRIBUTES:
		attributes(v, c);
		break;
	case PREVIEW_COMMENT:
		if (c == '>' && v->ntag >= 2)
			v->state = PREVIEW_TEXT;
		v->ntag = c == '-' ? v->ntag + 1 : 0;
		break;
	case PREVIEW_SKIP:
		skip(v, c);
		break;
	case PREVIEW_BOL:
	case PREVIEW_TEXT:
	case PREVIEW_QUOTED:
		v->state = c == '<' ? PREVIEW_NAME : PREVIEW_TEXT;
		v->ntag = 0;
		if (c != '<')
			put(v, c);
		break;
	}
}

static void
plain(struct preview *v, char c)
{
	if (v->state == PREVIEW_BOL)
		v->state = c == '>' ? PREVIEW_QUOTED : PREVIEW_TEXT;
	if (c == '\n')
		v->state = PREVIEW_BOL;
	if (v->state != PREVIEW_QUOTED)
		put(v, c);
}

static bool
is_full(const struct preview *v)
{
	if (v->n + 4 > PREVIEW_ROOM || v->fed > FED_MAX)
		return true;
	return v->chars > LIMIT_PREVIEW + SPARE && !v->entities &&
	    is_utf8(span_of(v->charset));
}

/* What is text wherever it stands, and no blank. */
static bool
is_word(char c, bool html)
{
	return c > ' ' && c < 0x7f && !(html && (c == '<' || c == '&'));
}

/* A blank between two words */
static bool
is_gap(struct span s, size_t n, bool html)
{
	return s.p[n] == ' ' && n > 0 && n + 1 < s.n &&
	    is_word(s.p[n + 1], html);
}

/*
 * Put words with one blank between them as a whole, as far as there is room
 * and use for them: that is what most of a text is.  How long they were.
 */
static size_t
words(struct preview *v, struct span s)
{
	bool html = v->html;
	size_t n = 0, most = PREVIEW_ROOM - 3 - v->n - v->blank,
	       wanted = LIMIT_PREVIEW + SPARE - v->chars;

	if (v->chars >= LIMIT_PREVIEW + SPARE)
		wanted = 0;
	if (most > wanted)
		most = wanted;
	if (most > s.n)
		most = s.n;
	s.n = most;
	while (n < most && (is_word(s.p[n], html) || is_gap(s, n, html)))
		n++;
	if (n == 0)
		return 0;
	put(v, *s.p);
	memcpy(v->text + v->n, s.p + 1, n - 1);
	v->n += n - 1;
	v->chars += n - 1;
	return n;
}

static bool
filter(struct preview *v, struct span s)
{
	while (s.n > 0) {
		size_t n = 0;

		if (is_full(v))
			return false;
		if (v->state == PREVIEW_TEXT)
			n = words(v, s);
		if (n == 0) {
			n = 1;
			if (v->html)
				markup(v, *s.p);
			else
				plain(v, *s.p);
		}
		span_take(&s, n);
	}
	return true;
}

/* What must be converted before it can be read. */
static bool
collect(struct preview *v, struct span s)
{
	size_t room = PREVIEW_ROOM - v->n;

	if (s.n > room)
		s.n = room;
	memcpy(v->text + v->n, s.p, s.n);
	v->n += s.n;
	return v->n < PREVIEW_ROOM;
}

bool
preview_feed(struct preview *v, struct span in)
{
	struct span piece, part;

	while (in.n > 0) {
		/* few bytes at a time: most texts are longer than needed */
		part = span_take(&in, in.n < CTE_PIECE ? in.n : CTE_PIECE);
		v->fed += part.n;
		while (part.n > 0)
			if (cte_next(&v->cte, &part, &piece) &&
			    !(v->wide ? collect(v, piece) : filter(v, piece)))
				return false;
	}
	return !is_full(v);
}

static void
put_latin(struct buf *b, struct span s)
{
	static const uint16_t high[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e,
		0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152,
		0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
		0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d,
		0x17e, 0x178 };

	for (size_t i = 0; i < s.n; i++) {
		unsigned char u = (unsigned char)s.p[i];

		utf8_put(b, u >= 0x80 && u < 0xa0 ? high[u - 0x80] : u);
	}
}

/* The front of a character whose end was cut off. */
static bool
is_cut(struct span s)
{
	unsigned char c = s.n > 0 ? (unsigned char)*s.p : 0;
	size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c > 0xf4 || s.n >= need)
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

static bool
is_nearly_utf8(struct span s)
{
	uint32_t c;

	if (addr_is_ascii(s))
		return true;
	do {
		while (s.n > 0 && (unsigned char)*s.p < 0x80)
			span_take(&s, 1);
	} while (utf8_take(&s, &c));
	return s.n == 0 || is_cut(s);
}

/* The text as UTF-8, in b where it has to be converted. */
static struct span
convert(const struct preview *v, const struct encword_charset *charsets,
    struct buf *b, bool *known)
{
	struct span cs = span_of(v->charset), s = { v->text, v->n };

	*known = true;
	if (is_latin(cs) || (is_utf8(cs) && !is_nearly_utf8(s))) {
		put_latin(b, s);
		return buf_span(b);
	}
	if (is_utf8(cs))
		return s;
	if (charsets != NULL && charsets->convert(charsets->ctx, cs, s, b))
		return buf_span(b);
	*known = !v->wide && addr_is_ascii(s);
	return s;
}

/* "&" name ";" / "&#" number ";", or the "&" itself */
static uint32_t
entity(struct span *s)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint32_t c;
	} names[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
		{ "apos", '\'' }, { "nbsp", ' ' }, { "zwnj", 0x200c },
		{ "zwj", 0x200d }, { "shy", 0xad }, { "copy", 0xa9 },
		{ "reg", 0xae }, { "hellip", 0x2026 }, { "ndash", 0x2013 },
		{ "mdash", 0x2014 }, { "lsquo", 0x2018 }, { "rsquo", 0x2019 },
		{ "ldquo", 0x201c }, { "rdquo", 0x201d }, { "bull", 0x2022 },
		{ "euro", 0x20ac }, { "auml", 0xe4 }, { "ouml", 0xf6 },
		{ "uuml", 0xfc }, { "Auml", 0xc4 }, { "Ouml", 0xd6 },
		{ "Uuml", 0xdc }, { "szlig", 0xdf }, { "eacute", 0xe9 },
		{ "egrave", 0xe8 }, { "agrave", 0xe0 }, { "ccedil", 0xe7 },
		{ "laquo", 0xab }, { "raquo", 0xbb }, { "middot", 0xb7 },
	};
	/* clang-format on */
	struct span name = { s->p, s->n < 12 ? s->n : 12 };
	uint32_t c = 0;
	size_t end = span_chr(name, ';');

	if (end == name.n)
		return '&';
	name.n = end;
	if (name.n > 1 && name.p[0] == '#') {
		bool hex = to_lower(name.p[1]) == 'x';

		span_take(&name, hex ? 2 : 1);
		for (; name.n > 0 && c < 0x110000; span_take(&name, 1)) {
			int d = hex_value(*name.p);

			if (d == -1 || (!hex && d > 9))
				return '&';
			c = c * (hex ? 16 : 10) + (uint32_t)d;
		}
	} else {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (span_is(name, names[i].name))
				c = names[i].c;
		if (c == 0)
			return '&';
	}
	span_take(s, end + 1);
	return c == 0 ? 0xfffd : c;
}

static bool
is_invisible(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200f) || c == 0xfeff || c == 0xad ||
	    c == 0x34f || (c >= 0x2060 && c <= 0x2064) ||
	    (c >= 0x7f && c < 0xa0);
}

/* The text is UTF-8, or nearly: to it, with blanks as they should be. */
static void
finish(struct span s, bool html, struct buf *b)
{
	bool blank = false;
	size_t start = b->n, n = 0, k;
	uint32_t c;

	while (s.n > 0 && n < LIMIT_PREVIEW) {
		for (k = 0; !blank && k < s.n && n < LIMIT_PREVIEW; k++, n++)
			if (!is_word(s.p[k], html))
				break;
		if (k > 0) {
			buf_put(b, span_take(&s, k)); /* most are such */
			continue;
		}
		c = (unsigned char)*s.p;
		if (c < 0x80) {
			span_take(&s, 1);
		} else if (!utf8_take(&s, &c)) {
			if (is_cut(s))
				return;
			span_take(&s, 1);
			c = 0xfffd;
		}
		if (c == '&' && html)
			c = entity(&s);
		if (is_invisible(c))
			continue;
		if (c <= ' ' || c == 0xa0 || c == 0x3000 || c == 0x2028) {
			blank = b->n > start;
			continue;
		}
		if (blank && ++n < LIMIT_PREVIEW)
			buf_putc(b, ' ');
		if (n == LIMIT_PREVIEW)
			return;
		blank = false;
		n += c < 0x80 ? buf_putc(b, (char)c) : utf8_put(b, c);
	}
}

/* ASCII has its blanks already as they should be. */
static bool
is_ready(const struct preview *v, struct span s)
{
	return is_utf8(span_of(v->charset)) && !v->entities && addr_is_ascii(s);
}

bool
preview_end(
    struct preview *v, const struct encword_charset *charsets, struct buf *text)
{
	struct buf b = { .max = (size_t)PREVIEW_ROOM * 4 };
	struct span s = { v->text, v->n };
	struct preview w;
	bool known;

	if (is_ready(v, s)) {
		if (s.n > LIMIT_PREVIEW)
			s.n = LIMIT_PREVIEW;
		buf_put(text, span_trim(s));
		return true;
	}
	s = convert(v, charsets, &b, &known);

	if (v->wide) {
		w = (struct preview){ .html = v->html };
		w.state = v->html ? PREVIEW_TEXT : PREVIEW_BOL;
		filter(&w, s);
		s = (struct span){ w.text, w.n };
	}
	finish(s, v->html, text);
	buf_free(&b);
	return known;
}
