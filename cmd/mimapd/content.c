/*
 * Search in the text of messages, decoded as a reader would see it.
 *
 * A message is read once for all keys about its text, and its signature
 * (mail/trigrams.h) is made and kept then, so that a search of a rare
 * word opens few messages the next time.
 */
#include <sys/stat.h>

#include "mail/casemap.h"
#include "mail/cte.h"
#include "mail/encword.h"
#include "mail/param.h"
#include "mail/trigrams.h"
#include "mail/wire.h"
#include "search.h"

/* Where decoded text goes. */
struct sink {
	struct search *s;
	struct casemap map;
	bool body;               /* BODY sees it, not TEXT alone */
	bool sign;               /* a signature is made */
	bool broken;             /* not all of it could be read */
	unsigned missing;        /* keys whose needle was not seen yet */
	struct charset *charset; /* of the part; or NULL */
	struct cte cte;
	struct buf utf8;
};

static struct trigrams trigrams;

static void
mapped(struct sink *to, struct span text)
{
	if (to->sign)
		trigrams_feed(&trigrams, text);
	for (struct key *k = to->s->text; k != NULL; k = k->next_text) {
		if (k->found || (k->kind == KEY_BODY && !to->body))
			continue;
		find_feed(k, text);
		if (k->found)
			to->missing--;
	}
}

static void
sink_put(struct sink *to, struct span text)
{
	char out[4096];

	while (text.n > 0) {
		size_t n = casemap_feed(&to->map, &text, out, sizeof(out));

		mapped(to, (struct span){ out, n });
	}
}

/* The end of a text: nothing is found across it. */
static void
sink_break(struct sink *to)
{
	char out[4];
	size_t n = casemap_end(&to->map, out);

	mapped(to, (struct span){ out, n });
	trigrams_break(&trigrams);
	for (struct key *k = to->s->text; k != NULL; k = k->next_text)
		find_break(k);
}

static bool
sink_done(const struct sink *to)
{
	return to->missing == 0 && !to->sign;
}

static void
put_field(struct sink *to, struct span text)
{
	static const struct encword_charset cs = { charset_convert, NULL };
	struct buf b = { .max = text.n * 4 + 64 };

	encword_decode(&b, text, &cs);
	sink_put(to, buf_span(&b));
	sink_break(to);
	buf_free(&b);
}

/* in_next, of the file up to a place. */
static bool
next(struct sink *to, struct in *in, uint64_t *file, uint64_t end,
    struct span *piece)
{
	if (*file >= end)
		return false;
	if (in_next(in, piece) != 1) {
		to->broken = true;
		return false;
	}
	if (piece->n > end - *file)
		piece->n = (size_t)(end - *file);
	*file += piece->n;
	return true;
}

/* The fields of the header that lies between two places of the file. */
static void
put_header(struct sink *to, uint64_t file, uint64_t end)
{
	enum header_event e = HEADER_MORE;
	struct span piece;
	struct header h;
	struct in in;

	if (body_seek(to->s->im, file, &in) == -1) {
		to->broken = true;
		return;
	}
	header_init(&h, LIMIT_HEADER_FIELD);
	while (e != HEADER_END && next(to, &in, &file, end, &piece))
		while ((e = header_next(&h, &piece)) == HEADER_FIELD)
			put_field(to, h.raw);
	while (e != HEADER_END && (e = header_eof(&h)) == HEADER_FIELD)
		put_field(to, h.raw);
	header_free(&h);
}

/* The names of files, which RFC 2231 may have encoded. */
static void
put_param(struct sink *to, const struct mime_param *params, const char *name)
{
	static const struct encword_charset cs = { charset_convert, NULL };
	struct buf b = { .max = LIMIT_HEADER_FIELD * 4 };

	if (param_put(&b, params, name, &cs)) {
		sink_put(to, buf_span(&b));
		sink_break(to);
	}
	buf_free(&b);
}

static void
put_line(struct sink *to, struct span line)
{
	struct span text;

	while (line.n > 0 && !sink_done(to))
		if (cte_next(&to->cte, &line, &text)) {
			if (to->charset == NULL) {
				sink_put(to, text);
				continue;
			}
			while (text.n > 0) {
				size_t n = text.n < 1024 ? text.n : 1024;

				buf_clear(&to->utf8);
				charset_feed(to->charset, span_take(&text, n),
				    &to->utf8);
				sink_put(to, buf_span(&to->utf8));
			}
		}
}

static void
put_text(struct sink *to, const struct mime_part *p)
{
	struct wire w = { 0 };
	struct span piece, line;
	uint64_t file = p->body.file;
	struct in in;

	to->cte = (struct cte){ 0 };
	to->charset = NULL;
	if (p->fields != NULL) {
		to->cte.kind = cte_kind(p->fields->encoding);
		to->charset =
		    charset_open(mimefield_param(p->fields->params, "charset"));
	}
	if (body_seek(to->s->im, file, &in) == -1)
		to->broken = true;
	while (!sink_done(to) && next(to, &in, &file, p->end.file, &piece))
		while (wire_next(&w, &piece, &line))
			put_line(to, line);
	if (to->charset != NULL)
		charset_close(to->charset);
	sink_break(to);
}

/*
 * The header is TEXT alone, with the MIME fields of parts (RFC 9051,
 * section 6.4.4); that of a message within is BODY too.
 */
static void
put_part(
    struct sink *to, const struct mime_part *p, const struct mime_part *root)
{
	to->body = p != root && p->envelope != NULL;
	put_header(to, p->head.file, p->body.file);
	to->body = false;
	if (p->fields != NULL) {
		put_param(to, p->fields->params, "name");
		put_param(to, p->fields->disposition_params, "filename");
	}
	to->body = true;
	if (p->kind == MIME_LEAF && mime_is(p, "text", NULL))
		put_text(to, p);
}

/* Whether what was parsed is all of the file: nothing failed. */
static bool
is_whole(const struct imap *im, const struct mime_part *root)
{
	struct stat st;

	return fstat(im->body.fd, &st) == 0 &&
	    (uint64_t)st.st_size == root->end.file;
}

/* Read message i for all keys about its text. */
static void
read_all(struct search *s, size_t i, bool sign)
{
	struct sink to = { .s = s, .sign = sign, .utf8.max = 65536 };
	const struct mime_part *root;
	char out[TRIGRAMS_SIZE];

	for (struct key *k = s->text; k != NULL; k = k->next_text) {
		k->found = k->needle.n == 0;
		k->at = 0;
		to.missing += !k->found;
	}
	if (body_open(s->im, i) == -1 || (root = body_tree(s->im)) == NULL)
		return;
	if (sign)
		trigrams_clear(&trigrams);
	for (const struct mime_part *p = root; p != NULL && !sink_done(&to);
	     p = mime_following(p))
		put_part(&to, p, root);
	buf_free(&to.utf8);
	if (sign && !to.broken && is_whole(s->im, root))
		folder_fact_put(s->im->folder, i, FACT_SIGNATURE,
		    trigrams_end(&trigrams, out));
}

bool
content_match(struct search *s, struct key *k, size_t i)
{
	uint32_t uid = folder_msg(s->im->folder, i)->uid;
	struct span sig;
	bool sign;

	if (k->needle.n == 0)
		return true;
	if (s->seen && s->uid == uid)
		return k->found;
	sign = !folder_fact_get(s->im->folder, i, FACT_SIGNATURE, &sig);
	if (!sign && !trigrams_may(sig, k->needle))
		return false;
	s->seen = true;
	s->uid = uid;
	read_all(s, i, sign);
	return k->found;
}
