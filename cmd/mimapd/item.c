/* The words of a FETCH: RFC 3501, section 6.4.5. */
#include "base/num.h"
#include "fetch.h"

static const struct {
	const char *name;
	struct item item;
} names[] = {
	/* clang-format off */
	{ "UID",           { .kind = ITEM_UID } },
	{ "FLAGS",         { .kind = ITEM_FLAGS } },
	{ "INTERNALDATE",  { .kind = ITEM_DATE } },
	{ "RFC822.SIZE",   { .kind = ITEM_SIZE } },
	{ "MODSEQ",        { .kind = ITEM_MODSEQ } },
	{ "SAVEDATE",      { .kind = ITEM_SAVEDATE } },
	{ "EMAILID",       { .kind = ITEM_EMAILID } },
	{ "THREADID",      { .kind = ITEM_THREADID } },
	{ "ENVELOPE",      { .kind = ITEM_ENVELOPE } },
	{ "BODY",          { .kind = ITEM_BODY } },
	{ "BODYSTRUCTURE", { .kind = ITEM_STRUCTURE } },
	{ "PREVIEW",       { .kind = ITEM_PREVIEW } },
	{ "RFC822",        { .kind = ITEM_SECTION, .label = "RFC822",
	    .seen = true } },
	{ "RFC822.PEEK",   { .kind = ITEM_SECTION, .label = "RFC822" } },
	{ "RFC822.HEADER", { .kind = ITEM_SECTION, .label = "RFC822.HEADER",
	    .section = SECTION_HEADER } },
	{ "RFC822.TEXT",   { .kind = ITEM_SECTION, .label = "RFC822.TEXT",
	    .section = SECTION_TEXT, .seen = true } },
	{ "BODY[",         { .kind = ITEM_SECTION, .seen = true } },
	{ "BODY.PEEK[",    { .kind = ITEM_SECTION } },
	{ "BINARY[",       { .kind = ITEM_BINARY, .seen = true } },
	{ "BINARY.PEEK[",  { .kind = ITEM_BINARY } },
	{ "BINARY.SIZE[",  { .kind = ITEM_BINARY_SIZE } },
	/* clang-format on */
};

static const struct {
	const char *name;
	enum section_kind kind;
} sections[] = {
	{ "HEADER", SECTION_HEADER },
	{ "HEADER.FIELDS", SECTION_FIELDS },
	{ "HEADER.FIELDS.NOT", SECTION_FIELDS_NOT },
	{ "TEXT", SECTION_TEXT },
	{ "MIME", SECTION_MIME },
};

static struct item *
add(struct imap *im, struct item ***tail, const struct item *from)
{
	struct item *it = arena_alloc(&im->e.arena, sizeof(*it));

	*it = *from;
	**tail = it;
	*tail = &it->next;
	return it;
}

/* section-spec = section-msgtext / (section-part ["." section-text]) */
static bool
parse_section(struct item *it, struct span s)
{
	size_t n = 0;

	while (n < s.n && (is_digit(s.p[n]) || s.p[n] == '.'))
		n++;
	it->number = span_take(&s, n);
	if (n > 0 && s.n > 0) {
		if (it->number.p[--it->number.n] != '.')
			return false;
	}
	for (size_t i = 0; i < it->number.n; i++)
		if (it->number.p[i] == '.' &&
		    (i == 0 || it->number.p[i - 1] == '.'))
			return false;
	if (it->number.n > 0 &&
	    (it->number.p[it->number.n - 1] == '.' || it->number.p[0] == '0'))
		return false;
	if (s.n == 0)
		return true;
	if (it->kind != ITEM_SECTION)
		return false;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (span_iis(s, sections[i].name)) {
			it->section = sections[i].kind;
			return it->section != SECTION_MIME || it->number.n > 0;
		}
	return false;
}

/* "]" ["<" number64 "." nz-number64 ">"] */
static bool
parse_end(struct item *it, struct span s)
{
	struct span from;

	if (s.n == 0 || *s.p != ']')
		return false;
	span_take(&s, 1);
	if (s.n == 0)
		return true;
	if (it->kind == ITEM_BINARY_SIZE || *s.p != '<' || s.p[s.n - 1] != '>')
		return false;
	s = (struct span){ s.p + 1, s.n - 2 };
	from = span_cut(&s, '.');
	it->partial = true;
	return num_u64(from, &it->from) && num_u64(s, &it->count) &&
	    it->count > 0;
}

