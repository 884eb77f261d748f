/* Search keys: RFC 3501, section 6.4.4. */
#include "base/date.h"
#include "base/num.h"
#include "mail/utf8.h"
#include "search.h"

struct parser {
	struct imap *im;
	const struct imap_arg *at;
	unsigned left, depth;
	enum key_result result;
};

static const struct {
	const char *name;
	uint16_t flags;
	bool not ;
} flag_keys[] = {
	/* clang-format off */
	{ "ANSWERED",   FLAG_ANSWERED, false },
	{ "DELETED",    FLAG_DELETED,  false },
	{ "DRAFT",      FLAG_DRAFT,    false },
	{ "FLAGGED",    FLAG_FLAGGED,  false },
	{ "RECENT",     FLAG_RECENT,   false },
	{ "SEEN",       FLAG_SEEN,     false },
	{ "UNANSWERED", FLAG_ANSWERED, true },
	{ "UNDELETED",  FLAG_DELETED,  true },
	{ "UNDRAFT",    FLAG_DRAFT,    true },
	{ "UNFLAGGED",  FLAG_FLAGGED,  true },
	{ "UNSEEN",     FLAG_SEEN,     true },
	{ "OLD",        FLAG_RECENT,   true },
	{ "ALL",        0,             false },
	/* clang-format on */
};

static const struct {
	const char *name;
	enum key_kind kind;
	const char *field;
} value_keys[] = {
	/* clang-format off */
	{ "BEFORE",     KEY_BEFORE,     NULL },
	{ "ON",         KEY_ON,         NULL },
	{ "SINCE",      KEY_SINCE,      NULL },
	{ "SENTBEFORE", KEY_SENTBEFORE, NULL },
	{ "SENTON",     KEY_SENTON,     NULL },
	{ "SENTSINCE",  KEY_SENTSINCE,  NULL },
	{ "LARGER",     KEY_LARGER,     NULL },
	{ "SMALLER",    KEY_SMALLER,    NULL },
	{ "KEYWORD",    KEY_KEYWORD,    NULL },
	{ "UNKEYWORD",  KEY_KEYWORD,    "" },
	{ "UID",        KEY_UID,        NULL },
	{ "UIDAFTER",   KEY_UID,        "a" },
	{ "UIDBEFORE",  KEY_UID,        "b" },
	{ "MODSEQ",     KEY_MODSEQ,     NULL },
	{ "BCC",        KEY_HEADER,     "Bcc" },
	{ "CC",         KEY_HEADER,     "Cc" },
	{ "FROM",       KEY_HEADER,     "From" },
	{ "SUBJECT",    KEY_HEADER,     "Subject" },
	{ "TO",         KEY_HEADER,     "To" },
	{ "HEADER",     KEY_HEADER,     NULL },
	{ "BODY",       KEY_BODY,       NULL },
	{ "TEXT",       KEY_TEXT,       NULL },
	/* clang-format on */
};

static bool
fail(struct parser *p, enum key_result why)
{
	p->result = why;
	return false;
}

/* The next argument, when it is a string. */
static bool
take(struct parser *p, struct span *s)
{
	if (!imap_is_string(p->at))
		return fail(p, KEY_SYNTAX);
	*s = p->at->text;
	p->at = p->at->next;
	return true;
}

/* date = date-text / DQUOTE date-text DQUOTE, date-text = day-month-year */
static bool
take_day(struct parser *p, struct key *k)
{
	struct civil c = { 0 };
	struct span s, day, month;

	if (!take(p, &s) || s.n < 8)
		return fail(p, KEY_SYNTAX);
	day = span_trim(span_cut(&s, '-'));
	if (s.n == 0)
		return fail(p, KEY_SYNTAX);
	month = span_cut(&s, '-');
	c.day = (int)num_or(day, 31, 0);
	c.month = date_month(month);
	c.year = s.n == 4 ? (int)num_or(s, 9999, 0) : 0;
	if (c.year == 0 || !date_valid(c))
		return fail(p, KEY_SYNTAX);
	k->day = date_days(c.year, c.month, c.day);
	return true;
}

