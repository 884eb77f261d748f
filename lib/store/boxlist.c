/* LIST: the folders, what is subscribed, and the levels between. */
#include <errno.h>

#include "base/die.h"
#include "base/grow.h"
#include "base/num.h"
#include "io/conf.h"
#include "store/boxdir.h"
#include "store/boxfile.h"
#include "store/boxname.h"

struct row {
	size_t name, len; /* in text */
	unsigned attrs;
};

struct list {
	struct boxes *b;
	struct buf text;
	struct row *row;
	size_t n, cap;
	unsigned uses; /* those that a file gave to a folder */
};

static const size_t text_max = 33554432;

static struct span
row_name(const struct list *l, size_t i)
{
	return (struct span){ l->text.p + l->row[i].name, l->row[i].len };
}

static void
add(struct list *l, struct span name, unsigned attrs)
{
	size_t at = l->text.n;

	if (!buf_put(&l->text, name) || !buf_putc(&l->text, '\0'))
		return;
	l->row = grow_array(l->row, l->n, &l->cap, sizeof(l->row[0]));
	l->row[l->n++] = (struct row){ at, name.n, attrs };
}

/* Lines of folders: each is a mailbox with these attributes. */
static void
add_dirs(struct list *l, struct span dirs, unsigned attrs)
{
	char dir[BOXNAME_DIR];
	struct span line;
	struct buf name;

	buf_init(&name, LIMIT_MAILBOX_NAME);
	while (dirs.n > 0) {
		line = span_cut(&dirs, '\n');
		buf_clear(&name);
		if (span_is(line, "INBOX"))
			add(l, line, attrs);
		else if (span_cstr(line, dir, sizeof(dir)) &&
		    boxname_of_in(l->b, &name, dir))
			add(l, buf_span(&name), attrs);
	}
	buf_free(&name);
}

static void
add_uses(struct list *l, struct span lines)
{
	struct span line, word;
	uint32_t use;

	while (lines.n > 0) {
		line = span_cut(&lines, '\n');
		word = span_word(&line);
		if (!num_u32(word, &use))
			continue;
		l->uses |= use;
		add_dirs(l, span_trim(line), BOX_NONEXISTENT | use);
	}
}

/* Every level above a mailbox that is there, or is subscribed. */
static void
add_parents(struct list *l)
{
	size_t n = l->n;

	for (size_t i = 0; i < n; i++) {
		struct span name = row_name(l, i);
		unsigned above = BOX_NONEXISTENT;
		size_t at;

		if ((l->row[i].attrs & BOX_NONEXISTENT) == 0)
			above |= BOX_HASCHILDREN;
		else if ((l->row[i].attrs & BOX_SUBSCRIBED) != 0)
			above |= BOX_ABOVE;
		else
			continue;
		while ((at = span_rchr(name, l->b->separator)) < name.n) {
			name.n = at;
			/* name lies in the text, which must not move now */
			if (buf_room(&l->text, at + 1) == NULL)
				return;
			name.p = l->text.p + l->row[i].name;
			add(l, span_iis(name, "INBOX") ? SPAN("INBOX") : name,
			    above);
			name = (struct span){ l->text.p + l->row[i].name, at };
		}
	}
}

static const char *sort_text;

static int
by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	struct span p = { sort_text + x->name, x->len };
	struct span q = { sort_text + y->name, y->len };
	bool pi = span_is(p, "INBOX"), qi = span_is(q, "INBOX");

	if (pi != qi)
		return pi ? -1 : 1;
	return span_cmp(p, q);
}

/* Rows of one name become one: it exists if any of them does. */
static void
merge_rows(struct list *l)
{
	size_t n = 0;

	sort_text = l->text.p;
	qsort(l->row, l->n, sizeof(l->row[0]), by_name);
	for (size_t i = 0; i < l->n; i++) {
		struct row *r = &l->row[n == 0 ? 0 : n - 1];

		if (n > 0 && span_eq(row_name(l, n - 1), row_name(l, i))) {
			unsigned none =
			    r->attrs & l->row[i].attrs & BOX_NONEXISTENT;

			r->attrs = ((r->attrs | l->row[i].attrs) &
				       ~(unsigned)BOX_NONEXISTENT) |
			    none;
			continue;
		}
		l->row[n++] = l->row[i];
	}
	l->n = n;
}

