/* How many messages one command may be about (RFC 9738). */
#include "base/die.h"
#include "imap.h"
#include "io/conf.h"

/* The file is read once a session: what was advertised is kept. */
static const struct conf_row *
limits(void)
{
	static struct conf_row rows[] = {
		{ "imap-messages", UINT32_MAX, 0 },
		{ "imap-save-messages", UINT32_MAX, 0 },
	};
	static bool read;

	if (!read)
		conf_limits(rows, 2);
	read = true;
	return rows;
}

size_t
limit_messages(void)
{
	return (size_t)limits()[0].value;
}

size_t
limit_saved(void)
{
	return (size_t)limits()[1].value;
}

/* "MESSAGELIMIT" SP number SP uniqueid: those below were not looked at */
void
limit_put(struct imap *im)
{
	out_puts(&im->out, "[MESSAGELIMIT ");
	out_putu(&im->out, limit_messages());
	out_putc(&im->out, ' ');
	out_putu(&im->out, im->limited);
	out_puts(&im->out, "] ");
}

/* Keep the last n messages of a set; its ranges may not be ours. */
static void
keep_last(struct walk *w, size_t n)
{
	struct folder *f = w->im->folder;
	struct imapset_range *r =
	    arena_alloc(&w->im->e.arena, (w->set.n + 1) * sizeof(*r));
	size_t k = w->set.n, count = folder_count(f);

	memcpy(r, w->set.range, w->set.n * sizeof(*r));
	while (k-- > 0) {
		size_t first =
		    w->uid ? folder_lower(f, r[k].first) : r[k].first - 1;
		size_t end = r[k].last == UINT32_MAX ? count
		    : w->uid ? folder_lower(f, r[k].last + 1)
			     : r[k].last;

		if (end - first < n) {
			n -= end - first;
			continue;
		}
		w->im->limited = folder_msg(f, end - n)->uid;
		r[k].first = w->uid ? w->im->limited : (uint32_t)(end - n + 1);
		break;
	}
	w->set = (struct imapset){ r + k, w->set.n - k };
}

void
limit_walk(struct walk *w)
{
	size_t max = limit_messages();

	if (max > 0 && walk_count(w) > max)
		keep_last(w, max);
}

bool
limit_allows_saving(struct imap *im, size_t n)
{
	size_t all = limit_messages(), saved = limit_saved();
	size_t max = all == 0 || (saved > 0 && saved < all) ? saved : all;

	if (max == 0 || n <= max)
		return true;
	imap_reply(im, "NO [MESSAGELIMIT %zu] Too many messages at once", max);
	return false;
}
