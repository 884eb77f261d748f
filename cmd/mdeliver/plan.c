/*
 * Where a recipient leads.  Aliases are followed to users, addresses of
 * others, commands and Maildirs; each is done once for a message.
 */
#include "base/words.h"
#include "io/user.h"
#include "mail/addr.h"
#include "mdeliver.h"

enum { GROW = 64, ARENA_MAX = 32 << 20 };

/* What one step along the aliases needs: too much for the stack. */
struct level {
	char name[LIMIT_ADDRESS + 2]; /* the alias followed here */
	struct rcpt r;
	struct conf list; /* :include: */
};

static struct level levels[ALIAS_DEPTH + 1]; /* and the user */

struct plan {
	struct batch *b;
	struct source *source;
	size_t rcpt;
	unsigned depth;
	bool found;          /* it leads somewhere */
	bool disabled;       /* or would, to who is disabled */
	const char *address; /* of the recipient as it came */
	uid_t uid;           /* who runs what is not a user's */
	gid_t gid;
};

void
batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
	arena_init(&b->arena, ARENA_MAX);
}

void
batch_free(struct batch *b)
{
	arena_free(&b->arena);
	free(b->targets);
	free(b->rcpts);
	b->targets = NULL;
	b->rcpts = NULL;
	b->ntargets = b->max_targets = b->nrcpts = b->max_rcpts = 0;
}

static void *
grown(void *p, size_t n, size_t *max, size_t size)
{
	if (n < *max)
		return p;
	*max += GROW;
	p = realloc(p, *max * size);
	if (p == NULL)
		die_memory();
	return p;
}

/* Where an address may come from anywhere: it makes no line. */
void
print_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		putchar((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? '?'
								      : s.p[i]);
}

static void
explain(const struct plan *p, const char *decision, const char *detail,
    const char *because)
{
	if (!p->b->explain)
		return;
	print_plain(span_of(p->address));
	printf("\t%s ", decision);
	print_plain(span_of(detail));
	printf("\t%s\n", because);
}

static void
decide(struct plan *p, enum verdict v, const char *code, const char *text,
    const char *because)
{
	struct rcpt_state *r = &p->b->rcpts[p->rcpt];

	/* what is worse counts: a doubt above all */
	if (r->decided && (r->verdict == TEMP || v != TEMP))
		return;
	r->decided = true;
	r->verdict = v;
	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->text, sizeof(r->text), "%s", text);
	explain(p, v == PERM ? "refuse" : "later", text, because);
}

static bool
same_target(const struct target *t, const struct plan *p, enum target_kind kind,
    const char *path)
{
	return t->source == p->source && t->kind == kind &&
	    strcmp(t->path, path) == 0;
}

/* NULL when there is nothing to add. */
static struct target *
add(struct plan *p, enum target_kind kind, const char *path, uid_t uid,
    gid_t gid, const char *because)
{
	static const char *const words[] = { "file", "forward", "run" };
	struct batch *b = p->b;
	size_t n = 0;

	p->found = true;
	for (size_t i = 0; i < b->ntargets; i++) {
		n += b->targets[i].source == p->source;
		if (b->targets[i].rcpt == p->rcpt &&
		    same_target(&b->targets[i], p, kind, path))
			return NULL; /* it gets one already */
	}
	if (n >= TARGETS_MAX) {
		decide(p, TEMP, "4.3.5", "aliases lead to too many", "limit");
		return NULL;
	}
	b->targets = grown(
	    b->targets, b->ntargets, &b->max_targets, sizeof(*b->targets));
	b->targets[b->ntargets++] = (struct target){ .kind = kind,
		.source = p->source,
		.rcpt = p->rcpt,
		.address = p->address,
		.path = path,
		.uid = uid,
		.gid = gid,
		.by_alias = p->depth > 1 || kind != TARGET_BOX,
		.verdict = TEMP };
	explain(p, words[kind], path, because);
	return &b->targets[b->ntargets - 1];
}

