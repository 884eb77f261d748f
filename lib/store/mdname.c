#include "store/mdname.h"

#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "store/folder.h"

struct span
mdname_base(struct span file)
{
	return (struct span){ file.p, span_chr(file, ':') };
}

/* ",E=" id, ",S=" size, ",W=" size, in any order, among others */
static void
parse_fields(struct span s, struct mdname *m)
{
	span_cut(&s, ',');
	while (s.n > 0) {
		struct span field = span_cut(&s, ',');
		char tag;

		if (field.n < 2 || field.p[1] != '=')
			continue;
		tag = *span_take(&field, 2).p;
		if (tag == 'S' && !m->has_s)
			m->has_s = num_u64(field, &m->s);
		else if (tag == 'W' && !m->has_w)
			m->has_w = num_u64(field, &m->w);
		else if (tag == 'E' && m->id.n == 0)
			m->id = field;
	}
}

static void
parse_letters(struct span letters, struct mdname *m)
{
	size_t n = 0, others = 0;

	m->canonical = true;
	for (size_t i = 0; i < letters.n; i++) {
		char c = letters.p[i];

		if (i > 0 && letters.p[i - 1] >= c)
			m->canonical = false;
		if (c == 'D')
			m->flags |= FLAG_DRAFT;
		else if (c == 'F')
			m->flags |= FLAG_FLAGGED;
		else if (c == 'P')
			m->passed = true;
		else if (c == 'R')
			m->flags |= FLAG_ANSWERED;
		else if (c == 'S')
			m->flags |= FLAG_SEEN;
		else if (c == 'T')
			m->flags |= FLAG_DELETED;
		else if (++others <= MDNAME_EXTRA && c != '\0' &&
		    strchr(m->extra, c) == NULL)
			m->extra[n++] = c;
	}
	if (n != others)
		m->canonical = false;
}

static void
parse_info(struct span info, struct mdname *m)
{
	m->info = span_starts(info, ":2,");
	if (!m->info)
		return;
	span_take(&info, 3);
	parse_letters(info, m);
}

bool
mdname_says(struct span file, uint16_t flags, bool passed)
{
	struct mdname m = { 0 };

	span_take(&file, mdname_base(file).n);
	parse_info(file, &m);
	return m.canonical && m.flags == flags && m.passed == passed;
}

struct mdname
mdname_parse(struct span file)
{
	struct mdname m = { 0 };
	struct span rest = file;

	m.base = mdname_base(file);
	parse_fields(m.base, &m);
	span_take(&rest, m.base.n);
	parse_info(rest, &m);
	return m;
}

/* Each LF may become CRLF, and a last line without an end gets one. */
uint64_t
mdname_wire(const struct mdname *m)
{
	if (!m->has_s || !m->has_w || m->w < m->s || m->w / 2 > m->s + 1)
		return 0;
	return m->w <= LIMIT_MESSAGE ? m->w : 0;
}

size_t
mdname_letters(char *dst, uint16_t flags, bool passed, const char *extra)
{
	size_t n = 0;

	for (; *extra != '\0'; extra++)
		dst[n++] = *extra;
	if ((flags & FLAG_DRAFT) != 0)
		dst[n++] = 'D';
	if ((flags & FLAG_FLAGGED) != 0)
		dst[n++] = 'F';
	if (passed)
		dst[n++] = 'P';
	if ((flags & FLAG_ANSWERED) != 0)
		dst[n++] = 'R';
	if ((flags & FLAG_SEEN) != 0)
		dst[n++] = 'S';
	if ((flags & FLAG_DELETED) != 0)
		dst[n++] = 'T';
	dst[n] = '\0';
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && dst[k - 1] > dst[k]; k--) {
			char c = dst[k];

			dst[k] = dst[k - 1];
			dst[k - 1] = c;
		}
	return n;
}

size_t
mdname_make(
    char *dst, struct span base, uint16_t flags, bool passed, const char *extra)
{
	char letters[MDNAME_EXTRA + 8];
	size_t n = mdname_letters(letters, flags, passed, extra);

	dst[0] = '\0';
	if (base.n + 3 + n > MDNAME_MAX)
		return 0;
	memcpy(dst, base.p, base.n);
	memcpy(dst + base.n, ":2,", 3);
	memcpy(dst + base.n + 3, letters, n + 1);
	return base.n + 3 + n;
}

void
mdname_unique(char *dst, size_t size)
{
	static unsigned counter;
	char host[65] = "";
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (gethostname(host, sizeof(host) - 1) == -1 || host[0] == '\0')
		snprintf(host, sizeof(host), "localhost");
	for (char *p = host; *p != '\0'; p++)
		if (!is_alnum(*p) && *p != '-' && *p != '.' && *p != '_')
			*p = '_';
	snprintf(dst, size, "%lld.M%ldP%ldC%u.%s", (long long)t.tv_sec,
	    t.tv_nsec / 1000, (long)getpid(), counter++, host);
}

/* Digits off the front; bounded, so that no number is too large. */
static uint64_t
take_digits(struct span *s, size_t most)
{
	uint64_t n = 0;

	for (; s->n > 0 && most > 0 && is_digit(*s->p); most--)
		n = n * 10 + (uint64_t)(*span_take(s, 1).p - '0');
	return n;
}

/* Seconds, and the M (microseconds) behind them. */
uint64_t
mdname_time(struct span base)
{
	size_t n = base.n;
	uint64_t sec = take_digits(&base, 12), usec = 0;

	if (base.n == n || base.n == 0 || *base.p != '.')
		return UINT64_MAX;
	if (span_starts(base, ".M")) {
		span_take(&base, 2);
		usec = take_digits(&base, 6);
	}
	return sec * 1000000 + usec;
}

int
mdname_order(struct span a, struct span b)
{
	uint64_t at = mdname_time(a), bt = mdname_time(b);

	if (at != bt)
		return at < bt ? -1 : 1;
	return span_cmp(a, b);
}
