/* store/acl and store/metadata: files whole, cut and of noise. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "store/acl.h"
#include "store/boxes.h"
#include "store/metadata.h"
#include "test.h"

static char root[64] = "/tmp/boxacl.XX"
		       "XX"
		       "XX";
static struct boxes b;

static const struct {
	const char *text; /* behind the first line */
	unsigned rights;  /* of the owner */
} files[] = {
	/* clang-format off */
	{ "",                               ACL_ALL },
	{ "lr owner\n",                     ACL_L | ACL_R | ACL_A },
	{ "- owner\n",                      ACL_OWNER },
	{ "- owner\nr anyone\n",            ACL_OWNER | ACL_R },
	{ "rs owner\ns -anyone\n",          ACL_OWNER | ACL_R },
	{ "rs owner\nla -owner\n",          ACL_OWNER | ACL_R | ACL_S },
	{ "lrz owner\n",                    ACL_ALL }, /* no line */
	{ "r bob\n",                        ACL_ALL },
	{ "d owner",                        ACL_OWNER | ACL_T | ACL_E },
	{ "\n\nlr\nowner\n",                ACL_ALL },
	/* clang-format on */
};

static void
put(const char *name, const char *head, const void *text, size_t n)
{
	struct buf all = { .max = 70000 };

	buf_puts(&all, head);
	buf_put(&all, (struct span){ text, n });
	check(fs_replace(b.fd, name, buf_span(&all), 0600) == 0);
	buf_free(&all);
}

static void
test_rights(void)
{
	unsigned r;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		put("pneu.acl", "pneu-acl 1\n", files[i].text,
		    strlen(files[i].text));
		check(acl_owner(root) == files[i].rights);
	}
	check(acl_parse(SPAN("lrswipkxtea"), &r) && r == ACL_ALL);
	check(acl_parse(SPAN("cd"), &r) && r == (ACL_K | ACL_T | ACL_E));
	check(acl_parse(SPAN(""), &r) && r == 0);
	check(!acl_parse(SPAN("L"), &r) && !acl_parse(SPAN("r0"), &r));
	put("pneu.acl", "pneu-acl 2\n", "", 0);
	check(acl_owner(root) == ACL_OWNER);
	check(unlinkat(b.fd, "pneu.acl", 0) == 0);
	check(acl_owner(root) == ACL_ALL);
	check(acl_owner("/nonexistent") == ACL_ALL);
}

/* What is taken away stays away when the file is written again. */
static void
test_change(void)
{
	check(acl_change(&b, root, SPAN("owner"), ACL_REMOVE, ACL_E) ==
	    BOXTEXT_OK);
	check(acl_owner(root) == (ACL_ALL & ~ACL_E));
	check(acl_change(&b, root, SPAN("bob"), ACL_ADD, ACL_R) == BOXTEXT_OK);
	check(acl_owner(root) == (ACL_ALL & ~ACL_E));
	check(acl_change(&b, root, SPAN("owner"), ACL_SET, 0) == BOXTEXT_OK);
	check(acl_owner(root) == ACL_OWNER);
	check(acl_change(&b, root, SPAN("owner"), ACL_DELETE, 0) == BOXTEXT_OK);
	check(acl_owner(root) == ACL_ALL);
	for (int i = 0; i < LIMIT_ACL - 1; i++) {
		char who[16];

		snprintf(who, sizeof(who), "u%d", i);
		if (acl_change(&b, root, span_of(who), ACL_SET, ACL_L) !=
		    BOXTEXT_OK)
			check(i < 0);
	}
	check(acl_change(&b, root, SPAN("one"), ACL_SET, 1) == BOXTEXT_TOOMANY);
	check(acl_change(&b, root, SPAN("bob"), ACL_SET, 1) == BOXTEXT_OK);
}

static size_t
entries(void)
{
	struct span entry, value;
	struct metadata m;
	size_t at = 0, n = 0;

	check(metadata_load(&m, root, false) == 0);
	while (metadata_next(&m, &at, &entry, &value))
		n += metadata_entry_ok(entry) && value.n <= m.text.n;
	metadata_free(&m);
	return n;
}

static void
test_damage(void)
{
	static const char text[] = "/shared/a 3\nx\ny\n/private/b 0\n\n";
	static const char *const bad[] = { "/shared/a 99\nx\n", "/shared/a\n",
		"/shared/a -1\n\n", "/other/a 1\nx\n", "/shared/a 1\nxy\n",
		"/shared/a 4294967295\nx\n", "\n", "/shared/a 1 1\nx\n" };
	unsigned char noise[3000];
	unsigned rights;

	for (size_t n = 0; n < sizeof(text); n++) {
		put("pneu.metadata", "pneu-metadata 1\n", text, n);
		check(entries() == (n < 16 ? 0U : n < 30 ? 1U : 2U));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("pneu.metadata", "pneu-metadata 1\n", bad[i],
		    strlen(bad[i]));
		check(entries() == 0);
	}
	for (int i = 0; i < 50; i++) {
		fs_random(noise, sizeof(noise));
		put("pneu.metadata", "pneu-metadata 1\n", noise, sizeof(noise));
		check(entries() < 10);
		put("pneu.acl", "pneu-acl 1\n", noise, sizeof(noise));
		rights = acl_owner(root);
		check((rights & ACL_OWNER) == ACL_OWNER);
		put("pneu.acl", "", noise, sizeof(noise));
		check(acl_owner(root) == ACL_OWNER);
	}
}

int
main(void)
{
	if (mkdtemp(root) == NULL)
		return 1;
	conf_set_dir("/nonexistent");
	check(boxes_open(&b, root, '/') == 0);
	test_rights();
	test_change();
	test_damage();
	boxes_close(&b);
	if (fs_remove_tree(AT_FDCWD, root) == -1)
		printf("# %s is left\n", root);
	return done();
}
