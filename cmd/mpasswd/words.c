#include "base/date.h"
#include "base/die.h"
#include "base/num.h"
#include "io/deadline.h"
#include "mpasswd.h"

static bool
is_allowed(const char *allowed, struct span name)
{
	struct span list = span_of(allowed), word;

	while ((word = span_word(&list)).n > 0)
		if (span_eq(word, name))
			return true;
	return false;
}

static void
take(struct words *w, struct span name, const char *value)
{
	const struct {
		const char *name, **to;
	} values[] = { { "label", &w->label }, { "scopes", &w->scopes },
		{ "expires", &w->expires }, { "rename", &w->rename },
		{ "user", &w->user }, { "domain", &w->domain },
		{ "scheme", &w->scheme } };
	const struct {
		const char *name;
		bool *to;
	} flags[] = { { "generate", &w->generate },
		{ "password", &w->password }, { "all", &w->all },
		{ "user", &w->remove_user } };

	for (size_t i = 0; value != NULL && i < 7; i++)
		if (span_is(name, values[i].name))
			*values[i].to = value;
	for (size_t i = 0; value == NULL && i < 4; i++)
		if (span_is(name, flags[i].name))
			*flags[i].to = true;
}

void
words_parse(struct words *w, char *const *argv, const char *allowed)
{
	for (; *argv != NULL; argv++) {
		struct span word = span_of(*argv), name = word;
		size_t at = span_chr(word, '=');

		name.n = at < word.n ? at + 1 : at; /* with the "=" */
		if (!is_allowed(allowed, name))
			die(EXIT_USAGE, "%s: not a word for this", *argv);
		if (at < word.n)
			name.n--;
		take(w, name, at < word.n ? *argv + at + 1 : NULL);
	}
	if (w->label != NULL && !secrets_label_fit(span_of(w->label)))
		die(EXIT_USAGE, "label=%s: not a label", w->label);
	if (w->rename != NULL && !secrets_label_fit(span_of(w->rename)))
		die(EXIT_USAGE, "rename=%s: not a label", w->rename);
	if (w->scopes != NULL &&
	    (strchr(w->scopes, ':') != NULL ||
		!secrets_scopes_known(span_of(w->scopes))))
		die(EXIT_USAGE, "scopes=%s: not all, imap, pop, send or sieve",
		    w->scopes);
}

void
expiry_parse(const char *text, char to[32])
{
	char whole[64];
	uint32_t days;
	int64_t t;

	to[0] = '\0';
	if (text == NULL || strcmp(text, "never") == 0)
		return;
	if (*text == '+' && num_u32(span_of(text + 1), &days) &&
	    days <= 36500) {
		date_rfc3339(unix_now() + (int64_t)days * 86400, to);
		return;
	}
	snprintf(whole, sizeof(whole), "%s%s", text,
	    strlen(text) == 10 ? "T00:00:00Z" : "");
	if (!date_parse_rfc3339(span_of(whole), &t))
		die(EXIT_USAGE,
		    "expires=%s: not a day, +DAYS, a moment or never", text);
	date_rfc3339(t, to);
}
