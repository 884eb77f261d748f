/* Sets of messages: numbers, UIDs, and "$" (RFC 5182). */
#include "base/grow.h"
#include "imap.h"

bool
walk_init(struct walk *w, struct imap *im, struct span s, bool uid)
{
	size_t count = folder_count(im->folder);
	uint32_t largest = (uint32_t)count;

	*w = (struct walk){ .im = im, .uid = uid };
	if (span_is(s, "$")) { /* UIDs, whatever the command is */
		w->uid = true;
		w->set = im->saved;
		return true;
	}
	if (uid && count > 0)
		largest = folder_msg(im->folder, count - 1)->uid;
	if (!imapset_parse(&im->e.arena, s, largest, &w->set)) {
		imap_bad(im, "Not a set of messages");
		return false;
	}
	if (!uid && (imapset_max(&w->set) > count || count == 0)) {
		imap_bad(im, "No message of that number");
		return false;
	}
	return true;
}

bool
walk_next(struct walk *w, size_t *i)
{
	size_t count = folder_count(w->im->folder);

	for (; w->range < w->set.n; w->range++, w->inside = false) {
		struct imapset_range r = w->set.range[w->range];

		if (!w->inside)
			w->i = w->uid ? folder_lower(w->im->folder, r.first)
				      : r.first - 1;
		w->inside = true;
		if (w->i >= count)
			return false;
		if (w->uid ? folder_msg(w->im->folder, w->i)->uid <= r.last
			   : w->i < r.last) {
			*i = w->i++;
			return true;
		}
	}
	return false;
}

size_t
walk_count(const struct walk *w)
{
	size_t n = 0, count = folder_count(w->im->folder);

	for (size_t k = 0; k < w->set.n; k++) {
		struct imapset_range r = w->set.range[k];
		size_t from =
		    w->uid ? folder_lower(w->im->folder, r.first) : r.first - 1;
		size_t to = r.last == UINT32_MAX ? count
		    : w->uid ? folder_lower(w->im->folder, r.last + 1)
			     : r.last;

		if (from < to)
			n += to - from;
	}
	return n;
}

size_t
walk_all(struct walk *w, size_t **idx)
{
	size_t n = 0, cap = 0, i;

	*idx = NULL;
	while (walk_next(w, &i)) {
		if (folder_msg(w->im->folder, i)->gone) {
			w->im->gone = true;
			continue;
		}
		*idx = grow_array(*idx, n, &cap, sizeof(**idx));
		(*idx)[n++] = i;
	}
	return n;
}
