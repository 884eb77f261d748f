#include "queue/access.h"

#include <errno.h>

#include "io/conf.h"

static const char names[6][12] = { "reject", "later", "hold", "drop",
	"greylist", "allow" };

const char *
access_name(enum access_action a)
{
	return names[a];
}

static bool
is_no(enum access_action a)
{
	return a == ACCESS_REJECT || a == ACCESS_LATER || a == ACCESS_DROP ||
	    a == ACCESS_GREYLIST;
}

static bool
parse_action(struct span word, enum access_action *a)
{
	for (int i = 0; i < 6; i++)
		if (span_is(word, names[i])) {
			*a = (enum access_action)i;
			return true;
		}
	return false;
}

/* Only what is known of a client that sends a message. */
static bool
parse_pattern(struct span word, struct pattern *p)
{
	if (span_starts(word, "dnsbl:"))
		return pattern_parse_dnsbl(word, p);
	if (!pattern_parse(word, p))
		return false;
	switch (p->kind) {
	case PATTERN_FROM:
	case PATTERN_TO:
	case PATTERN_AUTH:
	case PATTERN_PEER:
	case PATTERN_HELO:
	case PATTERN_CLIENT:
		return true;
	case PATTERN_ROUTE:
	case PATTERN_STATUS:
	case PATTERN_OLDER:
	case PATTERN_LARGER:
	case PATTERN_DNSBL:
		break;
	}
	return false;
}

/* A number of n digits, of the front of a word. */
static bool
digits(struct span word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i >= word.n || !is_digit(word.p[i]))
			return false;
	return true;
}

/* status-code = ("2" / "4" / "5") "." 1*3digit "." 1*3digit */
static bool
is_enhanced(struct span word)
{
	size_t dots = 0, run = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] == '.' && run > 0 && ++dots <= 2)
			run = 0;
		else if (!is_digit(word.p[i]) || ++run > 3)
			return false;
	}
	return dots == 2 && run > 0 && word.n > 1 && word.p[1] == '.';
}

static bool
about_connection(const struct access_line *l)
{
	for (size_t i = 0; i < l->npatterns; i++) {
		enum pattern_kind k = l->patterns[i].kind;

		if (k != PATTERN_PEER && k != PATTERN_CLIENT &&
		    k != PATTERN_DNSBL)
			return false;
	}
	return true;
}

/* [code] [enhanced status] text */
static const char *
parse_text(struct span text, struct access_line *l)
{
	char cls = l->action == ACCESS_REJECT ? '5' : '4';
	struct span next = text, word = span_word(&next);

	for (size_t i = 0; i < text.n; i++)
		if (!is_print(text.p[i]))
			return "text is not printable";
	if (text.n > LIMIT_REPLY_TEXT - 8)
		return "text too long";
	l->text = text;
	if (l->action == ACCESS_HOLD || l->action == ACCESS_DROP ||
	    l->action == ACCESS_ALLOW)
		return NULL;
	if (word.n == 3 && digits(word, 3)) {
		l->code = (word.p[0] - '0') * 100 + (word.p[1] - '0') * 10 +
		    (word.p[2] - '0');
		if (word.p[0] != cls || l->code % 100 >= 60)
			return "code of another class";
		text = span_trim(next);
		next = text;
		word = span_word(&next);
	}
	if (is_enhanced(word) && word.p[0] != cls)
		return "code of another class";
	l->text = text;
	if ((l->code == 421 || l->code == 521) &&
	    (l->action == ACCESS_GREYLIST || !about_connection(l)))
		return "421 and 521 are for peer:, client: and dnsbl:";
	return NULL;
}

/* How many words there are in front of "--". */
static size_t
count_patterns(struct span line)
{
	size_t n = 0;

	for (;;) {
		struct span word = span_word(&line);

		if (word.n == 0 || span_is(word, "--"))
			return n;
		n++;
	}
}

const char *
access_parse(struct arena *a, struct span line, struct access_line *l)
{
	struct span word = span_word(&line);

	*l = (struct access_line){ .line = 0 };
	if (!parse_action(word, &l->action))
		return "not an action";
	l->patterns =
	    arena_alloc(a, (count_patterns(line) + 1) * sizeof(l->patterns[0]));
	for (;;) {
		word = span_word(&line);
		if (word.n == 0 || span_is(word, "--"))
			break;
		if (!parse_pattern(word, &l->patterns[l->npatterns++]))
			return "not a pattern";
	}
	if (l->npatterns == 0)
		return "no pattern";
	return word.n > 0 ? parse_text(span_trim(line), l) : NULL;
}

/* Where a line of text ends, its patterns begin: no room is wasted. */
static void
add_line(struct arena *a, struct conf *c, struct span text, struct access *t,
    size_t *cap)
{
	struct arena_mark mark = arena_mark(a);
	struct access_line l;
	const char *what = access_parse(a, arena_span(a, text), &l);

	if (what != NULL) {
		conf_bad(c, what);
		arena_release(a, mark);
		return;
	}
	if (t->n == *cap) {
		struct access_line *v =
		    arena_alloc(a, (*cap = *cap * 2 + 16) * sizeof(*v));

		if (t->n > 0)
			memcpy(v, t->v, t->n * sizeof(*v));
		t->v = v;
	}
	l.line = c->line;
	t->v[t->n++] = l;
}

int
access_load(struct arena *a, struct access *t)
{
	static struct conf c;
	size_t cap = 0, total = 0;
	struct span line;
	int r;

	*t = (struct access){ .n = 0 };
	if (conf_open(&c, "access") == -1)
		return errno == ENOENT ? 0 : -1;
	while ((r = conf_next(&c, &line)) == 1) {
		total += line.n;
		if (total > LIMIT_ACCESS) {
			errno = EFBIG;
			r = -1;
			break;
		}
		add_line(a, &c, line, t, &cap);
	}
	t->doubtful = conf_doubtful(&c);
	conf_close(&c);
	return r;
}

enum pattern_answer
access_judge(const struct access_line *l, const struct pattern_facts *f)
{
	enum pattern_answer all = PATTERN_YES;

	for (size_t i = 0; i < l->npatterns; i++) {
		enum pattern_answer one = pattern_judge(&l->patterns[i], f);

		if (one == PATTERN_NO)
			return PATTERN_NO;
		if (one > all)
			all = one;
	}
	return all;
}

/* A name that DNS did not tell is unknown, but not for good. */
static bool
guesses(const struct access_line *l, const struct pattern_facts *f)
{
	for (size_t i = 0; i < l->npatterns; i++)
		if (l->patterns[i].kind == PATTERN_CLIENT &&
		    !span_is(l->patterns[i].value, "*"))
			return f->client_failed;
	return false;
}

void
access_find(const struct access *t, const struct pattern_facts *f,
    struct access_verdict *v)
{
	*v = (struct access_verdict){ .doubt = t->doubtful };
	for (size_t i = 0; i < t->n; i++) {
		const struct access_line *l = &t->v[i];

		switch (access_judge(l, f)) {
		case PATTERN_NO:
			break;
		case PATTERN_FAILED:
			/* it might have spared the client a later "no" */
			v->doubt = v->doubt || !is_no(l->action);
			break;
		case PATTERN_NOT_YET:
			v->not_yet = true;
			return;
		case PATTERN_YES:
			v->line = l;
			v->doubt = v->doubt || guesses(l, f);
			return;
		}
	}
}