/*
 * A level that is there only for what is below it can't be selected; a
 * use without a folder and without a subscription is dropped.
 */
static void
settle(struct list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct row r = l->row[i];

		if ((r.attrs & BOX_NONEXISTENT) != 0) {
			r.attrs &= BOX_NONEXISTENT | BOX_HASCHILDREN |
			    BOX_SUBSCRIBED | BOX_ABOVE;
			if ((r.attrs & BOX_HASCHILDREN) != 0)
				r.attrs = (r.attrs | BOX_NOSELECT) &
				    ~(unsigned)BOX_NONEXISTENT;
			else if ((r.attrs & (BOX_SUBSCRIBED | BOX_ABOVE)) == 0)
				continue;
		}
		l->row[n++] = r;
	}
	l->n = n;
}

/* With the prefix or without it. */
static bool
is_named(const struct list *l, struct span box, struct span name)
{
	struct span rest = box;

	if (span_starts(box, l->b->prefix))
		span_take(&rest, strlen(l->b->prefix));
	return span_eq(rest, name) || span_eq(box, name);
}

/* `imap` in the configuration: "sent NAME"; else the usual names. */
static void
name_use(struct list *l, unsigned use, struct span name)
{
	if ((l->uses & use) != 0)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (is_named(l, row_name(l, i), name) &&
		    (l->row[i].attrs & (BOX_NOSELECT | BOX_NONEXISTENT)) == 0) {
			l->row[i].attrs |= use;
			l->uses |= use;
		}
}

static void
usual_uses(struct list *l)
{
	static struct conf c;
	struct span line, word;

	if (conf_open(&c, "imap") == 0) {
		while (conf_next(&c, &line) == 1) {
			word = span_word(&line);
			if (boxfile_use(word) != 0)
				name_use(l, boxfile_use(word), span_trim(line));
		}
		conf_close(&c);
	}
	name_use(l, BOX_DRAFTS, SPAN("Drafts"));
	name_use(l, BOX_JUNK, SPAN("Junk"));
	name_use(l, BOX_JUNK, SPAN("Spam"));
	name_use(l, BOX_SENT, SPAN("Sent"));
	name_use(l, BOX_SENT, SPAN("Sent Messages")); /* Apple Mail */
	name_use(l, BOX_SENT, SPAN("Sent Items"));    /* Outlook */
	name_use(l, BOX_TRASH, SPAN("Trash"));
	name_use(l, BOX_TRASH, SPAN("Deleted Messages"));
	name_use(l, BOX_TRASH, SPAN("Deleted Items"));
	name_use(l, BOX_ARCHIVE, SPAN("Archive"));
}

/* One block: the array, then the names. */
static struct box *
pack(const struct list *l)
{
	size_t head = (l->n + 1) * sizeof(struct box);
	struct box *box = die_calloc(head + l->text.n, 1);
	char *text = (char *)box + head;

	memcpy(text, l->text.p, l->text.n);
	for (size_t i = 0; i < l->n; i++)
		box[i] = (struct box){ text + l->row[i].name, l->row[i].attrs };
	return box;
}

static int
gather(struct list *l)
{
	struct buf b;
	int r;

	buf_init(&b, text_max);
	r = boxdir_list(l->b, NULL, &b);
	add_dirs(l, buf_span(&b), 0);
	buf_clear(&b);
	if (r == 0)
		r = boxfile_subscribed(l->b->fd, &b);
	add_dirs(l, buf_span(&b), BOX_SUBSCRIBED | BOX_NONEXISTENT);
	buf_clear(&b);
	if (r == 0)
		r = boxfile_uses(l->b->fd, &b);
	add_uses(l, buf_span(&b));
	buf_free(&b);
	return r;
}

int
boxes_list(struct boxes *b, struct box **list)
{
	struct list l = { .b = b };
	int r, err;

	buf_init(&l.text, text_max);
	add(&l, SPAN("INBOX"), 0);
	r = gather(&l);
	err = errno;
	if (r == 0) {
		add_parents(&l);
		merge_rows(&l);
		settle(&l);
		usual_uses(&l);
		*list = pack(&l);
		r = (int)l.n;
	}
	buf_free(&l.text);
	free(l.row);
	errno = err;
	return r;
}
