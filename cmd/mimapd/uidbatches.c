/* UIDBATCHES (RFC 10022): the UIDs in ranges of so many messages. */
#include "base/num.h"
#include "imap.h"

enum { LEAST = 500 }; /* messages of a batch: section 3.1.1 */

/* uid-batches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number] */
static bool
parse(const struct imap_arg *a, uint32_t *size, uint32_t *from, uint32_t *to)
{
	struct span first, last;

	*from = 1;
	*to = UINT32_MAX;
	if (!imap_is_string(a) || !num_u32(a->text, size) || *size == 0)
		return false;
	if (a->next == NULL)
		return true;
	last = a->next->text;
	first = span_cut(&last, ':');
	return num_u32(first, from) && num_u32(last, to) && *from > 0 &&
	    *to > 0;
}

/*
 * From the highest UID down; between two batches there is no gap, and the
 * last one ends at 1.
 */
static void
put(struct imap *im, size_t size, uint32_t from, uint32_t to)
{
	size_t count = folder_count(im->folder), end = count;
	char before = ' ';

	for (uint32_t k = 1; end > 0 && k <= to; k++) {
		size_t begin = end > size ? end - size : 0;

		if (k >= from) {
			uint32_t high = end == count
			    ? folder_msg(im->folder, end - 1)->uid
			    : folder_msg(im->folder, end)->uid - 1;
			uint32_t low =
			    begin == 0 ? 1 : folder_msg(im->folder, begin)->uid;

			out_putc(&im->out, before);
			out_putu(&im->out, high);
			out_putc(&im->out, ':');
			out_putu(&im->out, low);
			before = ',';
		}
		end = begin;
	}
}

void
cmd_uidbatches(struct imap *im)
{
	uint32_t size, from, to;

	if (!parse(im->e.args, &size, &from, &to)) {
		imap_bad(im, "Not a size and a range of batches");
		return;
	}
	if (from > to) {
		imap_bad(im, "[CLIENTBUG] The lower batch comes first");
		return;
	}
	if (size < LEAST) {
		imap_reply(
		    im, "NO [TOOFEW] A batch has %d messages or more", LEAST);
		return;
	}
	sync_run(im, true);
	out_puts(&im->out, "* UIDBATCHES (TAG \"");
	out_put(&im->out, im->e.tag);
	out_puts(&im->out, "\")");
	put(im, size, from, to);
	out_puts(&im->out, "\r\n");
	imap_reply(im, "OK Batches completed");
}
