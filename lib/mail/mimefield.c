#include "mail/mimefield.h"

#include "mail/header.h"

enum { PARAMS_MAX = 100, LANGUAGES_MAX = 20 };

static bool
is_space(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

/* token = 1*<any CHAR except SPACE, CTLs or tspecials>; 8-bit passes. */
static struct span
token(struct span *s)
{
	size_t n = 0;

	header_skip_cfws(s);
	while (n < s->n &&
	    (is_alnum(s->p[n]) ||
		((unsigned char)s->p[n] > ' ' && s->p[n] != 0x7f &&
		    strchr("()<>@,;:\\\"/[]?=", s->p[n]) == NULL)))
		n++;
	return span_take(s, n);
}

static struct span
quoted(struct arena *a, struct span *s)
{
	size_t n = 0, end = 1;
	char *to;

	while (end < s->n && s->p[end] != '"') {
		if (s->p[end] == '\\')
			end++;
		end++;
	}
	if (end > s->n)
		end = s->n;
	to = arena_alloc(a, end + 1);
	for (size_t i = 1; i < end; i++) {
		if (s->p[i] == '\\' && i + 1 < end)
			i++;
		if (s->p[i] != '\r' && s->p[i] != '\n')
			to[n++] = s->p[i];
	}
	span_take(s, end < s->n ? end + 1 : end);
	return (struct span){ to, n };
}

/* A value that should have been quoted: up to ";" or a blank. */
static struct span
value(struct arena *a, struct span *s)
{
	size_t n = 0;

	header_skip_cfws(s);
	if (s->n > 0 && *s->p == '"')
		return quoted(a, s);
	while (n < s->n && s->p[n] != ';' && !is_space(s->p[n]))
		n++;
	return arena_span(a, span_take(s, n));
}

/* *(";" attribute "=" value) */
static struct mime_param *
parse_params(struct arena *a, struct span s)
{
	struct mime_param *first = NULL, **tail = &first;
	int n = 0;

	while (s.n > 0 && n < PARAMS_MAX) {
		struct span name;

		if (!header_take(&s, ';')) {
			span_cut(&s, ';');
			if (s.n == 0)
				break;
		}
		name = token(&s);
		if (name.n == 0 || !header_take(&s, '='))
			continue;
		*tail = arena_alloc(a, sizeof(**tail));
		(*tail)->name = arena_span(a, name);
		(*tail)->value = value(a, &s);
		tail = &(*tail)->next;
		n++;
	}
	return first;
}

/* content = type "/" subtype *(";" parameter) */
static void
content_type(struct arena *a, struct mime_fields *f, struct span s)
{
	struct span type = token(&s), subtype = { NULL, 0 };

	if (header_take(&s, '/'))
		subtype = token(&s);
	if (type.n == 0 || subtype.n == 0)
		return;
	f->type = arena_span(a, type);
	f->subtype = arena_span(a, subtype);
	f->params = parse_params(a, s);
}

static void
disposition(struct arena *a, struct mime_fields *f, struct span s)
{
	struct span type = token(&s);

	if (type.n == 0)
		return;
	f->disposition = arena_span(a, type);
	f->disposition_params = parse_params(a, s);
}

static void
language(struct arena *a, struct mime_fields *f, struct span s)
{
	struct mime_param **tail = &f->languages;

	for (int n = 0; n < LANGUAGES_MAX; n++) {
		struct span tag = token(&s);

		if (tag.n > 0) {
			*tail = arena_alloc(a, sizeof(**tail));
			(*tail)->name = arena_span(a, tag);
			tail = &(*tail)->next;
		}
		if (!header_take(&s, ','))
			return;
	}
}

struct span
mimefield_text(struct arena *a, struct span body)
{
	char *to = arena_alloc(a, body.n + 1);
	size_t n = 0;

	while (body.n > 0) {
		struct span line = span_cut(&body, '\n');

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		while (n == 0 && line.n > 0 && is_blank(*line.p))
			span_take(&line, 1);
		if (line.n > 0)
			memcpy(to + n, line.p, line.n);
		n += line.n;
	}
	while (n > 0 && is_space(to[n - 1]))
		n--;
	return (struct span){ to, n };
}

void
mimefield_note(struct arena *a, struct mime_fields *f, struct span name,
    struct span body, size_t reserve)
{
	/* A parameter of two bytes takes some fifty here. */
	size_t need = body.n * 2 + PARAMS_MAX * 96;
	struct span *text = NULL;

	if (arena_left(a) < reserve || arena_left(a) - reserve < need)
		return;
	if (span_iis(name, "Content-Type") && f->type.p == NULL)
		content_type(a, f, body);
	else if (span_iis(name, "Content-Disposition") &&
	    f->disposition.p == NULL)
		disposition(a, f, body);
	else if (span_iis(name, "Content-Language") && f->languages == NULL)
		language(a, f, body);
	else if (span_iis(name, "Content-ID"))
		text = &f->id;
	else if (span_iis(name, "Content-Description"))
		text = &f->description;
	else if (span_iis(name, "Content-MD5"))
		text = &f->md5;
	else if (span_iis(name, "Content-Location"))
		text = &f->location;
	else if (span_iis(name, "Content-Transfer-Encoding") &&
	    f->encoding.p == NULL) {
		struct span e = token(&body);

		if (e.n > 0)
			f->encoding = arena_span(a, e);
	}
	if (text != NULL && text->p == NULL)
		*text = mimefield_text(a, body);
}

struct span
mimefield_param(const struct mime_param *p, const char *name)
{
	for (; p != NULL; p = p->next)
		if (span_iis(p->name, name))
			return p->value;
	return (struct span){ NULL, 0 };
}
