#include "auth/penalty.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "auth/loginkey.h"
#include "base/be.h"
#include "base/buf.h"
#include "base/die.h"
#include "io/conf.h"

enum {
	SLOTS = 8192,
	SLOT_SIZE = 8,
	HEAD = 16,
	MEMORY = 3600,       /* of failures and of wrong secrets */
	KNOWN = 30 * 86400,  /* of good logins */
	KNOWN_AGAIN = 86400, /* and how often they are noted */
	MARK = 4             /* where the second number of a slot begins */
};

/* The tables of the file. */
enum table { COUNTS, GOOD, SEEN };

static const char format[HEAD + 1] = "pneu-logins 1\n\n\n";

/* -1 when there is no such file and none can be made. */
static int
open_file(bool create)
{
	char path[LIMIT_PATH], head[HEAD];
	int n = snprintf(path, sizeof(path), "%s/logins", conf_path("state"));
	int fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -1;
	fd = open(path,
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC | (create ? O_CREAT : 0), 0600);
	if (fd == -1) {
		if (errno != ENOENT)
			warn_sys("%s", path);
		return -1;
	}
	n = (int)pread(fd, head, sizeof(head), 0);
	if (n == 0)
		n = (int)pwrite(fd, memcpy(head, format, HEAD), HEAD, 0);
	if (n != HEAD || memcmp(head, format, HEAD) != 0) {
		warn("%s: not a file of this format", path);
		close(fd);
		return -1;
	}
	return fd;
}

static off_t
at(enum table t, unsigned high, unsigned low)
{
	uint32_t i = ((uint32_t)high << 8 | low) % SLOTS;

	return (off_t)HEAD + ((off_t)t * SLOTS + (off_t)i) * SLOT_SIZE;
}

static off_t
slot_of(char kind, struct span key)
{
	unsigned char digest[SHA256_LEN];
	struct sha256 c;

	sha256_init(&c);
	sha256_put(&c, (struct span){ &kind, 1 });
	sha256_put(&c, key);
	sha256_end(&c, digest);
	return at(COUNTS, digest[0], digest[1]);
}

/* A user in any case. */
static void
put_user(struct buf *b, const char *user)
{
	for (size_t n = 0; user[n] != '\0' && n < LIMIT_LOGIN; n++)
		buf_putc(b, to_lower(user[n]));
}

/* An IPv6 host as its network. */
static void
put_ip(struct buf *b, const char *ip)
{
	unsigned char v6[16];

	if (inet_pton(AF_INET6, ip, v6) == 1)
		buf_put(b, (struct span){ (char *)v6, 8 });
	else
		buf_puts(b, ip);
}

static off_t
slot_of_text(char kind, const char *ip, const char *user)
{
	struct buf b = { .max = 2 * LIMIT_LOGIN };
	off_t o;

	if (ip != NULL)
		put_ip(&b, ip);
	if (ip != NULL && user != NULL)
		buf_putc(&b, '\0');
	if (user != NULL)
		put_user(&b, user);
	o = slot_of(kind, buf_span(&b));
	buf_free(&b);
	return o;
}

/* Two at once may count as one: it is no more than a delay. */
static unsigned
count(int fd, off_t slot, unsigned more, int64_t now)
{
	unsigned char s[SLOT_SIZE] = { 0 };
	uint32_t n = 0;

	if (pread(fd, s, sizeof(s), slot) == SLOT_SIZE &&
	    now - (int64_t)be_get(s) < MEMORY && now >= (int64_t)be_get(s))
		n = be_get(s + 4);
	n = n + more < PENALTY_MAX ? n + more : PENALTY_MAX;
	be_set(s, (uint32_t)now);
	be_set(s + MARK, n);
	(void)!pwrite(fd, s, sizeof(s), slot);
	return n;
}

void
penalty_mark(
    const char *user, struct span secret, unsigned char mark[SHA256_LEN])
{
	struct buf b = { .max = LIMIT_LOGIN + LIMIT_TOKEN + 2 };

	put_user(&b, user);
	buf_putc(&b, '\0');
	buf_put(&b, secret);
	loginkey_mac("secret", buf_span(&b), SPAN(""), mark);
	wipe(b.p, b.n);
	buf_free(&b);
}

/* What marks that a user logged in at an address. */
static void
mark_of_pair(const char *ip, const char *user, unsigned char mark[SHA256_LEN])
{
	struct buf b = { .max = 2 * LIMIT_LOGIN };

	put_ip(&b, ip);
	buf_putc(&b, '\0');
	put_user(&b, user);
	loginkey_mac("login", buf_span(&b), SPAN(""), mark);
	buf_free(&b);
}

/* Whether a mark is there that is not too old; *age since it was put. */
static bool
is_marked(int fd, enum table t, const unsigned char *mark, int64_t now,
    int64_t memory, int64_t *age)
{
	unsigned char s[SLOT_SIZE];

	if (pread(fd, s, sizeof(s), at(t, mark[0], mark[1])) != SLOT_SIZE ||
	    memcmp(s + MARK, mark + 2, MARK) != 0)
		return false;
	*age = now - (int64_t)be_get(s);
	return *age >= 0 && *age < memory;
}

static void
put_mark(int fd, enum table t, const unsigned char *mark, int64_t now)
{
	unsigned char s[SLOT_SIZE];

	be_set(s, (uint32_t)now);
	memcpy(s + MARK, mark + 2, MARK);
	(void)!pwrite(fd, s, sizeof(s), at(t, mark[0], mark[1]));
}

/* n more, or none, for all that an address and a name have on them. */
static unsigned
count_all(int fd, const char *ip, const char *user, unsigned n, int64_t now)
{
	unsigned char pair[SHA256_LEN];
	unsigned a = 0, u = 0;
	int64_t age;

	mark_of_pair(ip, user, pair);
	if (is_marked(fd, GOOD, pair, now, KNOWN, &age))
		return count(fd, slot_of_text('p', ip, user), n, now);
	if (ip[0] != '\0')
		a = count(fd, slot_of_text('a', ip, NULL), n, now);
	if (user[0] != '\0')
		u = count(fd, slot_of_text('u', NULL, user), n, now);
	return a > u ? a : u;
}

unsigned
penalty_add(
    const char *ip, const char *user, const unsigned char *mark, int64_t now)
{
	int fd = open_file(true);
	bool again = false;
	unsigned n;
	int64_t age;

	if (fd == -1)
		return 0;
	if (mark != NULL) {
		again = is_marked(fd, SEEN, mark, now, MEMORY, &age);
		put_mark(fd, SEEN, mark, now);
	}
	n = count_all(fd, ip, user, again ? 0 : 1, now);
	close(fd);
	return n > 0 ? n : 1;
}

void
penalty_good(const char *ip, const char *user, int64_t now)
{
	unsigned char pair[SHA256_LEN];
	int fd = open_file(true);
	int64_t age;

	if (fd == -1)
		return;
	mark_of_pair(ip, user, pair);
	if (!is_marked(fd, GOOD, pair, now, KNOWN_AGAIN, &age))
		put_mark(fd, GOOD, pair, now);
	close(fd);
}
