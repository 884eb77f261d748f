#include "base/words.h"

/*
 * Copy the word at the front of *s to `to` without its quotes and return
 * the end of the copy; NULL for an unfinished quote.
 */
static char *
unquote(struct span *s, char *to)
{
	char quote = '\0';

	while (s->n > 0 && (quote != '\0' || !is_blank(*s->p))) {
		char c = *span_take(s, 1).p;

		if (quote == '\0' && (c == '\'' || c == '"')) {
			quote = c;
		} else if (c == quote && quote != '\0') {
			quote = '\0';
		} else if (c == '\\' && quote != '\'') {
			if (s->n == 0)
				return NULL;
			if (quote == '"' && *s->p != '"' && *s->p != '\\')
				*to++ = c;
			*to++ = *span_take(s, 1).p;
		} else {
			*to++ = c;
		}
	}
	return quote == '\0' ? to : NULL;
}

char **
words_split(struct arena *a, struct span text)
{
	char **argv = arena_alloc(a, (text.n / 2 + 2) * sizeof(*argv));
	char *to = arena_alloc(a, text.n + 1);
	size_t n = 0;

	if (span_chr(text, '\0') != text.n)
		return NULL;
	for (;;) {
		while (text.n > 0 && is_blank(*text.p))
			span_take(&text, 1);
		if (text.n == 0)
			break;
		argv[n++] = to;
		to = unquote(&text, to);
		if (to == NULL)
			return NULL;
		*to++ = '\0';
	}
	return n == 0 ? NULL : argv;
}
