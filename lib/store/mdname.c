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

/* ",S=" digits, up to the next comma or the end. */
static bool
find_size(struct span base, const char *tag, uint64_t *value)
{
	size_t at = span_find(base, span_of(tag));
	struct span s = base;

	if (at == base.n)
		return false;
	span_take(&s, at + 3);
	s.n = span_chr(s, ',');
	return num_u64(s, value);
}

static void
parse_letters(struct span letters, struct mdname *m)
{
	size_t n = 0;

	for (size_t i = 0; i < letters.n; i++) {
		char c = letters.p[i];

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
		else if (n < MDNAME_EXTRA && c != '\0' &&
		    strchr(m->extra, c) == NULL)
			m->extra[n++] = c;
	}
}

struct mdname
mdname_parse(struct span file)
{
	struct mdname m = { 0 };
	struct span rest = file;
	size_t at;

	m.base = mdname_base(file);
	m.has_s = find_size(m.base, ",S=", &m.s);
	m.has_w = find_size(m.base, ",W=", &m.w);
	at = span_find(m.base, SPAN(",E="));
	if (at < m.base.n) {
		m.id = (struct span){ m.base.p + at + 3, m.base.n - at - 3 };
		m.id.n = span_chr(m.id, ',');
	}
	span_take(&rest, m.base.n);
	m.info = span_starts(rest, ":2,");
	if (m.info) {
		span_take(&rest, 3);
		parse_letters(rest, &m);
	}
	return m;
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

/* The seconds a name begins with, and the M (microseconds) behind them. */
static void
arrival(struct span base, uint64_t *sec, uint64_t *usec)
{
	struct span digits = base;

	*usec = 0;
	digits.n = span_chr(digits, '.');
	if (!num_u64(digits, sec)) {
		*sec = UINT64_MAX;
		return;
	}
	span_take(&base, digits.n);
	if (!span_starts(base, ".M"))
		return;
	span_take(&base, 2);
	while (base.n > 0 && is_digit(*base.p) && *usec < 1000000000)
		*usec = *usec * 10 + (uint64_t)(*span_take(&base, 1).p - '0');
}

int
mdname_order(struct span a, struct span b)
{
	uint64_t as, au, bs, bu;

	arrival(a, &as, &au);
	arrival(b, &bs, &bu);
	if (as != bs)
		return as < bs ? -1 : 1;
	if (au != bu)
		return au < bu ? -1 : 1;
	return span_cmp(a, b);
}
