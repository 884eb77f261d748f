#include "auth/penalty.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/die.h"
#include "base/sha256.h"
#include "io/conf.h"

enum { SLOTS = 8192, SLOT_SIZE = 8, HEAD = 16, MEMORY = 3600 };

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
slot_of(char kind, struct span key)
{
	unsigned char digest[SHA256_LEN];
	struct sha256 c;
	uint32_t i;

	sha256_init(&c);
	sha256_put(&c, (struct span){ &kind, 1 });
	sha256_put(&c, key);
	sha256_end(&c, digest);
	i = ((uint32_t)digest[0] << 8 | digest[1]) % SLOTS;
	return (off_t)HEAD + (off_t)i * SLOT_SIZE;
}

/* A user in any case, an IPv6 host as its network. */
static off_t
slot_of_user(const char *user)
{
	char name[LIMIT_LOGIN + 1];
	size_t n = 0;

	for (; user[n] != '\0' && n < LIMIT_LOGIN; n++)
		name[n] = to_lower(user[n]);
	return slot_of('u', (struct span){ name, n });
}

static off_t
slot_of_ip(const char *ip)
{
	unsigned char v6[16];

	if (inet_pton(AF_INET6, ip, v6) == 1)
		return slot_of('a', (struct span){ (char *)v6, 8 });
	return slot_of('a', span_of(ip));
}

static uint32_t
get(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static void
put(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Two at once may count as one: it is no more than a delay. */
static unsigned
count(int fd, off_t at, int64_t now)
{
	unsigned char s[SLOT_SIZE] = { 0 };
	uint32_t n = 0;

	if (pread(fd, s, sizeof(s), at) == SLOT_SIZE &&
	    now - (int64_t)get(s) < MEMORY && now >= (int64_t)get(s))
		n = get(s + 4);
	if (n < PENALTY_MAX)
		n++;
	put(s, (uint32_t)now);
	put(s + 4, n);
	(void)!pwrite(fd, s, sizeof(s), at);
	return n;
}

unsigned
penalty_add(const char *ip, const char *user, int64_t now)
{
	int fd = open_file(true);
	unsigned a = 0, u = 0;

	if (fd == -1)
		return 0;
	if (ip[0] != '\0')
		a = count(fd, slot_of_ip(ip), now);
	if (user[0] != '\0')
		u = count(fd, slot_of_user(user), now);
	close(fd);
	return a > u ? a : u;
}

void
penalty_forget(const char *user)
{
	static const unsigned char zero[SLOT_SIZE];
	int fd = open_file(false);

	if (fd == -1)
		return;
	(void)!pwrite(fd, zero, sizeof(zero), slot_of_user(user));
	close(fd);
}