/* Where a match goes on after a byte that does not fit. */
static uint32_t *
table(struct arena *a, struct span s)
{
	uint32_t *t = arena_alloc(a, (s.n + 1) * sizeof(*t)), n = 0;

	for (size_t i = 1; i < s.n; i++) {
		while (n > 0 && s.p[i] != s.p[n])
			n = t[n];
		if (s.p[i] == s.p[n])
			n++;
		t[i + 1] = n;
	}
	return t;
}

static bool
take_needle(struct parser *p, struct key *k)
{
	struct arena *a = &p->im->e.arena;
	struct span s;
	char *to;

	if (!take(p, &s))
		return false;
	if (arena_left(a) < s.n * 8 + 1024)
		return fail(p, KEY_LIMIT);
	to = arena_str(a, s);
	utf8_fold_all(to, s.n);
	k->needle = (struct span){ to, s.n };
	k->fail = table(a, k->needle);
	return true;
}

static bool
take_set(struct parser *p, struct key *k, struct span s, bool uid)
{
	size_t count = folder_count(p->im->folder);
	uint32_t largest = (uint32_t)count;

	k->kind = uid ? KEY_UID : KEY_SET;
	if (span_is(s, "$")) {
		k->kind = KEY_UID;
		k->set = p->im->saved;
		return true;
	}
	if (!uid && p->im->enabled & ENABLE_UIDONLY)
		return fail(p, KEY_UIDREQUIRED);
	if (uid && count > 0)
		largest = folder_msg(p->im->folder, count - 1)->uid;
	if (!imapset_parse(&p->im->e.arena, s, largest, &k->set))
		return fail(p, KEY_SYNTAX);
	if (!uid && imapset_max(&k->set) > count)
		return fail(p, KEY_SYNTAX);
	return true;
}

/* "UIDAFTER" / "UIDBEFORE" SP uniqueid (RFC 9586) */
static bool
take_side(struct parser *p, struct key *k, bool after)
{
	struct imapset_range *r = arena_alloc(&p->im->e.arena, sizeof(*r));
	struct span s;
	uint32_t uid;

	if (!take(p, &s) || !num_u32(s, &uid) || uid == 0)
		return fail(p, KEY_SYNTAX);
	*r = after ? (struct imapset_range){ uid + 1, UINT32_MAX }
		   : (struct imapset_range){ 1, uid - 1 };
	k->set.range = r;
	k->set.n = r->first <= r->last && uid + after != 0;
	return true;
}

/* "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer */
static bool
take_modseq(struct parser *p, struct key *k)
{
	struct span s;

	if (!take(p, &s))
		return false;
	if (s.n > 0 && *s.p == '/' && (!take(p, &s) || !take(p, &s)))
		return false;
	p->im->modseq_key = true;
	return (num_u64(s, &k->size) && k->size <= INT64_MAX) ||
	    fail(p, KEY_SYNTAX);
}

static bool
take_value(struct parser *p, struct key *k, const char *field)
{
	struct span s;

	switch (k->kind) {
	case KEY_BEFORE:
	case KEY_ON:
	case KEY_SINCE:
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE:
		return take_day(p, k);
	case KEY_LARGER:
	case KEY_SMALLER:
		return take(p, &s) &&
		    (num_u64(s, &k->size) || fail(p, KEY_SYNTAX));
	case KEY_KEYWORD:
		k->not = field != NULL;
		if (!take(p, &s))
			return false;
		k->keyword = folder_keyword(p->im->folder, s, false);
		return true;
	case KEY_UID:
		if (field != NULL)
			return take_side(p, k, *field == 'a');
		return take(p, &s) && take_set(p, k, s, true);
	case KEY_MODSEQ:
		return take_modseq(p, k);
	case KEY_HEADER:
		if (field != NULL)
			k->field = span_of(field);
		else if (!take(p, &k->field))
			return false;
		return take_needle(p, k);
	case KEY_BODY:
	case KEY_TEXT:
		return take_needle(p, k);
	case KEY_ALL:
	case KEY_FLAG:
	case KEY_SET:
	case KEY_AND:
	case KEY_OR:
		break;
	}
	return fail(p, KEY_SYNTAX);
}

