/* The mailboxes of the server, and their names with us. */
#include "base/die.h"
#include "base/grow.h"
#include "imapin.h"
#include "imaplink.h"
#include "mindex.h"
#include "store/mutf7.h"

static struct {
	struct remote *box;
	size_t n, cap;
	struct buf name, scratch, prefix;
	bool answered; /* NAMESPACE */
} list;

static char *
copy_of(struct span s)
{
	char *p = die_calloc(s.n + 1, 1);

	if (!span_cstr(s, p, s.n + 1))
		p[0] = '\0';
	return p;
}

/* The first string of "NAMESPACE ((PREFIX SEP) ...". */
static void namespace(struct span text)
{
	struct span t;
	enum imapc_token k;

	if (!span_iis(span_word(&text), "NAMESPACE"))
		return;
	while ((k = imapc_token(&text, &t, &list.scratch)) == IMAPC_OPEN)
		continue;
	buf_clear(&list.prefix);
	if (k == IMAPC_STRING)
		buf_put(&list.prefix, t);
}

/* One level: what can't stand in a name of ours becomes "_". */
static void
put_level(struct buf *b, struct span level)
{
	for (size_t i = 0; i < level.n; i++) {
		char c = level.p[i];

		buf_putc(b, c == '.' || c == '/' ? '_' : c);
	}
}

/* Without the prefix, in UTF-8, levels between "/". */
static char *
our_name(struct span raw, char sep)
{
	struct buf plain, b;
	struct span s, prefix = buf_span(&list.prefix);
	char *name = NULL;

	buf_init(&plain, LIMIT_MAILBOX_NAME);
	buf_init(&b, LIMIT_MAILBOX_NAME);
	if (prefix.n > 0 && raw.n > prefix.n &&
	    span_eq((struct span){ raw.p, prefix.n }, prefix))
		span_take(&raw, prefix.n);
	if (!mutf7_decode(&plain, raw)) {
		buf_clear(&plain);
		buf_put(&plain, raw);
	}
	s = buf_span(&plain);
	while (s.n > 0) {
		if (b.n > 0)
			buf_putc(&b, '/');
		if (sep == '\0') {
			put_level(&b, s);
			break;
		}
		put_level(&b, span_cut(&s, sep));
	}
	if (!b.over && !plain.over && b.n > 0)
		name = copy_of(span_iis(buf_span(&b), "INBOX") ? SPAN("INBOX")
							       : buf_span(&b));
	buf_free(&plain);
	buf_free(&b);
	return name;
}

static void
listed(struct span text)
{
	unsigned attrs;
	char sep;

	if (!imapc_list(text, &attrs, &sep, &list.name, &list.scratch)) {
		if (!span_istarts(text, "LIST "))
			return;
		warn("a mailbox is left: its name is too long, or none");
		status = EXIT_TEMP;
		return;
	}
	list.box = grow_array(list.box, list.n, &list.cap, sizeof(*list.box));
	list.box[list.n] =
	    (struct remote){ .raw = copy_of(buf_span(&list.name)),
		    .attrs = attrs,
		    .sep = sep,
		    .at = list.n };
	list.n++;
}

static int
by_name(const void *a, const void *b)
{
	const struct remote *x = a, *y = b;
	int r = strcmp(x->raw, y->raw);

	return r != 0 ? r : x->at < y->at ? -1 : 1;
}

static int
by_place(const void *a, const void *b)
{
	const struct remote *x = a, *y = b;

	return x->at < y->at ? -1 : 1;
}

/*
 * A mailbox once, with all that was said of it.  One that is subscribed and
 * not listed is not there.
 */
static void
join(void)
{
	size_t n = 0;

	if (list.n > 0)
		qsort(list.box, list.n, sizeof(*list.box), by_name);
	for (size_t i = 0; i < list.n; i++) {
		struct remote *r = &list.box[i], *last = &list.box[n - (n > 0)];

		if (n > 0 && strcmp(last->raw, r->raw) == 0) {
			last->attrs |= r->attrs & ~(unsigned)IMAPC_NOSELECT;
			free(r->raw);
		} else if ((r->attrs & IMAPC_LSUB) != 0) {
			free(r->raw);
		} else {
			list.box[n++] = *r;
		}
	}
	list.n = n;
	if (n > 0)
		qsort(list.box, n, sizeof(*list.box), by_place);
	for (size_t i = 0; i < n; i++)
		list.box[i].name =
		    our_name(span_of(list.box[i].raw), list.box[i].sep);
}

struct remote *
remote_list(size_t *n)
{
	buf_init(&list.name, LIMIT_MAILBOX_NAME);
	buf_init(&list.scratch, LIMIT_IMAP_RESPONSE);
	buf_init(&list.prefix, LIMIT_MAILBOX_NAME);
	link_untagged = namespace;
	if (link_has("NAMESPACE"))
		link_run(SPAN("NAMESPACE"));
	link_untagged = listed;
	if (!link_has("LIST-EXTENDED") ||
	    !link_runf("LIST \"\" \"*\" RETURN (SUBSCRIBED%s)",
		link_has("SPECIAL-USE") ? " SPECIAL-USE" : "")) {
		if (!link_run(SPAN("LIST \"\" \"*\"")))
			die(EXIT_TEMP, "the server says %s", link_answer());
		link_run(SPAN("LSUB \"\" \"*\""));
	}
	link_untagged = NULL;
	join();
	*n = list.n;
	return list.box;
}