static void follow(struct plan *, struct span address);

/* :include:FILE, an address a line */
static void
include(struct plan *p, struct span path)
{
	struct conf *c = &levels[p->depth - 1].list;
	char name[LIMIT_PATH];
	struct span line;
	pid_t pid;
	int r;

	if (!span_cstr(path, name, sizeof(name)) || name[0] != '/' ||
	    include_open(c, name, p->uid, p->gid, &pid) == -1) {
		decide(p, TEMP, "4.3.5", "an included list can't be read",
		    "aliases");
		return;
	}
	while ((r = conf_next(c, &line)) == 1) {
		struct span one = span_trim(line);

		if (!addr_valid(one))
			conf_bad(c, "not an address");
		else
			follow(p, arena_span(&p->b->arena, one));
	}
	if (!include_close(c, pid) || r == -1 || c->unfinished)
		decide(p, TEMP, "4.3.5", "an included list can't be read",
		    "aliases");
}

/* The next target of "a, |command \"x, y\", :include:/f, /dir/" */
static struct span
next_target(struct span *list)
{
	char quote = '\0';
	size_t n = 0;
	struct span one;

	for (; n < list->n; n++) {
		char c = list->p[n];

		if (c == '\\' && n + 1 < list->n)
			n++;
		else if (quote == '\0' && (c == '"' || c == '\''))
			quote = c;
		else if (quote != '\0' && c == quote)
			quote = '\0';
		else if (quote == '\0' && c == ',')
			break;
	}
	one = span_take(list, n);
	if (list->n > 0)
		span_take(list, 1);
	return span_trim(one);
}

static void
alias_target(struct plan *p, struct span one)
{
	struct arena *a = &p->b->arena;

	if (one.n == 0)
		return;
	if (span_starts(one, ":include:")) {
		span_take(&one, sizeof(":include:") - 1);
		include(p, one);
	} else if (*one.p == '|') {
		span_take(&one, 1);
		if (words_split(a, one) == NULL)
			decide(p, TEMP, "4.3.5", "an alias's command is bad",
			    "aliases");
		else
			add(p, TARGET_COMMAND, arena_str(a, one), p->uid,
			    p->gid, "aliases");
	} else if (*one.p == '/' && one.p[one.n - 1] == '/') {
		add(p, TARGET_BOX, arena_str(a, one), p->uid, p->gid,
		    "aliases");
	} else if (*one.p == '/') {
		decide(p, TEMP, "4.3.5", "an alias's target is bad", "aliases");
	} else if (addr_valid(one)) {
		follow(p, arena_span(a, one));
	} else {
		/* a name alone is one of the same domain */
		struct span local, domain;
		char whole[LIMIT_ADDRESS + 2];

		if (!addr_split(span_of(p->address), &local, &domain))
			domain = span_of(conf_me());
		snprintf(whole, sizeof(whole), "%.*s@%.*s", (int)one.n, one.p,
		    (int)domain.n, domain.p);
		if (addr_valid(span_of(whole)))
			follow(p, arena_span(a, span_of(whole)));
		else
			decide(p, TEMP, "4.3.5", "an alias's target is bad",
			    "aliases");
	}
}

static void
file_for(struct plan *p, const struct user *u, const char *because)
{
	struct target *t =
	    add(p, TARGET_BOX, arena_str(&p->b->arena, span_of(u->maildir)),
		u->uid, u->gid, because);

	if (t != NULL) {
		t->quota_bytes = u->quota_bytes;
		t->quota_messages = u->quota_messages;
	}
}

/* Somebody whom an alias names: the others get theirs all the same. */
static void
skip(struct plan *p, struct span address, const char *what)
{
	explain(p, "skip", what, "aliases");
	if (!p->b->explain)
		warn("aliases: %s leads to %.*s: %s", p->address,
		    (int)address.n, address.p, what);
}

