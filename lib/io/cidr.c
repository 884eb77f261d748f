#include "io/cidr.h"

#include <arpa/inet.h>

#include "base/num.h"

enum { V4_BITS = 32, V6_BITS = 128, MAPPED = 12, MAPPED_BITS = 96 };

static const unsigned char mapped[MAPPED] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0xff, 0xff };

static bool
parse_ip(struct span s, struct cidr *c)
{
	char text[INET6_ADDRSTRLEN];

	*c = (struct cidr){ .bits = V4_BITS };
	if (!span_cstr(s, text, sizeof(text)))
		return false;
	if (inet_pton(AF_INET, text, c->ip) == 1)
		return true;
	c->v6 = true;
	c->bits = V6_BITS;
	return inet_pton(AF_INET6, text, c->ip) == 1;
}

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24. */
static void
unmap(struct cidr *c)
{
	if (!c->v6 || c->bits < MAPPED_BITS || memcmp(c->ip, mapped, MAPPED))
		return;
	memmove(c->ip, c->ip + MAPPED, 4);
	memset(c->ip + 4, 0, MAPPED);
	c->bits -= MAPPED_BITS;
	c->v6 = false;
}

bool
cidr_parse(struct span s, struct cidr *c)
{
	size_t slash = span_chr(s, '/');
	struct span host = span_take(&s, slash);
	uint32_t n;

	if (!parse_ip(host, c))
		return false;
	if (s.n > 0) {
		span_take(&s, 1);
		if (!num_u32(s, &n) || n > c->bits)
			return false;
		c->bits = n;
	}
	unmap(c);
	return true;
}

bool
cidr_has(const struct cidr *c, const char *ip)
{
	struct cidr have;
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	if (!parse_ip(span_of(ip), &have))
		return false;
	unmap(&have);
	if (c->v6 != have.v6 || memcmp(c->ip, have.ip, whole) != 0)
		return false;
	return rest == 0 || (c->ip[whole] ^ have.ip[whole]) >> (8 - rest) == 0;
}