/* The keys without an argument; NEW is RECENT and UNSEEN. */
static bool
flag_key(struct parser *p, struct key *k, struct span name)
{
	for (size_t i = 0; i < sizeof(flag_keys) / sizeof(flag_keys[0]); i++)
		if (span_iis(name, flag_keys[i].name)) {
			k->kind = flag_keys[i].flags == 0 ? KEY_ALL : KEY_FLAG;
			k->flags = flag_keys[i].flags;
			k->not = flag_keys[i].not ;
			return true;
		}
	if (!span_iis(name, "NEW"))
		return false;
	k->kind = KEY_AND;
	k->a = arena_alloc(&p->im->e.arena, 2 * sizeof(*k));
	k->a[0] = (struct key){
		.kind = KEY_FLAG, .flags = FLAG_RECENT, .next = &k->a[1]
	};
	k->a[1] =
	    (struct key){ .kind = KEY_FLAG, .flags = FLAG_SEEN, .not = true };
	return true;
}

static bool parse_list(struct parser *, struct key **);

static bool parse_key(struct parser *, struct key **);

/* "NOT" SP search-key / "OR" SP search-key SP search-key */
static bool
operator_key(struct parser *p, struct key *k, bool is_not)
{
	if (is_not) {
		k->kind = KEY_AND;
		k->not = true;
		return parse_key(p, &k->a);
	}
	k->kind = KEY_OR;
	return parse_key(p, &k->a) && parse_key(p, &k->b);
}

static bool
named_key(struct parser *p, struct key *k)
{
	struct span name;

	if (!take(p, &name))
		return false;
	if (span_iis(name, "NOT") || span_iis(name, "OR"))
		return operator_key(p, k, span_iis(name, "NOT"));
	if (flag_key(p, k, name))
		return true;
	for (size_t i = 0; i < sizeof(value_keys) / sizeof(value_keys[0]); i++)
		if (span_iis(name, value_keys[i].name)) {
			k->kind = value_keys[i].kind;
			return take_value(p, k, value_keys[i].field);
		}
	return take_set(p, k, name, false);
}

static bool
parse_key(struct parser *p, struct key **key)
{
	struct key *k;
	bool ok;

	if (p->at == NULL)
		return fail(p, KEY_SYNTAX);
	if (p->left-- == 0 || ++p->depth > LIMIT_IMAP_NESTING * 2 ||
	    arena_left(&p->im->e.arena) < 4096)
		return fail(p, KEY_LIMIT);
	*key = k = arena_alloc(&p->im->e.arena, sizeof(*k));
	if (p->at->type == IMAP_LIST) {
		const struct imap_arg *next = p->at->next;

		k->kind = KEY_AND;
		p->at = p->at->list;
		ok = parse_list(p, &k->a);
		p->at = next;
	} else {
		ok = named_key(p, k);
	}
	p->depth--;
	return ok;
}

/* search-key *(SP search-key) */
static bool
parse_list(struct parser *p, struct key **first)
{
	if (p->at == NULL)
		return fail(p, KEY_SYNTAX);
	while (p->at != NULL) {
		if (!parse_key(p, first))
			return false;
		first = &(*first)->next;
	}
	return true;
}

enum key_result
key_parse(struct imap *im, const struct imap_arg *args, struct key **key)
{
	struct parser p = { .im = im, .at = args, .left = LIMIT_IMAP_KEYS };

	im->modseq_key = false;
	*key = arena_alloc(&im->e.arena, sizeof(**key));
	(*key)->kind = KEY_AND;
	parse_list(&p, &(*key)->a);
	return p.result;
}
