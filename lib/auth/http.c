#include "auth/http.h"

#include "base/num.h"

bool
http_url_parse(struct span s, struct http_url *u)
{
	static const char scheme[] = "https://";
	uint32_t port = 443;
	size_t at = 0;

	for (size_t i = 0; i < s.n; i++)
		if (!is_print(s.p[i]) || s.p[i] == ' ' || s.p[i] == '#')
			return false;
	if (!span_istarts(s, scheme))
		return false;
	span_take(&s, sizeof(scheme) - 1);
	while (at < s.n && s.p[at] != '/' && s.p[at] != '?')
		at++;
	u->host = span_take(&s, at);
	u->path = s.n > 0 ? s : SPAN("/");
	at = span_chr(u->host, ':');
	if (at < u->host.n) {
		struct span text = u->host;

		span_take(&text, at + 1);
		if (!num_u32(text, &port) || port == 0 || port > 65535)
			return false;
		u->host.n = at;
	}
	u->port = (uint16_t)port;
	return u->host.n > 0 && span_chr(u->host, '@') == u->host.n &&
	    *u->path.p == '/';
}

bool
http_enc_form(struct buf *b, struct span s)
{
	bool ok = true;

	for (size_t i = 0; i < s.n; i++)
		if (is_alnum(s.p[i]) ||
		    (s.p[i] != 0 && strchr("-._*", s.p[i]) != NULL))
			ok = buf_putc(b, s.p[i]);
		else
			ok = buf_printf(
			    b, "%%%02X", (unsigned)(unsigned char)s.p[i]);
	return ok;
}

/* A line off the front, without its CRLF; false when it has no end. */
static bool
take_line(struct span *s, struct span *line)
{
	if (span_chr(*s, '\n') == s->n)
		return false;
	*line = span_cut(s, '\n');
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* chunk-size [ chunk-ext ] CRLF chunk-data CRLF ... "0" CRLF */
static bool
chunks(struct span s, struct buf *body)
{
	struct span line;

	for (;;) {
		size_t n = 0, digits = 0;

		if (!take_line(&s, &line))
			return false;
		for (; digits < line.n && digits < 8; digits++) {
			char c = to_lower(line.p[digits]);

			if (is_digit(c))
				n = n * 16 + (size_t)(c - '0');
			else if (c >= 'a' && c <= 'f')
				n = n * 16 + (size_t)(c - 'a') + 10;
			else
				break;
		}
		if (digits == 0 ||
		    (digits < line.n && line.p[digits] != ';' &&
			line.p[digits] != ' '))
			return false;
		if (n == 0)
			return true;
		if (n > s.n || !buf_put(body, span_take(&s, n)) ||
		    !span_starts(s, "\r\n"))
			return false;
		span_take(&s, 2);
	}
}

bool
http_response(struct span s, unsigned *status, struct buf *body)
{
	bool chunked = false, sized = false;
	struct span line, name;
	uint64_t length = 0;
	uint32_t code;

	if (!take_line(&s, &line) || !span_starts(line, "HTTP/1."))
		return false;
	(void)span_word(&line);
	if (!num_u32(span_word(&line), &code) || code < 100 || code > 599)
		return false;
	*status = code;
	for (;;) {
		if (!take_line(&s, &line))
			return false;
		if (line.n == 0)
			break;
		if (span_chr(line, ':') == line.n)
			return false;
		name = span_cut(&line, ':');
		line = span_trim(line);
		if (span_iis(name, "Transfer-Encoding")) {
			if (!span_iis(line, "chunked"))
				return false;
			chunked = true;
		} else if (span_iis(name, "Content-Length")) {
			if (sized || !num_u64(line, &length))
				return false;
			sized = true;
		}
	}
	if (chunked)
		return !sized && chunks(s, body);
	if (sized && length > s.n)
		return false;
	return buf_put(body, (struct span){ s.p, sized ? length : s.n });
}