static void
follow_user(struct plan *p, struct span address, const struct user *u,
    const char *because)
{
	if (!u->disabled) {
		file_for(p, u, because);
	} else if (p->depth == 1) {
		decide(p, PERM, "5.2.1", "mailbox disabled", "users");
	} else {
		p->disabled = true;
		skip(p, address, "mailbox disabled");
	}
}

/* "bob: bob, eve": behind its own alias the name is the user of it. */
static bool
own_alias(struct plan *p, struct level *l, struct span address)
{
	char name[sizeof(l->name)];
	bool again = false;

	snprintf(name, sizeof(name), "%s@%s", l->r.local, l->r.domain);
	memcpy(l->name, name, sizeof(name));
	for (unsigned i = 0; i + 1 < p->depth; i++)
		again |= span_ieq(span_of(levels[i].name), span_of(l->name));
	if (!again)
		return false;
	switch (users_find(span_of(l->name), &l->r.user)) {
	case OK:
		follow_user(p, address, &l->r.user, "users");
		break;
	case TEMP:
		decide(p, TEMP, "4.3.0", "can't tell now", "users");
		break;
	case PERM:
		decide(p, TEMP, "4.4.6", "aliases go in a circle", "aliases");
		break;
	}
	return true;
}

static void
follow_alias(struct plan *p, struct level *l, struct span address)
{
	struct span list = span_of(l->r.targets);

	if (own_alias(p, l, address))
		return;
	while (list.n > 0)
		alias_target(p, next_target(&list));
}

static void
follow(struct plan *p, struct span address)
{
	struct level *l = &levels[p->depth];

	if (p->depth > ALIAS_DEPTH) {
		decide(p, TEMP, "4.4.6", "aliases go in a circle", "aliases");
		return;
	}
	p->depth++;
	l->name[0] = '\0';
	switch (rcpt_find(address, &l->r)) {
	case RCPT_USER:
		follow_user(p, address, &l->r.user, l->r.because);
		break;
	case RCPT_ALIAS:
		follow_alias(p, l, address);
		break;
	case RCPT_RELAY:
	case RCPT_FOREIGN:
		if (p->depth > 1)
			add(p, TARGET_FORWARD, arena_str(&p->b->arena, address),
			    p->uid, p->gid, "aliases");
		else
			decide(p, TEMP, "4.3.5", "its domain is not ours",
			    "domains");
		break;
	case RCPT_UNKNOWN:
		if (p->depth > 1)
			skip(p, address, "no such user");
		else
			decide(p, PERM, "5.1.1", "no such user", l->r.because);
		break;
	case RCPT_LATER:
		decide(p, TEMP, "4.3.0", "can't tell now", l->r.because);
		break;
	}
	p->depth--;
}

/* An alias of nobody: refused only if those it names want nothing. */
static void
nowhere(struct plan *p)
{
	if (p->disabled)
		decide(p, PERM, "5.2.1", "mailbox disabled", "users");
	else
		decide(p, TEMP, "4.3.5", "its alias leads nowhere", "aliases");
}

void
plan_add(struct batch *b, struct source *s, struct span address)
{
	struct plan p = { .b = b, .source = s, .rcpt = b->nrcpts };

	p.address = arena_str(&b->arena, address);
	b->rcpts = grown(b->rcpts, b->nrcpts, &b->max_rcpts, sizeof(*b->rcpts));
	b->rcpts[b->nrcpts++] = (struct rcpt_state){ .source = s,
		.address = arena_span(&b->arena, address),
		.verdict = OK };
	if (user_is_root() && conf_account("pneu", &p.uid, &p.gid) == -1)
		decide(&p, TEMP, "4.3.5", "pneu: no such account", "uids");
	else if (!addr_valid(address))
		decide(&p, PERM, "5.1.3", "not an address", "syntax");
	else
		follow(&p, address);
	if (!p.found && !b->rcpts[p.rcpt].decided)
		nowhere(&p);
}
