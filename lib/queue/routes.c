#include "queue/routes.h"

#include "base/die.h"
#include "base/words.h"

static bool
is_program(const char *argv0, const char *name)
{
	const char *slash = strrchr(argv0, '/');

	return strcmp(slash != NULL ? slash + 1 : argv0, name) == 0;
}

static bool
has_option_h(char **argv)
{
	for (size_t i = 1; argv[i] != NULL; i++)
		if (strncmp(argv[i], "-h", 2) == 0)
			return true;
	return false;
}

/* What stands behind the patterns; what is wrong with it, or NULL. */
static const char *
parse_command(struct arena *a, struct span rest, struct route *r)
{
	struct span word, cut = rest;

	word = span_word(&cut);
	if (span_starts(word, "user=")) {
		span_take(&word, 5);
		if (word.n == 0)
			return "user= without a name";
		r->user = arena_str(a, word);
		rest = cut;
	}
	rest = span_trim(rest);
	if (rest.n == 0)
		return "no command";
	r->argv = words_split(a, rest);
	if (r->argv == NULL)
		return "not a command";
	r->text = arena_str(a, rest);
	r->deliver = is_program(r->argv[0], "mdeliver");
	r->send = is_program(r->argv[0], "msend");
	r->by_domain = r->send && !has_option_h(r->argv);
	if (r->user != NULL && strcmp(r->user, "root") == 0 &&
	    strcmp(r->argv[0], "mdeliver") != 0) {
		r->argv = NULL;
		r->text = "";
		return "user=root is for mdeliver alone";
	}
	return NULL;
}

static const char *
parse_line(struct arena *a, struct span line, struct route *r)
{
	struct span word = span_word(&line), next = line;

	r->text = "";
	r->patterns = arena_alloc(a, (line.n / 4 + 1) * sizeof(r->patterns[0]));
	do {
		if (!pattern_parse(
			arena_span(a, word), &r->patterns[r->npatterns])) {
			r->npatterns = 0;
			return "not a pattern";
		}
		r->npatterns++;
		line = next;
		word = span_word(&next);
	} while (pattern_is(word));
	return parse_command(a, line, r);
}

void
routes_parse(
    struct arena *a, struct span text, const char *path, struct routes *rs)
{
	struct span count = text;
	unsigned n = 0;

	*rs = (struct routes){ .n = 0 };
	for (; count.n > 0; n++)
		span_cut(&count, '\n');
	rs->v = arena_alloc(a, (n + 1) * sizeof(rs->v[0]));
	for (n = 1; text.n > 0; n++) {
		size_t end = span_chr(text, '\n');
		bool whole = end < text.n;
		struct span line = span_trim(span_cut(&text, '\n'));
		struct route *r = &rs->v[rs->n];
		const char *what;

		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n == 0 || *line.p == '#')
			continue;
		*r = (struct route){ .line = n, .text = "" };
		/* a last line without its end may be half of one */
		what = whole ? parse_line(a, line, r) : "no end of line";
		if (what != NULL && path != NULL)
			warn("%s:%u: %s", path, n, what);
		rs->n++;
	}
}

int
routes_find(const struct routes *rs, const struct pattern_facts *f)
{
	bool local = span_rchr(f->to, '@') == f->to.n;

	for (size_t i = 0; i < rs->n; i++) {
		const struct route *r = &rs->v[i];
		size_t k = 0;

		if (local && r->deliver)
			return (int)i;
		while (k < r->npatterns && pattern_match(&r->patterns[k], f))
			k++;
		if (!local && r->npatterns > 0 && k == r->npatterns)
			return (int)i;
	}
	return -1;
}
