#include "store/acl.h"

#include <errno.h>
#include <unistd.h>

static const struct boxtext file = { .name = "pneu.acl",
	.kind = "acl",
	.max = (LIMIT_ACL + 1) * (LIMIT_LOGIN + 32) };
static const char format[] = "pneu-acl 1\n";

static const struct {
	char letter;
	unsigned rights;
} letters[] = { { 'l', ACL_L }, { 'r', ACL_R }, { 's', ACL_S }, { 'w', ACL_W },
	{ 'i', ACL_I }, { 'p', ACL_P }, { 'k', ACL_K }, { 'x', ACL_X },
	{ 't', ACL_T }, { 'e', ACL_E }, { 'a', ACL_A }, { 'c', ACL_K },
	{ 'd', ACL_T | ACL_E } };

enum { NLETTERS = sizeof(letters) / sizeof(letters[0]), REAL = NLETTERS - 2 };

bool
acl_parse(struct span s, unsigned *rights)
{
	*rights = 0;
	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;

		while (k < NLETTERS && letters[k].letter != s.p[i])
			k++;
		if (k == NLETTERS)
			return false;
		*rights |= letters[k].rights;
	}
	return true;
}

static void
put_letters(struct buf *b, unsigned rights, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (rights & letters[k].rights)
			buf_putc(b, letters[k].letter);
}

void
acl_put(struct buf *b, unsigned rights)
{
	put_letters(b, rights, NLETTERS);
}

int
acl_load(struct acl *a, const char *path)
{
	return boxtext_load(&file, path, &a->text);
}

void
acl_free(struct acl *a)
{
	buf_free(&a->text);
}

/* A line that is none is passed over. */
bool
acl_next(
    const struct acl *a, size_t *at, struct span *identifier, unsigned *rights)
{
	struct span s = buf_span(&a->text), line, word;

	if (*at == 0 && s.n > 0)
		*at = sizeof(format) - 1;
	while (*at < s.n) {
		struct span rest = { s.p + *at, s.n - *at };

		line = span_cut(&rest, '\n');
		*at = s.n - rest.n;
		word = span_word(&line);
		*identifier = span_trim(line);
		if (span_is(word, "-"))
			word.n = 0;
		if (identifier->n > 0 && acl_parse(word, rights))
			return true;
	}
	return false;
}

unsigned
acl_rights(const struct acl *a)
{
	unsigned rights, mine = ACL_ALL, all = 0, not = 0;
	struct span who;
	size_t at = 0;

	while (acl_next(a, &at, &who, &rights))
		if (span_is(who, "owner"))
			mine = rights;
		else if (span_is(who, "anyone"))
			all |= rights;
		else if (span_is(who, "-owner") || span_is(who, "-anyone"))
			not |= rights;
	return ((mine | all) & ~not ) | ACL_OWNER;
}

unsigned
acl_owner(const char *path)
{
	char name[LIMIT_PATH + 16];
	struct acl a;
	unsigned rights = ACL_OWNER;

	snprintf(name, sizeof(name), "%s/%s", path, file.name);
	if (access(name, F_OK) == -1 && errno == ENOENT)
		return ACL_ALL;
	if (acl_load(&a, path) == 0)
		rights = acl_rights(&a);
	acl_free(&a);
	return rights;
}

static void
put_line(struct buf *b, struct span identifier, unsigned rights)
{
	if (rights == 0)
		buf_putc(b, '-');
	put_letters(b, rights, REAL); /* c and d would grant too much */
	buf_putc(b, ' ');
	buf_put(b, identifier);
	buf_putc(b, '\n');
}

static unsigned
changed(unsigned had, enum acl_op op, unsigned rights)
{
	switch (op) {
	case ACL_SET:
		return rights;
	case ACL_ADD:
		return had | rights;
	case ACL_REMOVE:
		return had & ~rights;
	case ACL_DELETE:
		break;
	}
	return 0;
}

bool
acl_edit(const struct acl *old, struct span identifier, enum acl_op op,
    unsigned rights, struct buf *new)
{
	bool owner = span_is(identifier, "owner");
	unsigned had = owner ? ACL_ALL : 0, r;
	struct span who;
	size_t at = 0, n = 0;

	buf_puts(new, format);
	while (acl_next(old, &at, &who, &r))
		if (span_eq(who, identifier)) {
			had = r;
		} else {
			put_line(new, who, r);
			n++;
		}
	if (op != ACL_DELETE) {
		put_line(new, identifier,
		    changed(had, op, rights) | (owner ? ACL_OWNER : 0));
		n++;
	}
	return n <= LIMIT_ACL && !new->over;
}

struct edit {
	struct span identifier;
	enum acl_op op;
	unsigned rights;
};

static bool
edit(void *ctx, const struct buf *old, struct buf *new)
{
	const struct edit *e = ctx;
	struct acl a = { *old };

	return acl_edit(&a, e->identifier, e->op, e->rights, new);
}

enum boxtext_result
acl_change(struct boxes *b, const char *path, struct span identifier,
    enum acl_op op, unsigned rights)
{
	struct edit e = { identifier, op, rights };

	return boxtext_change(&file, b, path, edit, &e);
}

int
acl_copy(const char *from, const char *to)
{
	return boxtext_copy(&file, from, to);
}
