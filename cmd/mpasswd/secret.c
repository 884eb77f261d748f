#include <unistd.h>

#include "auth/hash.h"
#include "auth/users.h"
#include "base/die.h"
#include "io/askpass.h"
#include "io/conf.h"
#include "io/fs.h"
#include "mpasswd.h"

const char *
known_address(const char *address)
{
	static struct user u;

	switch (users_find(span_of(address), &u)) {
	case OK:
		return u.address;
	case PERM:
		break;
	case TEMP:
		/* it has a bad line, or is not there */
		die(EXIT_TEMP, "%s/users: can't say whether %s is there",
		    conf_dir(), address);
	}
	die(EXIT_NOUSER, "%s: not in %s/users", address, conf_dir());
}

/* 100 bits, of letters and digits that are not taken for each other. */
static void
generate(char to[PASSWORD_ROOM])
{
	static const char alphabet[33] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char raw[20];
	size_t n = 0;

	fs_random(raw, sizeof(raw));
	for (size_t i = 0; i < sizeof(raw); i++) {
		if (i > 0 && i % 4 == 0)
			to[n++] = '-';
		to[n++] = alphabet[raw[i] % 32];
	}
	to[n] = '\0';
	wipe(raw, sizeof(raw));
}

void
password_get(const struct mpasswd *m, const char *address, bool twice,
    char to[PASSWORD_ROOM])
{
	char prompt[LIMIT_ADDRESS + 32];
	const char *why;

	if (m->w.generate) {
		generate(to);
		return;
	}
	snprintf(prompt, sizeof(prompt), "password of %s: ", address);
	why = askpass(m->fd, prompt, twice, to, PASSWORD_ROOM);
	if (why != NULL)
		die(EXIT_DATAERR, "password: %s", why);
}

/* Of another secret of the user, so that any of them can prove itself. */
static bool
find_salt(struct span text, const char *address, const char *except,
    struct scram_secret *keys)
{
	struct secret s;

	while (text.n > 0) {
		struct span line = span_cut(&text, '\n');

		if (edit_is_of(line, address) &&
		    secrets_parse(line, &s) == NULL &&
		    (except == NULL || !span_is(s.label, except)) &&
		    hash_scram(s.hash, keys))
			return true;
	}
	return false;
}

void
password_hash(struct span text, const char *address, const char *except,
    const char *password, struct buf *b)
{
	struct scram_secret keys = { .rounds = SCRAM_ROUNDS,
		.nsalt = SCRAM_SALT };

	if (!find_salt(text, address, except, &keys))
		fs_random(keys.salt, keys.nsalt);
	scram_derive(&keys, password);
	buf_puts(b, "{SCRAM-SHA-256}");
	scram_put(b, &keys);
	wipe(&keys, sizeof(keys));
}
