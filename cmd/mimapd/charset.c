/* Characters of other sets as UTF-8, by the system's iconv(3). */
#include <errno.h>
#include <iconv.h>

#include "base/die.h"
#include "imap.h"
#include "mail/utf8.h"

enum { HELD = 16, CHUNK = 1024 };

struct charset {
	iconv_t cd;
	bool same; /* UTF-8 already */
	size_t nheld;
	char held[HELD]; /* the beginning of a character */
};

/* A name that is safe to give to iconv: no "//", no path. */
static bool
good_name(struct span name, char *text, size_t size)
{
	for (size_t i = 0; i < name.n; i++)
		if (!is_alnum(name.p[i]) &&
		    strchr("-_.:+()", name.p[i]) == NULL)
			return false;
	return name.n > 0 && span_cstr(name, text, size);
}

struct charset *
charset_open(struct span name)
{
	struct charset *c = die_calloc(1, sizeof(*c));
	char text[64];

	if (name.n == 0 || span_iis(name, "us-ascii") ||
	    span_iis(name, "utf-8")) {
		c->same = true;
		return c;
	}
	if (good_name(name, text, sizeof(text))) {
		c->cd = iconv_open("UTF-8", text);
		/* (iconv_t)-1 is how it says no. */
		if (c->cd != (iconv_t)-1)
			return c;
	}
	free(c);
	return NULL;
}

void
charset_close(struct charset *c)
{
	if (!c->same)
		iconv_close(c->cd);
	free(c);
}

/* Convert what is in text; how much of it is left. */
static size_t
convert(struct charset *c, char *text, size_t n, struct buf *utf8)
{
	char out[CHUNK * 4];

	while (n > 0) {
		char *to = out;
		size_t left = sizeof(out);
		size_t r = iconv(c->cd, &text, &n, &to, &left);

		buf_put(utf8, (struct span){ out, sizeof(out) - left });
		if (r != (size_t)-1 || errno == E2BIG)
			continue;
		if (errno == EINVAL && n < HELD)
			break;
		buf_putc(utf8, '?'); /* not a character of that set */
		text++;
		n--;
	}
	return n;
}

void
charset_feed(struct charset *c, struct span s, struct buf *utf8)
{
	char work[HELD + CHUNK];

	if (c->same) {
		buf_put(utf8, s);
		return;
	}
	while (s.n > 0) {
		struct span piece = span_take(&s, s.n < CHUNK ? s.n : CHUNK);
		size_t n = c->nheld + piece.n;

		memcpy(work, c->held, c->nheld);
		memcpy(work + c->nheld, piece.p, piece.n);
		c->nheld = convert(c, work, n, utf8);
		memcpy(c->held, work + n - c->nheld, c->nheld);
	}
}

bool
charset_convert(void *ctx, struct span name, struct span text, struct buf *utf8)
{
	struct charset *c = charset_open(name);

	(void)ctx;
	if (c == NULL)
		return false;
	charset_feed(c, text, utf8);
	charset_close(c);
	return true;
}
