/*
 * auth/masks: the first line of the input is who asks (address, login and
 * what the client says of itself, with tabs between), the rest the file.
 * Nothing is hidden that no line names, and patterns fit as they should.
 */
#include "auth/masks.h"

#include "io/conf.h"
#include "place.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { PATTERN = 12, TEXT = 20, STARS = 4 };

/* The plain way, that tries all. */
static bool
fits(struct span p, struct span s)
{
	if (p.n == 0)
		return s.n == 0;
	if (*p.p == '*') {
		span_take(&p, 1);
		for (;; span_take(&s, 1))
			if (fits(p, s))
				return true;
			else if (s.n == 0)
				return false;
	}
	if (s.n == 0 || to_lower(*p.p) != to_lower(*s.p))
		return false;
	span_take(&p, 1);
	span_take(&s, 1);
	return fits(p, s);
}

static void
check_fits(struct span pattern, struct span text)
{
	int stars = 0;

	if (pattern.n > PATTERN)
		pattern.n = PATTERN;
	if (text.n > TEXT)
		text.n = TEXT;
	for (size_t i = 0; i < pattern.n; i++)
		stars += pattern.p[i] == '*';
	if (stars <= STARS)
		assert(masks_fits(pattern, text) == fits(pattern, text));
}

static bool
names(struct span file, struct span name)
{
	while (file.n > 0) {
		struct span line = span_cut(&file, '\n');

		if (span_eq(span_word(&line), name))
			return true;
	}
	return span_is(name, "UIDONLY");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span file = { (const char *)p, n }, line = SPAN(""), s, word;
	struct buf hidden = { .max = 4096 };
	static char dir[100];
	char ip[64];
	struct masks_who who = { .ip = ip };
	FILE *f;

	if (dir[0] == '\0') {
		snprintf(dir, sizeof(dir), "%s/masks", place_path());
		conf_set_dir(place_path());
	}
	if (file.n > 0)
		line = span_cut(&file, '\n');
	if (line.n == 0 || !span_cstr(span_cut(&line, '\t'), ip, sizeof(ip)))
		return 0;
	if (line.n > 0)
		who.login = span_cut(&line, '\t');
	who.id = line;
	f = fopen(dir, "w");
	assert(f != NULL && fwrite(file.p, 1, file.n, f) == file.n);
	fclose(f);
	check_fits(who.login, who.id);
	masks_read(&who, &hidden);
	s = buf_span(&hidden);
	while ((word = span_word(&s)).n > 0)
		assert(hidden.over || names(file, word));
	buf_free(&hidden);
	return 0;
}
