#include "store/uidlist.h"

#include "base/num.h"
#include "store/mdname.h"

/* "1 UIDVALIDITY UIDNEXT" */
static bool
old_header(struct uidlist *u, struct span line)
{
	struct span validity = span_word(&line), next = span_word(&line);

	return num_u32(validity, &u->uidvalidity) && num_u32(next, &u->uidnext);
}

/* "3 V1275660208 N25022 G3085f0..." */
static bool
new_header(struct uidlist *u, struct span line)
{
	struct span word;
	char c;

	u->extended = true;
	while ((word = span_word(&line)).n > 0) {
		c = *span_take(&word, 1).p;
		if (c == 'V' && !num_u32(word, &u->uidvalidity))
			return false;
		if (c == 'N' && !num_u32(word, &u->uidnext))
			return false;
	}
	return true;
}

bool
uidlist_begin(struct uidlist *u, struct span text)
{
	struct span line = span_cut(&text, '\n'), version = span_word(&line);
	bool ok = false;

	*u = (struct uidlist){ .in = text };
	if (span_is(version, "1"))
		ok = old_header(u, line);
	else if (span_is(version, "3"))
		ok = new_header(u, line);
	if (u->uidnext == 0)
		u->uidnext = 1;
	return ok && u->uidvalidity != 0;
}

/* Words of a letter and a value, then ":NAME", where NAME is the rest. */
static bool
extensions(struct uidlist_row *row, struct span line)
{
	struct span word;
	char c;

	while (line.n > 0 && *line.p != ':') {
		word = span_cut(&line, ' ');
		if (word.n == 0)
			continue;
		c = *span_take(&word, 1).p;
		if (c == 'P')
			row->uidl = word;
		else if (c == 'W')
			row->wire = num_or(word, UINT64_MAX, 0);
	}
	if (line.n == 0)
		return false;
	span_take(&line, 1);
	row->base = line;
	return true;
}

static bool
parse_row(struct uidlist *u, struct span line, struct uidlist_row *row)
{
	*row = (struct uidlist_row){ 0 };
	if (!num_u32(span_cut(&line, ' '), &row->uid) || row->uid <= u->last ||
	    row->uid == UINT32_MAX)
		return false;
	row->base = line;
	if (u->extended && !extensions(row, line))
		return false;
	row->base = mdname_base(row->base);
	if (row->base.n == 0 || row->base.n > MDNAME_MAX ||
	    span_chr(row->base, '/') < row->base.n)
		return false;
	return true;
}

bool
uidlist_next(struct uidlist *u, struct uidlist_row *row)
{
	struct span line;

	while (u->in.n > 0) {
		line = span_cut(&u->in, '\n');
		if (parse_row(u, line, row)) {
			u->last = row->uid;
			if (u->uidnext <= row->uid)
				u->uidnext = row->uid + 1;
			return true;
		}
		u->bad++;
	}
	return false;
}
