#include "base/greetline.h"

#include "base/enc.h"

void
greetline_init(struct greetline *g, struct buf *out,
    const struct greet_conf *conf, const struct greetline_words *words)
{
	memset(g, 0, sizeof(*g));
	g->conf = conf;
	g->words = words;
	g->out = out;
	g->decoded = (struct buf){
		.p = g->store, .cap = sizeof(g->store), .max = GREET_DECODED_MAX
	};
}

void
greetline_restart(struct greetline *g)
{
	g->errors = 0;
	g->exchange = false;
}

void
greetline_say(struct greetline *g, const char *text)
{
	buf_puts(g->out, text);
	buf_puts(g->out, "\r\n");
}

enum greet_event
greetline_wrong(struct greetline *g, const char *text)
{
	greetline_say(g, text);
	if (++g->errors < g->words->errors_max)
		return GREET_MORE;
	if (g->words->last != NULL)
		greetline_say(g, g->words->last);
	g->ended = true;
	return GREET_END;
}

static void
wipe_decoded(struct greetline *g)
{
	wipe(g->decoded.p, g->decoded.n);
	buf_clear(&g->decoded);
}

/* NUL name NUL password */
void
greetline_plain(struct greetline *g, const char *name, struct span pass,
    struct greet_auth *a)
{
	wipe_decoded(g);
	buf_putc(&g->decoded, '\0');
	buf_puts(&g->decoded, name);
	buf_putc(&g->decoded, '\0');
	buf_put(&g->decoded, pass);
	*a = (struct greet_auth){ .mech = SPAN("PLAIN"),
		.response = buf_span(&g->decoded),
		.has_response = true };
}

/* base64 / "=" */
static enum greet_event
response(struct greetline *g, struct span text, struct greet_auth *a)
{
	wipe_decoded(g);
	if (!span_is(text, "=") && !dec_base64(&g->decoded, text)) {
		g->exchange = false;
		return greetline_wrong(g, g->words->undecodable);
	}
	a->response = buf_span(&g->decoded);
	a->has_response = true;
	g->exchange = true;
	return GREET_RESPONSE;
}

enum greet_event
greetline_auth(struct greetline *g, struct span mech, struct span initial,
    struct greet_auth *a)
{
	enum greet_event e;

	*a = (struct greet_auth){ .mech = mech };
	if (initial.n > 0 && (e = response(g, initial, a)) != GREET_RESPONSE)
		return e;
	g->exchange = true;
	return GREET_AUTH;
}

static enum greet_event
whole_line(struct greetline *g, struct span line, struct greet_auth *a,
    enum greet_event (*command)(
	void *ctx, struct span line, struct greet_auth *),
    void *ctx)
{
	if (g->exchange) {
		g->exchange = false;
		if (!span_is(line, "*"))
			return response(g, line, a);
		greetline_wrong(g, g->words->cancelled);
		return g->ended ? GREET_END : GREET_CANCEL;
	}
	if (!line_is_text(line))
		return greetline_wrong(g, g->words->no_text);
	if (line.n > g->words->line_max && !span_istarts(line, "AUTH "))
		return greetline_wrong(g, g->words->too_long);
	return command(ctx, line, a);
}

enum greet_event
greetline_next(struct greetline *g, struct span *in, struct greet_auth *a,
    enum greet_event (*command)(
	void *ctx, struct span line, struct greet_auth *),
    void *ctx)
{
	enum greet_event e = GREET_MORE;
	struct span line;

	while (!g->ended && e == GREET_MORE) {
		switch (line_next(&g->line, in, &line)) {
		case LINE_MORE:
			return GREET_MORE;
		case LINE_LONG:
			e = greetline_wrong(g,
			    g->exchange ? g->words->long_response
					: g->words->too_long);
			g->exchange = false;
			break;
		case LINE_WHOLE:
			e = whole_line(g, line, a, command, ctx);
			break;
		}
	}
	return g->ended ? GREET_END : e;
}

void
greetline_challenge(struct greetline *g, const char *begin, struct span text)
{
	buf_puts(g->out, begin);
	enc_base64(g->out, text);
	greetline_say(g, "");
}
