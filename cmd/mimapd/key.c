/* Search keys: RFC 9051, section 6.4.4; RFC 5032; RFC 7162. */
#include "search.h"

#include <time.h>

#include "base/date.h"
#include "base/num.h"
#include "mail/casemap.h"
#include "mail/digest.h"

struct parser {
	struct imap *im;
	struct search *s;
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
	{ "SAVEDATESUPPORTED", 0,      false },
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
	{ "SAVEDBEFORE", KEY_SAVEDBEFORE, NULL },
	{ "SAVEDON",    KEY_SAVEDON,    NULL },
	{ "SAVEDSINCE", KEY_SAVEDSINCE, NULL },
	{ "EMAILID",    KEY_EMAILID,    NULL },
	{ "THREADID",   KEY_THREADID,   NULL },
	{ "SENTBEFORE", KEY_SENTBEFORE, NULL },
	{ "SENTON",     KEY_SENTON,     NULL },
	{ "SENTSINCE",  KEY_SENTSINCE,  NULL },
	{ "OLDER",      KEY_OLDER,      NULL },
	{ "YOUNGER",    KEY_YOUNGER,    NULL },
	{ "LARGER",     KEY_LARGER,     NULL },
	{ "SMALLER",    KEY_SMALLER,    NULL },
	{ "MODSEQ",     KEY_MODSEQ,     NULL },
	{ "KEYWORD",    KEY_KEYWORD,    NULL },
	{ "UNKEYWORD",  KEY_KEYWORD,    "" },
	{ "UID",        KEY_UID,        NULL },
	{ "UIDAFTER",   KEY_UID,        "a" },
	{ "UIDBEFORE",  KEY_UID,        "b" },
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

static bool
take_needle(struct parser *p, struct key *k)
{
	struct arena *a = p->s->arena;
	struct span text;
	struct buf utf8, mapped;
	enum key_result r = KEY_OK;

	if (!take(p, &text))
		return false;
	utf8 = (struct buf){ .max = text.n * 8 + 64 };
	mapped = (struct buf){ .max = text.n * CASEMAP_ROOM + 64 };
	if (p->s->charset.n == 0)
		buf_put(&utf8, text);
	else if (!charset_convert(NULL, p->s->charset, text, &utf8))
		r = KEY_CHARSET;
	casemap_buf(&mapped, buf_span(&utf8));
	if (utf8.over || mapped.over || arena_left(a) < mapped.n * 6 + 1024)
		r = KEY_LIMIT;
	if (r == KEY_OK) {
		k->needle = arena_span(a, buf_span(&mapped));
		k->fail = find_table(a, k->needle);
	}
	buf_free(&utf8);
	buf_free(&mapped);
	return r == KEY_OK || fail(p, r);
}

/* ("OLDER" / "YOUNGER") SP nz-number */
static bool
take_interval(struct parser *p, struct key *k)
{
	struct span s;
	uint32_t n;

	if (!take(p, &s) || !num_u32(s, &n) || n == 0)
		return fail(p, KEY_SYNTAX);
	k->n = n;
	p->s->clock = true;
	return true;
}

/* "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer */
static bool
take_modseq(struct parser *p, struct key *k)
{
	struct span s;

	if (!take(p, &s))
		return false;
	if (span_istarts(s, "/flags/")) {
		if (!take(p, &s) ||
		    !(span_iis(s, "priv") || span_iis(s, "shared") ||
			span_iis(s, "all")) ||
		    !take(p, &s))
			return fail(p, KEY_SYNTAX);
	}
	if (!num_u64(s, &k->n) || k->n > INT64_MAX)
		return fail(p, KEY_SYNTAX);
	p->s->modseq = true;
	return true;
}

/* "$" */
static bool
take_saved(struct parser *p, struct key *k)
{
	struct imapset saved = p->im->saved;
	size_t n = saved.n * sizeof(saved.range[0]);

	k->kind = KEY_UID;
	k->set = saved;
	if (!p->s->stays || n == 0)
		return true;
	if (arena_left(p->s->arena) < n + 4096)
		return fail(p, KEY_LIMIT);
	k->set.range = arena_alloc(p->s->arena, n);
	memcpy(k->set.range, saved.range, n);
	return true;
}

/* Numbers, as the UIDs of those that have them now. */
static void
as_uids(struct parser *p, struct key *k)
{
	size_t count = folder_count(p->im->folder), n = 0;
	struct imapset_range *r = k->set.range;

	for (size_t i = 0; i < k->set.n && r[i].first <= count; i++) {
		size_t last = r[i].last < count ? r[i].last : count;

		r[n].first = folder_msg(p->im->folder, r[i].first - 1)->uid;
		r[n++].last = folder_msg(p->im->folder, last - 1)->uid;
	}
	k->set.n = n;
	k->kind = KEY_UID;
}

static bool
take_set(struct parser *p, struct key *k, struct span s, bool uid)
{
	size_t count = folder_count(p->im->folder);
	uint32_t largest = (uint32_t)count;

	k->kind = uid ? KEY_UID : KEY_SET;
	if (span_is(s, "$"))
		return take_saved(p, k);
	if (!uid && p->im->enabled & ENABLE_UIDONLY)
		return fail(p, KEY_UIDREQUIRED);
	if (uid && count > 0)
		largest = folder_msg(p->im->folder, count - 1)->uid;
	if (!imapset_parse(p->s->arena, s, largest, &k->set))
		return fail(p, KEY_SYNTAX);
	if (!uid && p->s->stays)
		as_uids(p, k);
	return true;
}

/* "UIDAFTER" / "UIDBEFORE" SP uniqueid (RFC 9586) */
static bool
take_side(struct parser *p, struct key *k, bool after)
{
	struct imapset_range *r = arena_alloc(p->s->arena, sizeof(*r));
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

/* objectid = 1*255(ALPHA / DIGIT / "_" / "-") (RFC 8474) */
static bool
take_id(struct parser *p, struct key *k)
{
	if (!take(p, &k->name))
		return false;
	if (k->name.n == 0 || k->name.n > 255)
		return fail(p, KEY_SYNTAX);
	for (size_t i = 0; i < k->name.n; i++)
		if (!is_alnum(k->name.p[i]) && k->name.p[i] != '_' &&
		    k->name.p[i] != '-')
			return fail(p, KEY_SYNTAX);
	k->name = arena_span(p->s->arena, k->name);
	return true;
}

static bool
take_value(struct parser *p, struct key *k, const char *field)
{
	struct span s;

	switch (k->kind) {
	case KEY_BEFORE:
	case KEY_ON:
	case KEY_SINCE:
	case KEY_SAVEDBEFORE:
	case KEY_SAVEDON:
	case KEY_SAVEDSINCE:
	case KEY_SENTBEFORE:
	case KEY_SENTON:
	case KEY_SENTSINCE:
		k->field = digest_field_id(SPAN("Date"));
		return take_day(p, k);
	case KEY_LARGER:
	case KEY_SMALLER:
		return take(p, &s) &&
		    (num_u64(s, &k->n) || fail(p, KEY_SYNTAX));
	case KEY_OLDER:
	case KEY_YOUNGER:
		return take_interval(p, k);
	case KEY_MODSEQ:
		return take_modseq(p, k);
	case KEY_KEYWORD:
		k->not = field != NULL;
		if (!take(p, &s))
			return false;
		k->keyword = -1;
		k->name = arena_span(p->s->arena, s);
		return true;
	case KEY_EMAILID:
	case KEY_THREADID:
		return take_id(p, k);
	case KEY_UID:
		if (field != NULL)
			return take_side(p, k, *field == 'a');
		return take(p, &s) && take_set(p, k, s, true);
	case KEY_HEADER:
		if (field != NULL)
			k->name = span_of(field);
		else if (!take(p, &k->name))
			return false;
		k->name = arena_span(p->s->arena, k->name);
		k->field = digest_field_id(k->name);
		k->addresses = field != NULL && *field != 'S';
		return take_needle(p, k);
	case KEY_BODY:
	case KEY_TEXT:
		k->next_text = p->s->text;
		p->s->text = k;
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
	k->a = arena_alloc(p->s->arena, 2 * sizeof(*k));
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

static enum key_cost
cost_of(const struct key *k)
{
	enum key_cost cost = COST_INDEX;

	if (k->kind >= KEY_SENTBEFORE)
		return k->kind >= KEY_BODY ? COST_TEXT : COST_HEAD;
	if (k->kind == KEY_OR)
		return k->a != NULL && k->b != NULL && k->a->cost > k->b->cost
		    ? k->a->cost
		    : k->b == NULL ? COST_INDEX
				   : k->b->cost;
	if (k->kind == KEY_AND)
		for (const struct key *a = k->a; a != NULL; a = a->next)
			if (a->cost > cost)
				cost = a->cost;
	return cost;
}

static bool
parse_key(struct parser *p, struct key **key)
{
	struct key *k;
	bool ok;

	if (p->at == NULL)
		return fail(p, KEY_SYNTAX);
	if (p->left-- == 0 || ++p->depth > LIMIT_IMAP_NESTING * 2 ||
	    arena_left(p->s->arena) < 4096)
		return fail(p, KEY_LIMIT);
	*key = k = arena_alloc(p->s->arena, sizeof(*k));
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
	k->cost = cost_of(k);
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
key_parse(struct search *s, const struct imap_arg *args)
{
	struct parser p = {
		.im = s->im, .s = s, .at = args, .left = LIMIT_IMAP_KEYS
	};

	s->root = arena_alloc(s->arena, sizeof(*s->root));
	s->root->kind = KEY_AND;
	parse_list(&p, &s->root->a);
	return p.result;
}

static void
bind(struct search *s, struct key *list)
{
	for (struct key *k = list; k != NULL; k = k->next) {
		if (k->kind == KEY_OLDER || k->kind == KEY_YOUNGER)
			k->day = (int64_t)time(NULL) - (int64_t)k->n;
		if (k->kind == KEY_KEYWORD)
			k->keyword =
			    folder_keyword(s->im->folder, k->name, false);
		bind(s, k->a);
		bind(s, k->b);
	}
}

void
key_bind(struct search *s)
{
	s->seen = false;
	bind(s, s->root);
}