static bool
field_names(const struct imap_arg *a)
{
	if (a == NULL || a->type != IMAP_LIST || a->list == NULL)
		return false;
	for (a = a->list; a != NULL; a = a->next)
		if (a->type == IMAP_LIST || a->text.n == 0 ||
		    a->text.n > LIMIT_IMAP_LITERAL)
			return false;
	return true;
}

bool
item_is_lazy(const struct imap_arg *list, const struct imap_arg *before)
{
	return list != NULL && list->type == IMAP_LIST && list->list != NULL &&
	    list->list->type == IMAP_ATOM &&
	    span_iis(list->list->text, "LAZY") && list->list->next == NULL &&
	    before->type == IMAP_ATOM && span_iis(before->text, "PREVIEW");
}

/* An atom, or an atom, a list of field names and "]...": *a moves on. */
static bool
parse_one(struct imap *im, const struct imap_arg **a, struct item ***tail)
{
	struct span s = (*a)->text, name = s;
	size_t bracket = span_chr(s, '['), close;
	struct item *it = NULL;

	if ((*a)->type != IMAP_ATOM)
		return false;
	if (bracket < s.n)
		name.n = bracket + 1;
	span_take(&s, name.n);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_iis(name, names[i].name))
			it = add(im, tail, &names[i].item);
	if (it == NULL)
		return false;
	if (bracket == (*a)->text.n) {
		it->lazy = item_is_lazy((*a)->next, *a);
		if (it->lazy)
			*a = (*a)->next;
		return true;
	}
	close = span_chr(s, ']');
	if (!parse_section(it, (struct span){ s.p, close }))
		return false;
	if (it->section == SECTION_FIELDS ||
	    it->section == SECTION_FIELDS_NOT) {
		const struct imap_arg *list = (*a)->next;

		if (close < s.n || !field_names(list) ||
		    !imap_is_string(list->next))
			return false;
		it->names = list->list;
		*a = list->next;
		return parse_end(it, (*a)->text);
	}
	span_take(&s, close);
	return parse_end(it, s);
}

static bool
parse_items(struct imap *im, const struct imap_arg *a, struct item **items)
{
	static const struct item flags = { .kind = ITEM_FLAGS },
				 date = { .kind = ITEM_DATE },
				 size = { .kind = ITEM_SIZE },
				 env = { .kind = ITEM_ENVELOPE },
				 body = { .kind = ITEM_BODY };
	struct item **tail = items;
	bool all = span_iis(a->text, "ALL"), full = span_iis(a->text, "FULL");

	*items = NULL;
	if (all || full || span_iis(a->text, "FAST")) {
		add(im, &tail, &flags);
		add(im, &tail, &date);
		add(im, &tail, &size);
		if (all || full)
			add(im, &tail, &env);
		if (full)
			add(im, &tail, &body);
		return a->next == NULL;
	}
	if (a->type != IMAP_LIST)
		return parse_one(im, &a, &tail) && a->next == NULL;
	if (a->list == NULL || a->next != NULL)
		return false;
	a = a->list;
	for (; a != NULL; a = a->next)
		if (!parse_one(im, &a, &tail))
			return false;
	return true;
}

static bool
has(const struct item *it, enum item_kind kind)
{
	for (; it != NULL; it = it->next)
		if (it->kind == kind)
			return true;
	return false;
}

bool
item_parse(struct imap *im, const struct imap_arg *a, const struct modifiers *m,
    struct item **items)
{
	static const struct item uid = { .kind = ITEM_UID },
				 modseq = { .kind = ITEM_MODSEQ };
	struct item *rest, **tail = items;

	if (!parse_items(im, a, items))
		return false;
	rest = *items;
	if (im->e.uid && !(im->enabled & ENABLE_UIDONLY) &&
	    !has(rest, ITEM_UID))
		add(im, &tail, &uid);
	if (m->changed && !has(rest, ITEM_MODSEQ))
		add(im, &tail, &modseq);
	*tail = rest;
	for (rest = *items; rest != NULL; rest = rest->next)
		section_prepare(im, rest);
	return true;
}
